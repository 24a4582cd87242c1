"""What models over counts of hashed n-grams share: their counts, their columns, and scoring."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus.token_ids import holds_ids
from dsir.model import model_file
from dsir.model.carried_features import arrays_of
from dsir.model.estimator import Estimator, TextScores, TrainingCounts, Watch
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
    def _score(
        self, prepared: pa.Array, threads: int, watching: _core.Watching | None = None
    ) -> Scored:
        """Return log-weights, tokens, bytes and status of texts, as `_core.score` does."""

    @abc.abstractmethod
    def part(self) -> _core.ScorePart:
        """Return what scores texts in the core together with models of the same tokens."""

    @property
    def shares_tokens(self) -> bool:
        """Whether `part` gives the log-weights, and nothing else has to be done."""
        return True

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
        return _scores_of(texts, prepared, self._score(prepared, threads))

    def score_and_watch(self, texts: pa.Array, watch: Watch, *, threads: int = 1) -> TextScores:
        """Do both in one pass; see `Estimator.score_and_watch`."""
        prepared = self._features.prepared(texts)
        watching = watch.begin(len(texts))
        scores = _scores_of(texts, prepared, self._score(prepared, threads, watching))
        shared, bands = watch.made(watching)
        return scores._replace(shared=shared, bands=bands)

    def describe(self) -> dict[str, Any]:
        """Return what log-weights depend on besides the counts, as JSON values."""
        proportions = self._columns.proportions
        return {
            "estimator": self.kind,
            "features": self._features.describe(),
            "targets": self.targets,
            "proportions": None if proportions is None else proportions.tolist(),
        }

    def _content(
        self, settings: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]] | None = None
    ) -> model_file.Content:
        """Return the content of the model file.

        Args:
            settings: what this kind of model has besides its features and targets.
            arrays: what it has besides the counts.
        """
        shared = {
            "features": self._features.describe(),
            "targets": self.targets,
            "target_names": list(self.target_names),
            "proportions": self._columns.asked,
        }
        counts = {"raw_counts": self._raw_counts, "target_counts": self._columns.counts}
        return model_file.Content(
            self.kind,
            {**shared, **settings},
            {**counts, **(arrays or {}), **arrays_of(self._features)},
        )


def target_counts_of(content: model_file.Content) -> npt.NDArray[np.int64]:
    """Return the counts of the targets as models take them: without names, one row is no table.

    Raises:
        KeyError: the content has no counts or no names.
        ValueError: there is another number of counts than of targets.
    """
    names = content.settings["target_names"]
    counts = content.arrays["target_counts"]
    if counts.ndim != 2 or len(counts) != max(1, len(names)):
        raise ValueError(f"target_counts: {counts.shape} does not fit {len(names)} target names")
    return counts if names else counts[0]


def _scores_of(texts: pa.Array, prepared: pa.Array, scored: Scored) -> TextScores:
    log_weight, tokens, text_bytes, status = scored
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

    def part(self) -> _core.ScorePart:
        """See `CountedModel.part`."""
        return _core.score_part(self._features.spec, self.table, self._weighing)

    def _score(
        self, prepared: pa.Array, threads: int, watching: _core.Watching | None = None
    ) -> Scored:
        return _core.score(
            prepared,
            self._features.spec,
            self.table,
            self._weighing,
            watching=watching,
            threads=threads,
        )
