"""Documents that a classifier learns from, as the buckets of their n-grams.

A corpus has more documents than are needed to learn from, so a sample of them is listed. Whether a
document is in the sample depends on its text alone: its key is a hash of the text, and those with a
key below a bound are listed. So the sample does not depend on how the work is cut, and a text that
occurs many times is one example.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus.token_ids import for_core
from dsir.model.features import HashedNgrams

MOST_DOCUMENTS = 1 << 16
"""About the most documents that a corpus is sampled to."""

MOST_NGRAMS = 1 << 24
"""About the most n-grams of these."""

LONGEST = 1 << 15
"""A longer document counts up to about so many of its n-grams."""

_KEYS = 1 << 64
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Examples:
    """Some documents.

    Attributes:
        keys: uint64[documents], hashes of their texts.
        offsets: int64[documents + 1], where each document begins and ends in `terms`.
        terms: uint32; for each bucket of a document, ascending, 256 times the bucket plus how often
            the document has it, at most 255.
    """

    keys: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    terms: npt.NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def joined(cls, parts: Sequence[Examples]) -> Examples:
        """Return the documents of several parts in the order of their keys, equal texts once."""
        keys = np.concatenate([np.zeros(0, np.uint64), *(part.keys for part in parts)])
        lists = [part.terms[a:b] for part in parts for a, b in _ranges(part.offsets)]
        _, order = np.unique(keys, return_index=True)
        chosen = [lists[number] for number in order.tolist()]
        return cls(keys[order], _offsets_of(chosen), np.concatenate([_NO_TERMS, *chosen]))

    def without(self, others: Examples) -> Examples:
        """Return these documents, but for those whose texts others have."""
        kept = np.flatnonzero(~np.isin(self.keys, others.keys))
        ranges = _ranges(self.offsets)
        chosen = [self.terms[slice(*ranges[number])] for number in kept.tolist()]
        terms = np.concatenate([_NO_TERMS, *chosen])
        return Examples(self.keys[kept], _offsets_of(chosen), terms)

    @classmethod
    def mixed(cls, one: Examples, other: Examples) -> tuple[Examples, npt.NDArray[np.bool_]]:
        """Return the documents of both in the order of their keys, and which are of the first."""
        keys = np.concatenate([one.keys, other.keys])
        order = np.argsort(keys, kind="stable")
        lists = [part.terms[a:b] for part in (one, other) for a, b in _ranges(part.offsets)]
        chosen = [lists[number] for number in order.tolist()]
        terms = np.concatenate([_NO_TERMS, *chosen])
        return cls(keys[order], _offsets_of(chosen), terms), order < len(one)


@dataclass(frozen=True, slots=True)
class GradedExamples:
    """Some documents with grades.

    Attributes:
        examples: the documents, equal texts once.
        keys: uint64, the key of every row; equal texts each have theirs.
        grades: float64, the grade of every row.
    """

    examples: Examples
    keys: npt.NDArray[np.uint64]
    grades: npt.NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[GradedExamples]) -> GradedExamples:
        """Return the documents of several parts in the order of their keys."""
        return cls(
            Examples.joined([part.examples for part in parts]),
            np.concatenate([np.zeros(0, np.uint64), *(part.keys for part in parts)]),
            np.concatenate([np.zeros(0, np.float64), *(part.grades for part in parts)]),
        )

    def means(self) -> npt.NDArray[np.float64]:
        """Return the grade of each document, float64[documents]; the mean of those of equal texts.

        The sums are exact, so the order of the rows does not matter.
        """
        order = np.argsort(self.keys, kind="stable")
        grades = self.grades[order]
        ends = np.searchsorted(self.keys[order], self.examples.keys, side="right").tolist()
        starts = [0, *ends[:-1]]
        return np.array(
            [math.fsum(grades[a:b]) / (b - a) for a, b in zip(starts, ends, strict=True)],
            dtype=np.float64,
        )


_NO_TERMS = np.zeros(0, dtype=np.uint32)
NO_EXAMPLES = Examples(np.zeros(0, np.uint64), np.zeros(1, np.int64), _NO_TERMS)


def sample_bound(documents: int, ngrams: int) -> int:
    """Return the bound of the keys of a sample of a corpus with so many documents and n-grams."""
    share = min(1.0, MOST_DOCUMENTS / max(1, documents), MOST_NGRAMS / max(1, ngrams))
    return min(_KEYS, int(share * _KEYS))


def examples_in(
    texts: pa.Array, features: HashedNgrams, bound: int, *, threads: int = 1
) -> Examples:
    """Return the texts of a batch whose keys are below a bound and that have n-grams.

    Args:
        texts: texts as they were read.
        features: the n-grams.
        bound: 0 to 2^64, as `sample_bound` returns it.
        threads: how many threads to use; the result does not depend on it.
    """
    return _examples_in(texts, features, bound, threads)[1]


def graded_in(
    texts: pa.Array,
    grades: npt.NDArray[np.float64],
    features: HashedNgrams,
    bound: int,
    *,
    threads: int = 1,
) -> GradedExamples:
    """Return the same with grades, float64[rows]."""
    positions, found = _examples_in(texts, features, bound, threads)
    return GradedExamples(found, found.keys, grades[positions])


def _examples_in(
    texts: pa.Array, features: HashedNgrams, bound: int, threads: int
) -> tuple[npt.NDArray[np.int64], Examples]:
    """Return the positions of the examples of a batch, and the examples."""
    keys = _keys_of(_core.content_hashes(for_core(texts), threads=threads))
    chosen = np.ones(len(keys), bool) if bound >= _KEYS else keys < np.uint64(bound)
    positions = np.flatnonzero(chosen)
    if not len(positions):
        return positions, NO_EXAMPLES
    offsets, terms = _core.term_lists(
        features.prepared(texts), features.spec, positions, most=LONGEST, threads=threads
    )
    filled = np.diff(offsets) > 0
    positions = positions[filled]
    return positions, Examples(keys[positions], np.unique(offsets), terms)


def _keys_of(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return hashes whose upper bits depend on all bits of the hash of a text."""
    mixed = (hashes ^ (hashes >> np.uint64(32))) * _MULTIPLIER
    keys: npt.NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(29))
    return keys


def _ranges(offsets: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    return list(itertools.pairwise(offsets.tolist()))


def _offsets_of(lists: Sequence[npt.NDArray[np.uint32]]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum([len(one) for one in lists], dtype=np.int64)]).astype(
        np.int64
    )
