"""The weights of one dataset: in the core, or example by example through the user's methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.compat.dataset import Dataset
from dsir.corpus.bad_text import why_bad
from dsir.engine import Progress
from dsir.errors import SettingError
from dsir.model.features import HashedNgrams


@dataclass(frozen=True, slots=True)
class DatasetWeights:
    """The log-weights and metadata of a dataset's examples, in order.

    Attributes:
        weights: one log-weight per example; with separate targets one row per example, with an
            entry per target.
        metadata: one entry per example; None if there are no metadata.
    """

    weights: npt.NDArray[Any]
    metadata: npt.NDArray[Any] | None


Weigh = Callable[[Dataset, Progress], DatasetWeights]


@dataclass(frozen=True, slots=True)
class WeighTask:
    """Weigh one dataset."""

    dataset: Dataset
    weigh: Weigh


def weigh_dataset(task: WeighTask, progress: Progress) -> DatasetWeights:
    """Weigh a dataset.

    Raises:
        InputError: the dataset cannot be read.
    """
    return task.weigh(task.dataset, progress)


@dataclass(frozen=True, slots=True)
class WeighInCore:
    """Weighs batches of texts in the core.

    Attributes:
        features: the n-grams and their buckets.
        table: the log ratios.
        targets: number of targets in the table.
        separate: whether the weights have an axis of targets.
        threads: number of threads to use.
    """

    features: HashedNgrams
    table: _core.LogRatioTable
    targets: int
    separate: bool
    threads: int

    def __call__(self, dataset: Dataset, progress: Progress) -> DatasetWeights:
        """Weigh a dataset.

        Raises:
            InputError: the dataset cannot be read.
        """
        spec, weighing = self.features.spec, _core.Weighing(targets=self.targets)
        weights = [np.zeros((self.targets, 0))]
        lengths = [np.zeros(0)]
        for batch in dataset.texts(self.threads, progress):
            text = self.features.prepared(batch.text)
            log_weight, tokens, _, status = _core.score(
                text, spec, self.table, weighing, threads=self.threads
            )
            invalid = np.flatnonzero(status >= _core.INVALID_UTF8)
            if len(invalid):
                position = int(invalid[0])
                reason = why_bad(batch.text, position)
                raise dataset.bad_example(batch.unit_row + position, reason)
            weights.append(log_weight)
            lengths.append(lengths_of(tokens, self.features.n))
        found = np.concatenate(weights, axis=1)
        return DatasetWeights(
            np.ascontiguousarray(found.T) if self.separate else found[0], np.concatenate(lengths)
        )


@dataclass(frozen=True, slots=True)
class WeighOneByOne:
    """Weighs examples through the methods of a DSIR object.

    Attributes:
        featurizer, importance_estimator, get_perexample_metadata: the methods.
    """

    featurizer: Callable[[Any], Any]
    importance_estimator: Callable[[Any], Any]
    get_perexample_metadata: Callable[[Any, Any], Any]

    def __call__(self, dataset: Dataset, progress: Progress) -> DatasetWeights:
        """Weigh a dataset.

        Raises:
            SettingError: weights or metadata are not numbers, or differ in shape.
        """
        weights: list[Any] = []
        metadata: list[Any] | None = []
        for example, text in dataset.examples(progress):
            features = self.featurizer("" if text is None else text)
            weights.append(self.importance_estimator(features))
            if metadata is not None:
                try:
                    metadata.append(self.get_perexample_metadata(example, features))
                except NotImplementedError:
                    metadata = None
        return DatasetWeights(
            _as_array(weights, "importance_estimator"),
            None if metadata is None else _as_array(metadata, "get_perexample_metadata"),
        )


def lengths_of(tokens: npt.NDArray[np.uint32], n: int) -> npt.NDArray[np.float64]:
    """Return lengths in tokens as the reference computes them, from the number of n-grams."""
    count = tokens.astype(np.int64)
    ngrams = np.zeros(len(tokens), dtype=np.int64)
    for order in range(1, n + 1):
        ngrams += np.maximum(count - order + 1, 0)
    return ((ngrams + n * (n - 1) / 2) // n).astype(np.float64, copy=False)


def _as_array(values: list[Any], method: str) -> npt.NDArray[Any]:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise SettingError(f"{method}: its results differ in shape: {error}") from error
    if array.dtype == object:
        raise SettingError(
            f"{method}: expected numbers or arrays of one shape; the first result is "
            f"{type(values[0]).__name__}"
        )
    return array
