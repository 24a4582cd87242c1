"""Trains small classifiers on selected rows, and measures what they make of other rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dsir import _core

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]
Metric = Literal["accuracy", "balanced_accuracy", "f1_macro", "log_loss"]

JUDGES = ("1-NN", "forest", "linear")
_TREES = 32
_LINEAR_STEPS = 60


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the judges made of the rows asked, after training on each candidate.

    Attributes:
        tallies: int64[candidates, judges, classes, 3]: how many rows of the class were asked, how
            many the judge gave to the class, and how many of these rightly.
        log_loss: float64[candidates, judges], the mean of -log(probability of the row's label).
    """

    tallies: npt.NDArray[np.int64]
    log_loss: npt.NDArray[np.float64]

    def measured(self, metric: Metric) -> npt.NDArray[np.float64]:
        """Return a metric: float64[candidates, judges]; "log_loss" is negative, 0 the best.

        Definitions are those of scikit-learn. A judge that was asked nothing gets the best value.
        """
        if metric == "log_loss":
            return -self.log_loss
        own, given, right = np.moveaxis(self.tallies, 3, 0)
        if metric == "accuracy":
            total = own.sum(axis=2)
            return np.where(total > 0, right.sum(axis=2) / np.maximum(total, 1), 1.0)
        if metric == "balanced_accuracy":
            return _mean(right / np.maximum(own, 1), own > 0)
        return _mean(2 * right / np.maximum(own + given, 1), own + given > 0)


def _mean(values: npt.NDArray[np.float64], counted: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """Return the mean over the classes that count, 1 if there are none: [candidates, judges]."""
    number = counted.sum(axis=2)
    total = np.where(counted, values, 0.0).sum(axis=2)
    return np.where(number > 0, total / np.maximum(number, 1), 1.0)


def judge(
    rows: Floats,
    labels: Labels,
    candidates: list[Rows],
    asked: npt.NDArray[np.int32],
    *,
    seed: int,
    threads: int,
    weights: list[npt.NDArray[np.int64]] | None = None,
) -> Verdicts:
    """Train each judge on each candidate, and ask it for the labels of rows.

    Args:
        rows: [rows, features], scaled.
        labels: [rows].
        candidates: the rows that each candidate keeps.
        asked: the rows to test on; a candidate is not tested on rows that it keeps.
        seed: seed of the forest.
        threads: how many threads to use; the result does not depend on them.
        weights: for each candidate how many rows each of its rows stands for; None for one each.
    """
    tallies, log_loss = _core.judge_candidates(
        rows,
        labels,
        np.concatenate(candidates).astype(np.int32),
        np.cumsum([0, *map(len, candidates)]).astype(np.int64),
        asked,
        weights=None if weights is None else np.concatenate(weights).astype(np.int32),
        classes=int(labels.max()) + 1,
        trees=_TREES,
        steps=_LINEAR_STEPS,
        seed=seed,
        threads=threads,
    )
    return Verdicts(tallies, log_loss)
