"""What is measured of a selection, on documents of the target that were kept out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.errors import BudgetError
from dsir.model.features import HashedNgrams
from dsir.model.metrics import kl_reduction_of_counts
from dsir.stages.pool import Lists, ShardPool

MOST_TOKENS = 1 << 25
"""A model of trigrams is trained on at most so many tokens, and tried on so many: larger selections
and larger parts that are kept out are sampled by document."""

VOCABULARY = 1 << 20
"""A token that a selection does not have costs at least as if it were one of so many."""


@dataclass(slots=True)
class HeldOut:
    """Documents of the target that were kept out.

    Attributes:
        counts: int64[buckets], their n-grams.
        lengths: tokens of each document, by batch, until there are MOST_TOKENS.
        tokens: these tokens, by batch.
        size: number of tokens in `tokens`.
    """

    counts: npt.NDArray[np.int64]
    lengths: list[npt.NDArray[np.int64]] = field(default_factory=list)
    tokens: list[npt.NDArray[np.uint32]] = field(default_factory=list)
    size: int = 0

    def lists(self) -> Lists:
        """Return the documents as lists of tokens."""
        return _joined(self.lengths, self.tokens)


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a selection.

    Attributes:
        documents: number of documents.
        tokens: number of tokens.
        median_tokens: tokens of the document in the middle.
        kl_reduction: KL(target‖raw) - KL(target‖selected) in nats; the target is the part that was
            kept out.
        perplexity: of the part that was kept out, per token, by a model of trigrams that was
            trained on the selection.
        distinct_trigrams: how many of the selection's trigrams are different, as a share.
    """

    documents: int
    tokens: int
    median_tokens: float
    kl_reduction: float
    perplexity: float
    distinct_trigrams: float


class Measures:
    """Measures selections.

    Args:
        features: the n-grams that methods use; the measures have the same tokens.

    Attributes:
        token_features: numbers of tokens, for models of trigrams.
        kl_features: n-grams, for the KL reduction.
    """

    def __init__(self, features: HashedNgrams) -> None:
        plain = replace(features, hash="fast", extractor=None)
        self.kl_features = replace(plain, n=2, buckets=HashedNgrams().buckets)
        # So many buckets that hardly two tokens of a corpus share one.
        self.token_features = replace(plain, n=1, buckets=_core.MAX_BUCKETS)

    @property
    def features(self) -> tuple[HashedNgrams, HashedNgrams]:
        """What has to be listed of the documents of a selection."""
        return self.token_features, self.kl_features

    def held_out(self) -> HeldOut:
        """Return no documents yet."""
        return HeldOut(np.zeros(self.kl_features.buckets, dtype=np.int64))

    def invalid(self, texts: pa.Array, threads: int) -> npt.NDArray[np.int64]:
        """Return the positions of texts that cannot be read, ascending."""
        features = self.kl_features
        nothing = np.zeros(features.buckets, dtype=np.int64)
        *_, invalid = _core.count(features.prepared(texts), features.spec, nothing, threads=threads)
        return invalid

    def has_tokens(self, texts: pa.Array, threads: int) -> npt.NDArray[np.bool_]:
        """Return which texts have a token, bool[texts]."""
        positions = np.arange(len(texts), dtype=np.int64)
        return np.diff(self._tokens(texts, positions, threads).offsets) > 0

    def add(
        self,
        held_out: HeldOut,
        texts: pa.Array,
        positions: npt.NDArray[np.int64],
        threads: int,
    ) -> None:
        """Add the texts at some positions to the documents that are kept out."""
        features = self.kl_features
        offsets, buckets = _core.bucket_lists(
            features.prepared(texts), features.spec, positions, threads=threads
        )
        everything = np.ones(len(positions), dtype=np.uint8)
        _core.add_counts(offsets, buckets, everything, held_out.counts)
        if held_out.size < MOST_TOKENS:
            lists = self._tokens(texts, positions, threads)
            held_out.lengths.append(np.diff(lists.offsets))
            held_out.tokens.append(lists.buckets)
            held_out.size += len(lists.buckets)

    def _tokens(self, texts: pa.Array, positions: npt.NDArray[np.int64], threads: int) -> Lists:
        features = self.token_features
        return Lists(
            *_core.bucket_lists(features.prepared(texts), features.spec, positions, threads=threads)
        )

    def measure(
        self,
        selection: Selected,
        raw_counts: npt.NDArray[np.int64],
        held_out: HeldOut,
        threads: int,
    ) -> Measured:
        """Measure a selection.

        Args:
            selection: its documents.
            raw_counts: int64[buckets], the n-grams of raw.
            held_out: the documents that were kept out.
            threads: how many threads to use; the result does not depend on it.

        Raises:
            BudgetError: the selection has no tokens.
        """
        counts = np.zeros(self.kl_features.buckets, dtype=np.int64)
        lengths: list[npt.NDArray[np.int64]] = []
        tokens: list[npt.NDArray[np.uint32]] = []
        for of_tokens, of_ngrams, wanted, trained in selection.batches():
            _core.add_counts(of_ngrams.offsets, of_ngrams.buckets, wanted, counts)
            each = np.diff(of_tokens.offsets)
            lengths.append(each[trained])
            tokens.append(of_tokens.buckets[np.repeat(trained, each)])
        if not counts.any():
            raise BudgetError(f"{selection.name}: selects no text; ask for more")
        model = _core.KneserNey(*_joined(lengths, tokens), vocabulary=VOCABULARY, threads=threads)
        offsets, of_target = held_out.lists()
        log_probabilities = model.log_probabilities(offsets, of_target, threads=threads)
        return Measured(
            documents=len(selection.tokens),
            tokens=int(selection.tokens.sum(dtype=np.int64)),
            median_tokens=float(np.median(selection.tokens)),
            kl_reduction=kl_reduction_of_counts(counts, raw_counts, held_out.counts),
            perplexity=math.exp(-math.fsum(log_probabilities) / len(of_target)),
            distinct_trigrams=model.distinct_trigrams / max(1, model.trigrams),
        )


