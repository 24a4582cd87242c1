"""The best cover within a budget, by branch and bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# An open branch: the rows taken, the weights not yet covered, the value, what is left of the limit,
# which rows may still be taken, and what the value may still become.
_Branch = tuple[list[int], npt.NDArray[np.float64], float, int, npt.NDArray[np.int64], float]


@dataclass(frozen=True, slots=True)
class Cover:
    """A set of rows, and how good any set can be.

    Attributes:
        rows: the rows, in the order in which the search took them.
        value: the weights of the columns that the rows cover.
        bound: no set within the budget covers more than this. Equal to `value` if the search ended.
    """

    rows: list[int]
    value: float
    bound: float


def best_cover(
    covers: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.float64],
    lengths: npt.NDArray[np.int64],
    limit: int,
    *,
    start: list[int],
    most_nodes: int,
) -> Cover:
    """Return rows whose lengths fit into a limit and which cover the most weight.

    Depth first: the row with the most gain for its length is taken or left out. A branch ends when
    even the gains of its rows, taken by that ratio and the last one in part, could not improve on
    the best set. That is a bound because gains only shrink as rows are taken (the fractional
    knapsack of Dantzig 1957). The order of the search depends on the arguments alone.

    Args:
        covers: bool[rows, columns]: which columns each row covers.
        weights: float64[columns], 0 or more.
        lengths: int64[rows], 1 or more.
        limit: what the lengths may add up to.
        start: a set to improve on, within the limit.
        most_nodes: the search gives up after so many branches.
    """
    matrix = covers.astype(np.float64)
    best = list(start)
    value = float(weights[covers[start].any(axis=0)].sum()) if start else 0.0
    everything = np.flatnonzero(lengths <= limit)
    stack: list[_Branch] = [
        ([], weights.astype(np.float64), 0.0, limit, everything, float(weights.sum()))
    ]
    nodes = 0
    while stack:
        if nodes == most_nodes:
            return Cover(best, value, max(value, max(branch[-1] for branch in stack)))
        nodes += 1
        taken, uncovered, worth, left, rows, _ = stack.pop()
        rows = rows[lengths[rows] <= left]
        gains = matrix[rows] @ uncovered
        useful = gains > 0
        rows, gains = rows[useful], gains[useful]
        if not len(rows):
            continue
        ratios = gains / lengths[rows]
        order = np.argsort(-ratios, kind="stable")
        bound = worth + _fractional(gains[order], lengths[rows[order]], left)
        # Sums in another order may differ in their last bits.
        if bound <= value * (1 + 1e-12):
            continue
        first = int(rows[order[0]])
        others = rows[order[1:]]
        stack.append((taken, uncovered, worth, left, others, bound))
        more = worth + float(gains[order[0]])
        with_first = [*taken, first]
        if more > value:
            best, value = with_first, more
        remaining = np.where(covers[first], 0.0, uncovered)
        stack.append((with_first, remaining, more, left - int(lengths[first]), others, bound))
    return Cover(best, value, value)


def _fractional(gains: npt.NDArray[np.float64], lengths: npt.NDArray[np.int64], left: int) -> float:
    """Return the most that the gains, sorted by gain per length, can add up to."""
    ends = np.cumsum(lengths)
    whole = int(np.searchsorted(ends, left, side="right"))
    total = float(gains[:whole].sum())
    if whole < len(gains):
        spent = int(ends[whole - 1]) if whole else 0
        total += float(gains[whole]) * (left - spent) / int(lengths[whole])
    return total
