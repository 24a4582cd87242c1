"""What models over counts of hashed n-grams share: their counts, their columns, and scoring."""

from __future__ import annotations

import abc

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus.token_ids import holds_ids
from dsir.model.estimator import Estimator, TextScores, TrainingCounts
from dsir.model.features import HashedNgrams
from dsir.model.sentences import bytes_of
from dsir.model.target_columns import TargetColumns
from dsir.model.targets import TargetMode

Scored = tuple[
    npt.NDArray[np.float64], npt.NDArray[np.uint32], npt.NDArray[np.uint32], npt.NDArray[np.uint8]
]


class CountedModel(Estimator):
    """A model that was made of the n-grams of a raw corpus and of targets.

    A subclass sets the counts, `_columns` and `_weighing`, and scores prepared texts.
    """

    _features: HashedNgrams
    _raw_counts: npt.NDArray[np.int64]
    _target_counts: npt.NDArray[np.int64]
    _columns: TargetColumns
    _weighing: _core.Weighing

    @abc.abstractmethod
    def _score(self, prepared: pa.Array, threads: int) -> Scored:
        """Return log-weights, tokens, bytes and status of texts, as `_core.score` does."""

    @property
    def features(self) -> HashedNgrams:
        """The n-grams and their buckets."""
        return self._features

    @property
    def raw_counts(self) -> npt.NDArray[np.int64]:
        """int64[buckets]: n-grams of the raw corpus, as far as it was counted."""
        return self._raw_counts

    @property
    def target_counts(self) -> npt.NDArray[np.int64]:
        """int64[buckets]: n-grams of the target; with names int64[targets, buckets]."""
        return self._target_counts

    @property
    def target_names(self) -> tuple[str, ...]:
        """Names of the targets; empty for a single target without a name."""
        return self._columns.names

    @property
    def targets(self) -> TargetMode:
        """How several targets are combined."""
        return self._columns.mode

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the targets if they are separate; else empty."""
        return self._columns.column_names

    @property
    def column_shares(self) -> list[float]:
        """The proportions of separate targets; else 1 for the only column."""
        return self._columns.column_shares

    @property
    def training_counts(self) -> TrainingCounts:
        """The n-grams of raw and of every target."""
        return TrainingCounts(self._raw_counts, self._columns.counts, self.target_names)

    def score_batch(self, texts: pa.Array, *, threads: int = 1) -> TextScores:
        """Compute what each text sums to; see `Estimator.score_batch`."""
        prepared = self._features.prepared(texts)
        log_weight, tokens, text_bytes, status = self._score(prepared, threads)
        if prepared is not texts and not holds_ids(texts):
            text_bytes = bytes_of(texts)
        return TextScores(log_weight, tokens, text_bytes, status, prepared)


class SummingModel(CountedModel):
    """A model whose log-weights are sums of what each n-gram is worth."""

    @property
    @abc.abstractmethod
    def table(self) -> _core.LogRatioTable:
        """What each n-gram is worth in fixed point, which is how the core adds it up."""

    @property
    @abc.abstractmethod
    def rows(self) -> npt.NDArray[np.float64]:
        """float64[columns, buckets]: what each n-gram is worth."""

    @property
    @abc.abstractmethod
    def divisor(self) -> float | None:
        """The power of the number of n-grams that sums are divided by; None if that is not all."""

    def _score(self, prepared: pa.Array, threads: int) -> Scored:
        return _core.score(
            prepared, self._features.spec, self.table, self._weighing, threads=threads
        )