@dataclass(frozen=True, slots=True)
class Selected:
    """The documents of a selection, among those that were listed.

    Attributes:
        name: what messages call it.
        tokens: uint32, the tokens of each document.
        listed: by unit, what gives its lists, the rows that were listed, and the selected ones.
        trained: by unit, bool of the selected rows: those that a model of trigrams is trained on.
    """

    name: str
    tokens: npt.NDArray[np.uint32]
    listed: Sequence[tuple[ListedUnit, npt.NDArray[np.int64]]]
    trained: Sequence[npt.NDArray[np.bool_]]

    def batches(
        self,
    ) -> Iterator[tuple[Lists, Lists, npt.NDArray[np.uint8], npt.NDArray[np.bool_]]]:
        """Give lists of tokens and n-grams, and which of their documents are selected and train."""
        for (unit, rows), trained in zip(self.listed, self.trained, strict=True):
            if not len(rows):
                continue
            wanted = np.zeros(len(unit.rows), dtype=np.uint8)
            trains = np.zeros(len(unit.rows), dtype=bool)
            places = np.searchsorted(unit.rows, rows)
            wanted[places] = 1
            trains[places] = trained
            at = 0
            for of_tokens, of_ngrams in unit.batches():
                where = slice(at, at + len(of_tokens.offsets) - 1)
                at = where.stop
                yield of_tokens, of_ngrams, wanted[where], trains[where]


@dataclass(frozen=True, slots=True)
class ListedUnit:
    """The rows of a unit that any selection has, and their lists.

    Attributes:
        rows: int64, ascending.
        lists: what gives the lists, batch by batch.
    """

    rows: npt.NDArray[np.int64]
    lists: ShardPool

    def batches(self) -> Iterator[tuple[Lists, Lists]]:
        """Give the lists of tokens and of n-grams, some documents at a time."""
        yield from ((of_tokens, of_ngrams) for of_tokens, of_ngrams in self.lists.batches())


def _joined(
    lengths: Iterable[npt.NDArray[np.int64]], tokens: Sequence[npt.NDArray[np.uint32]]
) -> Lists:
    ends = np.cumsum(np.concatenate([np.zeros(1, np.int64), *lengths]))
    return Lists(ends, np.concatenate([np.zeros(0, np.uint32), *tokens]))
