"""ImportanceModel: how much likelier a text is under the target's n-grams than under raw's."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments import whole_number
from dsir.errors import ModelError, SettingError
from dsir.model import model_file
from dsir.model.estimator import Estimator, TextScores, TrainingCounts
from dsir.model.explanation import explain_sum
from dsir.model.features import HashedNgrams
from dsir.model.length import (
    CorpusSize,
    Length,
    check_length,
    exponent,
    mean_tokens,
    poisson_log_ratio,
)
from dsir.model.proportions import shares
from dsir.model.sentences import bytes_of
from dsir.model.targets import Proportions, TargetMode, check_target_names, check_targets, in_order


class NgramCounts(Protocol):
    """What was counted in a corpus.

    Attributes:
        counts: int64[buckets].
        documents: texts that have a token.
        tokens: in these.
    """

    counts: npt.NDArray[np.int64]
    documents: int
    tokens: int


class ImportanceModel(Estimator):
    """Bags of hashed n-grams of a raw corpus and of targets, and their log ratios.

    The log-weight of a text is made of the sum of `log_ratio` over its n-grams. Source: Xie et al.
    2023, section 3. Frozen: the arrays cannot be written to.

    Length policies:

    - `"sum"`: the sum itself, as in the reference;
    - `"mean"`: the sum divided by the number of n-grams;
    - a number alpha from 0 to 1: the sum divided by (number of n-grams)^alpha;
    - `"poisson"`: the sum plus the log ratio of the likelihoods of the text's number of tokens,
      a Poisson variable with the mean of the target on one side and that of raw on the other.

    Several targets:

    - `targets="pooled"`: their n-grams are added up to one target;
    - `targets="separate"`: a text has a log-weight for each;
    - `targets="mixture"`: one log-weight, log Σ proportion_k exp(log-weight_k).

    Args:
        features: what the buckets are.
        raw_counts: int64[buckets], n-grams of the raw corpus.
        target_counts: int64[buckets], n-grams of the target; int64[targets, buckets] with names.
        target_names: of the targets; empty for one without a name.
        targets: what becomes of several targets.
        proportions: shares of the targets, by name or in order; None for their shares of n-grams.
        smoothing: pseudo-count added to every bucket of a target, 0 or more.
        length: the length policy.
        raw_size: documents and tokens behind `raw_counts`; needed for `length="poisson"`.
        target_sizes: the same, one a target.

    Raises:
        ModelError: raw or a target has no n-grams: there is no model to be made from nothing.
        SettingError: an argument is out of range.
    """

    kind: ClassVar[str] = model_file.RATIO

    def __init__(
        self,
        features: HashedNgrams,
        raw_counts: npt.NDArray[np.int64],
        target_counts: npt.NDArray[np.int64],
        *,
        target_names: Sequence[str] = (),
        targets: TargetMode = "pooled",
        proportions: Proportions = None,
        smoothing: float = 0.0,
        length: Length = "sum",
        raw_size: CorpusSize | None = None,
        target_sizes: Sequence[CorpusSize] | None = None,
    ) -> None:
        check_smoothing(smoothing)
        if target_names:
            check_target_names(target_names)
        check_targets(targets, target_names)
        self._features = features
        self._target_names = tuple(target_names)
        self._targets: TargetMode = targets
        self._raw_counts = _frozen_counts("raw", raw_counts, (features.buckets,))
        shape = (len(target_names), features.buckets) if target_names else (features.buckets,)
        self._target_counts = _frozen_counts("target", target_counts, shape, target_names)
        self._smoothing = float(smoothing)
        self._length: Length = check_length(length)
        self._raw_size = raw_size
        self._target_sizes = None if target_sizes is None else tuple(target_sizes)
        if target_sizes is not None and len(target_sizes) != max(1, len(target_names)):
            raise SettingError(f"target_sizes: {len(target_sizes)}, which is not one a target")
        # As asked for, and not as they are added up to 1: that is not done twice.
        self._asked = in_order(proportions, target_names, targets)
        self._proportions = None if targets == "pooled" else self._shares()
        self._weighing = self._make_weighing()
        columns = self._counts_by_column()
        ratios = [_core.log_ratio(c, self._raw_counts, self._smoothing) for c in columns]
        self._log_ratio = np.stack(ratios)
        self._log_ratio.setflags(write=False)

    @classmethod
    def from_counts(
        cls,
        features: HashedNgrams,
        raw: NgramCounts,
        target: Sequence[NgramCounts],
        *,
        target_names: Sequence[str] = (),
        targets: TargetMode = "pooled",
        proportions: Proportions = None,
        smoothing: float = 0.0,
        length: Length = "sum",
    ) -> ImportanceModel:
        """Return the model of what was counted in the raw corpus and in each target.

        Args:
            features: what the buckets are.
            raw: of the raw corpus.
            target: of each target, in the order of the names; of one if there are no names.
            target_names: see `ImportanceModel`, as for the others.
            targets: what becomes of several targets.
            proportions: shares of the targets.
            smoothing: pseudo-count added to every bucket of a target.
            length: the length policy.

        Raises:
            ModelError: raw or a target has no n-grams.
            SettingError: an argument is out of range.
        """
        counts = [one.counts for one in target]
        return cls(
            features,
            raw.counts,
            np.stack(counts) if target_names else counts[0],
            target_names=target_names,
            targets=targets,
            proportions=proportions,
            smoothing=smoothing,
            length=length,
            raw_size=CorpusSize(raw.documents, raw.tokens),
            target_sizes=[CorpusSize(one.documents, one.tokens) for one in target],
        )

    @property
    def features(self) -> HashedNgrams:
        """What the buckets are."""
        return self._features

    @property
    def raw_counts(self) -> npt.NDArray[np.int64]:
        """int64[buckets]: n-grams of the raw corpus (of the part that was counted)."""
        return self._raw_counts

    @property
    def target_counts(self) -> npt.NDArray[np.int64]:
        """n-grams of the target, int64[buckets]; with names int64[targets, buckets]."""
        return self._target_counts

    @property
    def target_names(self) -> tuple[str, ...]:
        """Names of the targets; empty for one without a name."""
        return self._target_names

    @property
    def targets(self) -> TargetMode:
        """What becomes of several targets."""
        return self._targets

    @property
    def proportions(self) -> npt.NDArray[np.float64] | None:
        """float64[targets], adding up to 1: shares of separate or mixed targets; None if pooled."""
        return self._proportions

    @property
    def smoothing(self) -> float:
        """Pseudo-count added to every bucket of a target."""
        return self._smoothing

    @property
    def length(self) -> Length:
        """The length policy."""
        return self._length

    @property
    def log_ratio(self) -> npt.NDArray[np.float64]:
        """Log p_target - log p_raw, 1e-8 added to both probabilities.

        float64[buckets]; with separate or mixed targets float64[targets, buckets].
        """
        return self._log_ratio[0] if self._targets == "pooled" else self._log_ratio

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the targets if they are separate; else empty."""
        return self._target_names if self._targets == "separate" else ()

    @property
    def column_shares(self) -> list[float]:
        """The proportions of separate targets; else the whole."""
        if self._targets != "separate" or self._proportions is None:
            return [1.0]
        shares: list[float] = self._proportions.tolist()
        return shares

    @property
    def training_counts(self) -> TrainingCounts:
        """The n-grams of raw and of every target."""
        return TrainingCounts(self._raw_counts, self.counts_by_target(), self._target_names)

    @functools.cached_property
    def table(self) -> _core.LogRatioTable:
        """The log ratios in the fixed point that the core adds up in."""
        return _core.LogRatioTable(self._log_ratio)

    @property
    def weighing(self) -> _core.Weighing:
        """How the core makes log-weights of the sums."""
        return self._weighing

    def score_batch(self, texts: pa.Array, *, threads: int = 1) -> TextScores:
        """Compute the log-weights of texts; see `Estimator.score_batch`."""
        prepared = self._features.prepared(texts)
        log_weight, tokens, text_bytes, status = _core.score(
            prepared, self._features.spec, self.table, self._weighing, threads=threads
        )
        if prepared is not texts:
            text_bytes = bytes_of(texts)
        return TextScores(log_weight, tokens, text_bytes, status, prepared)

    def explain(self, text: str, *, target: str | None = None) -> pa.Table:
        """Show what a text's log-weight is made of.

        Args:
            text: one text.
            target: which one, where there are several that are not pooled. Of a mixture, it is the
                log-weight under this target alone that is explained.

        Returns:
            A table with a row per distinct n-gram: `ngram` string, `bucket` int64, `count` int64
            (times in the text), `contribution` float64 (its part of the log-weight), the greatest
            magnitude first. With `length="poisson"` a row without n-gram and bucket is what the
            number of tokens (`count`) contributes. The contributions add up to the log-weight.

        Raises:
            RowError: the text has lone surrogates.
            SettingError: the target is not named where it has to be, or there is none of that name.
        """
        column = self._column_of(target)
        ngrams = self._features.ngrams(text)
        share = max(1, len(ngrams)) ** -exponent(self._length)
        length_term = None
        if self._length == "poisson" and ngrams:
            tokens = len(self._features.tokens(text))
            target_mean, raw_mean = self._mean_tokens()[column]
            length_term = (tokens, poisson_log_ratio(tokens, target_mean, raw_mean))
        return explain_sum(ngrams, self._log_ratio[column], share, length_term)

    def describe(self) -> dict[str, Any]:
        """Return what log-weights depend on beside the counts, as JSON values."""
        return {
            "features": self._features.describe(),
            "targets": self._targets,
            "proportions": None if self._proportions is None else self._proportions.tolist(),
            "smoothing": self._smoothing,
            "length": self._length,
        }

    def content(self) -> model_file.Content:
        """Return what the model file holds."""
        settings = {
            "features": self._features.describe(),
            "smoothing": self._smoothing,
            "length": self._length,
            "targets": self._targets,
            "target_names": list(self._target_names),
            "proportions": self._asked,
            "raw_size": self._raw_size,
            "target_sizes": self._target_sizes,
        }
        counts = {"raw_counts": self._raw_counts, "target_counts": self.counts_by_target()}
        return model_file.Content(self.kind, settings, counts)

    @classmethod
    def from_content(cls, content: model_file.Content) -> ImportanceModel:
        """Return the model of a content; see `Estimator.from_content`."""
        settings = content.settings
        names = settings["target_names"]
        raw_size, sizes = settings["raw_size"], settings["target_sizes"]
        target_counts = content.arrays["target_counts"]
        return cls(
            HashedNgrams.from_json(settings["features"]),
            content.arrays["raw_counts"],
            target_counts if names else target_counts[0],
            target_names=names,
            targets=settings["targets"],
            proportions=settings["proportions"],
            smoothing=settings["smoothing"],
            length=settings["length"],
            raw_size=None if raw_size is None else _size(raw_size),
            target_sizes=None if sizes is None else [_size(size) for size in sizes],
        )

    def counts_by_target(self) -> npt.NDArray[np.int64]:
        """int64[targets, buckets]: the counts of every target, pooled or not."""
        rows: npt.NDArray[np.int64] = self._target_counts.reshape(-1, self._features.buckets)
        return rows

    def _counts_by_column(self) -> npt.NDArray[np.int64]:
        counts = self.counts_by_target()
        if self._targets != "pooled":
            return counts
        pooled: npt.NDArray[np.int64] = counts.sum(axis=0, keepdims=True)
        return pooled

    def _shares(self) -> npt.NDArray[np.float64]:
        asked = self._target_counts.sum(axis=1) if self._asked is None else self._asked
        proportions = shares("proportions", asked)
        proportions.setflags(write=False)
        return proportions

    def _make_weighing(self) -> _core.Weighing:
        poisson = self._length == "poisson"
        shares = None if self._targets != "mixture" else self._proportions
        return _core.Weighing(
            targets=1 if self._targets == "pooled" else len(self._target_names),
            alpha=exponent(self._length),
            lengths=self._mean_tokens() if poisson else (),
            shares=() if shares is None else shares.tolist(),
        )

    def _mean_tokens(self) -> list[tuple[float, float]]:
        """Tokens a document of target and raw, a pair per row of the log ratios."""
        raw_mean = mean_tokens(self._raw_size, "raw")
        sizes = list(self._target_sizes or [])
        if self._targets == "pooled" and sizes:
            sizes = [CorpusSize(sum(s.documents for s in sizes), sum(s.tokens for s in sizes))]
        if not sizes:
            mean_tokens(None, "target")
        return [(mean_tokens(size, "target"), raw_mean) for size in sizes]

    def _column_of(self, target: str | None) -> int:
        if self._targets == "pooled":
            if target is not None:
                raise SettingError(f"target={target!r}: the targets of this model are pooled")
            return 0
        if target not in self._target_names:
            known = ", ".join(self._target_names)
            raise SettingError(f"target={target!r}: name one of the model's targets: {known}")
        return self._target_names.index(target)

    def __repr__(self) -> str:
        several = f", targets={self._targets!r} of {len(self._target_names)}"
        return (
            f"ImportanceModel({self._features}, smoothing={self._smoothing}, "
            f"length={self._length!r}, raw n-grams={int(self._raw_counts.sum()):,}, "
            f"target n-grams={int(self._target_counts.sum()):,}"
            f"{several if self._target_names else ''})"
        )


