"""Which examples are resampled: those with the greatest log-weights, with or without Gumbel noise.

With a seed, the noise is dsir's own: a function of seed, target and place in the datasets. Without
a seed, it comes from numpy's global generator, in the order in which the reference draws from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir.errors import BudgetError, ModelError, SettingError
from dsir.sampling import KeyRule, Run, find_threshold, selected_positions

_SLICE = 1 << 20


@dataclass(frozen=True, slots=True)
class Pool:
    """All examples, one virtual shard after the other.

    Attributes:
        weights: float64[examples, targets].
        eligible: bool[examples].
        global_rows: int64[examples], each example's place in the order of the datasets.
        name_row: returns the name of the example at such a place, for messages.
    """

    weights: npt.NDArray[np.float64]
    eligible: npt.NDArray[np.bool_]
    global_rows: npt.NDArray[np.int64]
    name_row: Callable[[int], str]


def by_target(weights: npt.NDArray[np.float64], separate: bool) -> npt.NDArray[np.float64]:
    """Return weights with an axis of targets.

    Raises:
        SettingError: the weights have no such axis although targets are separate, or have one
            although they are not.
    """
    if weights.size and weights.ndim != (2 if separate else 1):
        expected = "a row of weights" if separate else "a weight"
        raise SettingError(
            f"separate_targets={separate}: expected {expected} per example, "
            f"found an array of shape {weights.shape}"
        )
    return weights if weights.ndim == 2 else weights[:, np.newaxis]


def draw(
    pool: Pool, budgets: Sequence[int], *, top_k: bool, seed: int | None, threads: int
) -> npt.NDArray[np.bool_]:
    """Draw for each target in turn; an example goes to the first target that takes it.

    Args:
        pool: the examples to draw from.
        budgets: number of examples for each target.
        top_k: take the greatest log-weights, without noise.
        seed: seed of the noise; None for numpy's global generator.
        threads: number of threads to use; the result does not depend on it.

    Returns:
        bool[examples]: which examples are drawn, in the order of the datasets.

    Raises:
        BudgetError: a target asks for more examples than are left.
        ModelError: a log-weight is NaN.
    """
    eligible = pool.eligible.copy()
    chosen = np.zeros(len(eligible), dtype=bool)
    for target, budget in enumerate(budgets):
        if budget == 0:
            continue
        left = int(np.count_nonzero(eligible))
        if budget > left:
            raise BudgetError(
                f"num_to_sample: {budget:,} examples are wanted"
                + (f" for target {target}" if len(budgets) > 1 else "")
                + f", but only {left:,} of {len(eligible):,} can be selected; the others are too "
                "short, filtered out by perexample_metadata_filter, or taken by an earlier target"
            )
        keys = np.where(eligible, pool.weights[:, target], -np.inf)
        _refuse_nan(pool, keys)
        if not top_k and seed is None:
            keys[eligible] += np.random.gumbel(size=left)  # noqa: NPY002 (as the reference)
        noise = not top_k and seed is not None
        rule = KeyRule(seed or 0, "resample" if noise else "top-k", target=target)
        chosen[_greatest(pool, keys, eligible, rule, budget, threads)] = True
        eligible &= ~chosen[pool.global_rows]
    return chosen


def _greatest(
    pool: Pool,
    keys: npt.NDArray[np.float64],
    eligible: npt.NDArray[np.bool_],
    rule: KeyRule,
    budget: int,
    threads: int,
) -> npt.NDArray[np.int64]:
    in_order = np.empty_like(keys)
    in_order[pool.global_rows] = keys
    eligible_in_order = np.empty(len(keys), dtype=np.uint8)
    eligible_in_order[pool.global_rows] = eligible

    def runs() -> Iterator[Run]:
        for first in range(0, len(keys), _SLICE):
            span = slice(first, first + _SLICE)
            yield Run(first, in_order[span], eligible_in_order[span])

    threshold = find_threshold(runs, rule, budget, threads)
    rows = [run.first_row + selected_positions(run, rule, threshold) for run in runs()]
    return np.concatenate(rows)


def _refuse_nan(pool: Pool, keys: npt.NDArray[np.float64]) -> None:
    bad = np.flatnonzero(np.isnan(keys))
    if len(bad):
        where = pool.name_row(int(pool.global_rows[bad].min()))
        raise ModelError(f"{where}: its log-weight is NaN; check the importance estimator")
