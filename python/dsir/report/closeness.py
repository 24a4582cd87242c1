"""How close a selection is to its target: KL reduction with its interval, and coverage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.errors import DsirError
from dsir.model.bootstrap import LEAST_REPLICATES, interval_around
from dsir.model.estimator import Estimator, TrainingCounts
from dsir.model.metrics import kl_reduction_of_counts
from dsir.report.facts import Closeness, Coverage

_REPLICATES = 100
_CONFIDENCE = 0.95
_MOST_BYTES = 1 << 28  # Of the counts of all replicates; 32 replicates of 2^20 buckets.
_NAMED = 12


def closeness(metrics: Mapping[str, Any], interval: tuple[float, float] | None) -> list[Closeness]:
    """Return the KL reductions in the accounts of a selection, the one of all targets first.

    Args:
        metrics: the accounts.
        interval: low and high end of the interval around the KL reduction; None for none.
    """
    found = []
    for name, of in {"": metrics, **(metrics.get("targets") or {})}.items():
        value = of.get("kl_reduction")
        if value is not None:
            low, high = (None, None) if interval is None or name else interval
            found.append(Closeness(name, value, low, high, of.get("random_kl_reduction")))
    return found


def replicates_for(model: Estimator) -> int:
    """Return how many times a selection is resampled for its interval; 0 for no interval.

    Args:
        model: the model. The more buckets it has, the fewer replicates fit into memory.
    """
    counts, features = model.training_counts, model.features
    if counts is None or len(counts.targets) != 1 or features.extractor is not None:
        return 0
    number = min(_REPLICATES, _MOST_BYTES // (8 * features.buckets))
    return number if number >= LEAST_REPLICATES else 0


def interval_of(
    resampled: _core.BootstrapCounts, replicates: int, counts: TrainingCounts, value: float
) -> tuple[float, float] | None:
    """Return the ends of the interval that holds 95 % of resampled selections.

    Args:
        resampled: the n-grams of the selection, resampled.
        replicates: how many times it was.
        counts: the n-grams of raw and of the one target.
        value: the KL reduction of the selection.

    Returns:
        Low and high end; None if the selection has too few documents to resample.
    """
    found = np.zeros(replicates)
    for number in range(replicates):
        replicate = resampled.replicate(number)
        if not replicate.any():
            return None
        found[number] = kl_reduction_of_counts(replicate, counts.raw, counts.targets[0])
    _, low, high = interval_around(value, found, _CONFIDENCE)
    return low, high


def coverage(
    counts: TrainingCounts, selected: npt.NDArray[np.int64], missing: Sequence[Mapping[str, int]]
) -> list[Coverage]:
    """Return how much of each target's n-grams a selection has.

    Args:
        counts: the n-grams of raw and of the targets.
        selected: int64[buckets], the n-grams of the selection.
        missing: for each target, n-grams of it that the selection lacks, with their number.
    """
    share = counts.raw / max(1, int(counts.raw.sum()))
    # A bucket stays empty with probability (1 - share)^n, which is exp(-n share) for small shares.
    there_by_chance = -np.expm1(-share * float(selected.sum()))
    found = []
    for number, target in enumerate(counts.targets):
        whole = max(1, int(target.sum()))
        named = missing[number] if number < len(missing) else {}
        ordered = sorted(named.items(), key=lambda one: (-one[1], one[0]))
        found.append(
            Coverage(
                counts.names[number] if counts.names else "",
                int(np.count_nonzero(target)),
                float(target[selected > 0].sum()) / whole,
                float((target * there_by_chance).sum()) / whole,
                float(target[counts.raw > 0].sum()) / whole,
                tuple(ordered[:_NAMED]),
            )
        )
    return found


def missing_ngrams(
    model: Estimator, texts: Iterable[str], selected: npt.NDArray[np.int64]
) -> dict[str, int]:
    """Return the n-grams of texts whose bucket a selection lacks, with how often they occur.

    Args:
        model: its features are the n-grams.
        texts: texts of a target.
        selected: int64[buckets], the n-grams of the selection.
    """
    found: dict[str, int] = {}
    for text in texts:
        try:
            ngrams = model.features.ngrams(text)
        except DsirError:
            return {}
        for ngram, bucket in ngrams:
            if not selected[bucket]:
                found[ngram] = found.get(ngram, 0) + 1
    return found
