"""Which examples are resampled: the greatest log-weights, with Gumbel noise or without.

The noise is dsir's own (a function of seed, target and place in the datasets), or, where no seed
is given, numpy's global generator in the order in which the reference draws from it.
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
    """The examples that can be drawn, the virtual shards one after the other.

    Attributes:
        weights: float64[examples, targets].
        eligible: bool[examples].
        global_rows: int64[examples], the place of each in the order of the datasets.
        name_row: says in words which example is at such a place.
    """

    weights: npt.NDArray[np.float64]
    eligible: npt.NDArray[np.bool_]
    global_rows: npt.NDArray[np.int64]
    name_row: Callable[[int], str]


def by_target(weights: npt.NDArray[np.float64], separate: bool) -> npt.NDArray[np.float64]:
    """Return weights with an axis of targets.

    Raises:
        SettingError: they have one where they should not, or lack it.
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
    """Draw for one target after the other; what one has taken the next cannot.

    Args:
        pool: from what.
        budgets: how many examples, by target.
        top_k: no noise.
        seed: of the noise; None for numpy's global generator.
        threads: how many to use; the result does not depend on it.

    Returns:
        bool[examples], in the order of the datasets.

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
                f"num_to_sample: {budget:,} examples are asked for"
                + (f" for target {target}" if len(budgets) > 1 else "")
                + f", but {left:,} of {len(eligible):,} can be taken; the others are too short, "
                "or filtered out by perexample_metadata_filter, or taken for an earlier target"
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
    can_be_taken = np.empty(len(keys), dtype=np.uint8)
    can_be_taken[pool.global_rows] = eligible

    def runs() -> Iterator[Run]:
        for first in range(0, len(keys), _SLICE):
            part = slice(first, first + _SLICE)
            yield Run(first, in_order[part], can_be_taken[part])

    threshold = find_threshold(runs, rule, budget, threads)
    rows = [run.first_row + selected_positions(run, rule, threshold) for run in runs()]
    return np.concatenate(rows)


def _refuse_nan(pool: Pool, keys: npt.NDArray[np.float64]) -> None:
    bad = np.flatnonzero(np.isnan(keys))
    if len(bad):
        where = pool.name_row(int(pool.global_rows[bad].min()))
        raise ModelError(f"{where}: its log-weight is NaN; look at the importance estimator")
