"""Greedy maximization of a submodular function under a budget."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np
import numpy.typing as npt


def lazy_greedy(
    first_gains: npt.NDArray[np.float64],
    gain: Callable[[int], float],
    take: Callable[[int], None],
    lengths: npt.NDArray[np.int64],
    limit: int,
    power: float,
) -> list[int]:
    """Choose again and again the element with the most gain for its length.

    Gains of a submodular function only shrink as elements are taken. So an old gain is a bound, and
    most elements need not be looked at again (Minoux 1978). The result is that of plain greedy:
    among equals the smaller number comes first, and an element that does not fit is passed over.

    Args:
        first_gains: float64[elements]: the gain of each element when none is taken; elements with
            0 or less are never taken.
        gain: returns the gain of an element on top of those taken.
        take: takes an element.
        lengths: int64[elements], 1 or more.
        limit: what the lengths of all taken elements may add up to.
        power: gains are divided by the length to this power; 0 takes gains as they are.

    Returns:
        The elements in the order in which they were taken.
    """
    scale = lengths.astype(np.float64) ** power
    heap = [
        (-first_gains[k] / scale[k], k, 0)
        for k in np.flatnonzero((first_gains > 0) & (lengths <= limit)).tolist()
    ]
    heapq.heapify(heap)
    taken: list[int] = []
    left = limit
    while heap and left > 0:
        bound, element, known_at = heapq.heappop(heap)
        if lengths[element] > left:
            continue
        if known_at == len(taken):
            if bound >= 0:
                break
            take(element)
            taken.append(element)
            left -= int(lengths[element])
        else:
            heapq.heappush(heap, (-gain(element) / scale[element], element, len(taken)))
    return taken
