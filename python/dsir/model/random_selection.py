"""What a random selection would reach, as a measure for the KL reduction of a selection.

The KL divergence of a target from a small selection is large whatever was selected, because the
selection leaves buckets empty. How large it is for a random selection is estimated here from counts
that are gathered anyway: no document is drawn or read. docs/algorithms.md, section 9, derives the
formulas.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.model.metrics import FLOOR, kl_divergence

# The coins that halve a selection have noise of their own, which no draw uses.
_COINS = _core.KeySettings(seed=0, target=(1 << 32) - 1)
_MEDIAN = -float(np.log(np.log(2.0)))  # of standard Gumbel noise
# Above this mean the series of the logarithm is exact to about 1e-4, below it is summed.
_LARGE_MEAN = 50.0
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
    known = raw / raw.sum()
    ngrams = float(selected.sum())
    # The counts may come from a part of raw, which then stands for all of it.
    pool = known * max(float(raw.sum()), ngrams / max(share, _LEAST_SHARE))
    whole = kl_divergence(target, raw)
    left_out = _expected_kl(target, pool, ngrams / float(pool.sum())) - whole
    return -left_out * _clustering(selected)


def _clustering(selected: npt.NDArray[np.int64]) -> float:
    """Return how much more a half of the documents leaves out than as many single n-grams do.

    Documents repeat their n-grams, and so leave more buckets empty. At least 1.
    """
    whole = selected.sum(axis=0)
    if not selected.any(axis=1).all():
        return 1.0
    documents = sum(kl_divergence(whole, half) for half in selected)
    ngrams = sum(
        _expected_kl(whole, whole.astype(np.float64), float(half.sum() / whole.sum()))
        for half in selected
    )
    return max(1.0, documents / ngrams) if ngrams > 0 else 1.0


def _expected_kl(
    target: npt.NDArray[np.int64], pool: npt.NDArray[np.float64], share: float
) -> float:
    """Return the mean of KL(target‖part) over parts of a pool of n-grams.

    Each n-gram of the pool is in the part with the same probability, independently of the others.

    Args:
        target: int64[buckets].
        pool: float64[buckets], how many n-grams of each bucket there are.
        share: the probability, above 0 and at most 1.
    """
    p = target / target.sum() + FLOOR
    # Buckets with the same number of n-grams have the same expectation.
    sizes, bucket = np.unique(pool, return_inverse=True)
    logs = _expected_logs(sizes, share, share * float(pool.sum()))
    return float(np.sum(p * (np.log(p) - logs[bucket])))


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
