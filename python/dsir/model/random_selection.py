"""What a random selection would reach, as a measure for the KL reduction of a selection.

The KL divergence of a target from a small selection is large whatever was selected, because the
selection leaves buckets empty. How large it is for a random selection is estimated here from counts
that are gathered anyway: no document is drawn or read. docs/algorithms.md, section 9, derives the
formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.model.metrics import FLOOR, kl_divergence

# The coins that halve a selection have noise of their own, which no draw uses.
_COINS = _core.KeySettings(seed=0, target=(1 << 32) - 1)
_MEDIAN = -float(np.log(np.log(2.0)))  # of standard Gumbel noise
# Above this mean the series of the logarithm is exact to about 1e-4, below it is summed.
_LARGE_MEAN = 50.0
_SMALL_COUNTS = 1 << 16
_LEAST_SHARE = 1e-15
_LARGEST_SHARE = 1 - 1e-6  # Above it, a part counts as the whole.


def halves(rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Divide rows into two halves by the toss of a coin for each.

    Args:
        rows: global row numbers; a row is in the same half in every run.

    Returns:
        The positions of the rows in each half, int64, ascending.
    """
    heads = _core.keys_of_rows(_COINS, np.zeros(len(rows)), rows) > _MEDIAN
    return np.flatnonzero(heads), np.flatnonzero(~heads)


def random_kl_reduction(
    selected: npt.NDArray[np.int64],
    raw: npt.NDArray[np.int64],
    target: npt.NDArray[np.int64],
    share: float,
) -> float:
    """Estimate the KL reduction of a random selection with as many n-grams.

    Args:
        selected: int64[2, buckets], the n-grams of the two halves of the selection.
        raw: int64[buckets], n-grams of raw, or of a part of raw.
        target: int64[buckets], n-grams of the target.
        share: share of raw that is selected, above 0 and at most 1.

    Raises:
        ModelError: one of the three has no n-grams.
    """
    ngrams = float(selected.sum())
    # The counts may come from a part of raw, which then stands for all of it.
    every = max(float(raw.sum()), ngrams / max(share, _LEAST_SHARE))
    pool = _Pool.of(raw, lambda counts: counts / raw.sum() * every)
    whole = kl_divergence(target, raw)
    left_out = _expected_kl(target, pool, ngrams / pool.ngrams) - whole
    return -left_out * _clustering(selected)


class _Pool(NamedTuple):
    """How many n-grams of each bucket there are.

    Attributes:
        sizes: float64, the different numbers, ascending.
        bucket: int64[buckets], the position of each bucket's number in `sizes`.
        ngrams: all of them.
    """

    sizes: npt.NDArray[np.float64]
    bucket: npt.NDArray[np.int64]
    ngrams: float

    @classmethod
    def of(
        cls,
        counts: npt.NDArray[np.int64],
        numbers: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float64]],
    ) -> _Pool:
        """Return the pool in which the n-grams of a bucket are a function of its count.

        Args:
            counts: int64[buckets].
            numbers: returns the numbers for counts of any shape; larger ones for larger counts.
        """
        different, bucket = _distinct(counts)
        return cls(numbers(different), bucket, float(numbers(counts).sum()))


def _distinct(
    counts: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return what `np.unique(counts, return_inverse=True)` returns, without sorting small counts.

    Nearly all counts are small, and a million of them would be sorted for a tenth of a second.
    """
    capped = np.minimum(counts, _SMALL_COUNTS)
    present = np.zeros(_SMALL_COUNTS + 1, dtype=bool)
    present[capped] = True
    small = np.flatnonzero(present[:-1])
    inverse = (np.cumsum(present) - 1)[capped]
    others = np.flatnonzero(capped == _SMALL_COUNTS)
    large, position = np.unique(counts[others], return_inverse=True)
    inverse[others] = len(small) + position
    return np.concatenate([small, large]), inverse


def _clustering(selected: npt.NDArray[np.int64]) -> float:
    """Return how much more a half of the documents leaves out than as many single n-grams do.

    Documents repeat their n-grams, and so leave more buckets empty. At least 1.
    """
    whole = selected.sum(axis=0)
    if not selected.any(axis=1).all():
        return 1.0
    documents = sum(kl_divergence(whole, half) for half in selected)
    pool = _Pool.of(whole, lambda counts: counts.astype(np.float64))
    ngrams = sum(_expected_kl(whole, pool, float(half.sum() / whole.sum())) for half in selected)
    return max(1.0, documents / ngrams) if ngrams > 0 else 1.0


def _expected_kl(target: npt.NDArray[np.int64], pool: _Pool, share: float) -> float:
    """Return the mean of KL(target‖part) over parts of a pool of n-grams.

    Each n-gram of the pool is in the part with the same probability, independently of the others.

    Args:
        target: int64[buckets].
        pool: how many n-grams of each bucket there are.
        share: the probability, above 0 and at most 1.
    """
    p = target / target.sum() + FLOOR
    # Most buckets are not of the target, and have the same logarithm.
    logs_of_target = np.log(p, out=np.full(len(p), np.log(FLOOR)), where=target > 0)
    # Buckets with the same number of n-grams have the same expectation.
    logs = _expected_logs(pool.sizes, share, share * pool.ngrams)
    return float(np.sum(p * (logs_of_target - logs[pool.bucket])))


def _expected_logs(
    sizes: npt.NDArray[np.float64], share: float, total: float
) -> npt.NDArray[np.float64]:
    """Return the mean of log(C / total + FLOOR) for C ~ Binomial(size, share), for ascending sizes.

    Sizes may lie between whole numbers; the probabilities then do as well.
    """
    if share >= _LARGEST_SHARE:
        return np.log(sizes / total + FLOOR)
    mean = sizes * share
    few = int(np.searchsorted(mean, _LARGE_MEAN, side="right"))
    logs = np.empty(len(sizes))
    many, rest = mean[few:], 1 - share
    # The moments of C / mean - 1, in the series of log(1 + x).
    second = rest / many
    third = rest * (rest - share) / many**2
    fourth = 3 * second**2 + rest * (1 - 6 * share * rest) / many**3
    logs[few:] = np.log(many / total + FLOOR) - second / 2 + third / 3 - fourth / 4
    logs[:few] = _summed_logs(sizes[:few], mean[:few], share, total)
    return logs


def _summed_logs(
    sizes: npt.NDArray[np.float64], mean: npt.NDArray[np.float64], share: float, total: float
) -> npt.NDArray[np.float64]:
    """Sum log(c / total + FLOOR) over the probabilities of c, up to where they are negligible."""
    last = mean + 12 * np.sqrt(mean) + 20
    probability = (1 - share) ** sizes
    mass = probability.copy()
    sums = probability * np.log(FLOOR)
    odds = share / (1 - share)
    for count in range(1, int(last[-1]) + 1 if len(last) else 0):
        first = int(np.searchsorted(last, count))
        probability[:first] = 0.0
        ways = np.maximum(sizes[first:] - (count - 1), 0.0)
        probability[first:] *= ways / count * odds
        mass[first:] += probability[first:]
        sums[first:] += probability[first:] * np.log(count / total + FLOOR)
    found: npt.NDArray[np.float64] = sums / mass
    return found
