"""How good a selection is: KL reduction, effective sample size."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from dsir.errors import ModelError
from dsir.features import HashedNgrams

_FLOOR = 1e-8  # What the importance model adds to probabilities, too.


def kl_divergence(p_counts: npt.NDArray[np.int64], q_counts: npt.NDArray[np.int64]) -> float:
    """KL(p‖q) of two bags of n-grams, in nats, 1e-8 added to every probability.

    Raises:
        ModelError: one of the two has no n-grams.
    """
    if not p_counts.any() or not q_counts.any():
        raise ModelError("the KL divergence of a corpus without n-grams is not defined")
    p = p_counts / p_counts.sum() + _FLOOR
    q = q_counts / q_counts.sum() + _FLOOR
    return float(np.sum(p * np.log(p / q)))


def kl_reduction_of_counts(
    selected: npt.NDArray[np.int64],
    raw: npt.NDArray[np.int64],
    target: npt.NDArray[np.int64],
) -> float:
    """KL(target‖raw) - KL(target‖selected) of n-gram counts; see `kl_reduction`."""
    return kl_divergence(target, raw) - kl_divergence(target, selected)


def kl_reduction(
    selected: object,
    raw: object,
    target: object,
    *,
    features: HashedNgrams | None = None,
    text: str = "text",
) -> float:
    """How much closer to the target the selection is than the raw corpus, in nats.

    The paper's measure of a selection, which follows accuracy downstream (r = 0.82 to 0.89): with
    the hashed n-gram distributions, KL(target‖raw) - KL(target‖selected). A random selection is
    near 0; higher is better. Source: Xie et al. 2023, section 5.

    Args:
        selected: paths, tables, or lists of str; whatever `select` takes.
        raw: the same kinds: what was selected from.
        target: the same kinds: what was wanted.
        features: the n-grams; the default ones where None.
        text: the text column.

    Raises:
        InputError: something cannot be read.
        ModelError: one of the three has no n-grams.
    """
    features = features or HashedNgrams()
    counts = [features.counts(source, text=text) for source in (selected, raw, target)]
    return kl_reduction_of_counts(*counts)


class EffectiveSampleSize:
    """(Σw)² / Σw² of weights given by their logarithms, chunk by chunk.

    Between 1 and the number of documents: so many equal weights would vary a weighted mean as much.
    Exact to rounding at any magnitude: sums are kept relative to the greatest log-weight so far.
    """

    def __init__(self) -> None:
        self._greatest = -math.inf
        self._sum = 0.0
        self._sum_of_squares = 0.0

    def add(self, log_weights: npt.NDArray[np.float64]) -> None:
        """Add documents."""
        if not len(log_weights):
            return
        greatest = max(self._greatest, float(log_weights.max()))
        if math.isinf(greatest):
            return
        shrink = math.exp(self._greatest - greatest)
        weights = np.exp(log_weights - greatest)
        self._sum = self._sum * shrink + float(weights.sum())
        self._sum_of_squares = self._sum_of_squares * shrink**2 + float((weights**2).sum())
        self._greatest = greatest

    def value(self) -> float:
        """Return the effective sample size; 0 where nothing was added."""
        return self._sum**2 / self._sum_of_squares if self._sum_of_squares else 0.0


def effective_sample_size(log_weights: npt.ArrayLike) -> float:
    """(Σw)² / Σw² of weights given by their logarithms; see `EffectiveSampleSize`."""
    size = EffectiveSampleSize()
    size.add(np.asarray(log_weights, dtype=np.float64))
    return size.value()