def _size(pair: Any) -> CorpusSize:
    documents, tokens = pair
    return CorpusSize(whole_number("documents", documents, 0), whole_number("tokens", tokens, 0))


def check_smoothing(smoothing: float) -> None:
    """Raise SettingError unless the pseudo-count is a finite number, 0 or more."""
    if not isinstance(smoothing, int | float) or not 0 <= smoothing < float("inf"):
        raise SettingError(f"smoothing={smoothing!r}: expected a finite number, 0 or more")


def _frozen_counts(
    side: str,
    counts: npt.NDArray[np.int64],
    shape: tuple[int, ...],
    names: Sequence[str] = (),
) -> npt.NDArray[np.int64]:
    counts = np.array(counts, dtype=np.int64)  # A copy: nobody else may change it.
    if counts.shape != shape or (counts < 0).any():
        expected = " x ".join(f"{size:,}" for size in shape)
        raise ModelError(f"{side}_counts: expected {expected} counts, none negative")
    empty = np.flatnonzero(~counts.reshape(-1, shape[-1]).any(axis=1))
    if len(empty):
        name = f"{side} {names[empty[0]]}" if names else side
        raise ModelError(
            f"the {name} corpus has no n-grams, so there is no model to be made; "
            f"check that its texts are not all empty or null"
        )
    counts.setflags(write=False)
    return counts
