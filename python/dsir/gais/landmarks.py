"""Gives coordinates to rows of which only distances are known, by landmark MDS.

Source: de Silva & Tenenbaum 2004, "Sparse multidimensional scaling using landmark points"; with
shortest paths in a neighbour graph as distances this is L-Isomap (de Silva & Tenenbaum 2003).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from dsir import _core

Floats = npt.NDArray[np.float32]
# The most landmarks, and directions: as many columns as most tables have.
LANDMARKS = 128
DIRECTIONS = 64
# A row to which no path leads is farther away than all others by this factor.
_BEYOND = 1.5


def landmark_rows(away: Callable[[int], Floats], rows: int, *, seed: int, threads: int) -> Floats:
    """Return coordinates whose Euclidean distances are near to given distances.

    The first landmark is drawn at random, and each further one is the row farthest from those
    before, until there are LANDMARKS or every row is a landmark's equal.

    Args:
        away: the distances from a row to all rows: float32[rows]; infinite for unreachable rows.
        rows: how many rows there are, 1 or more.
        seed: seed of the first landmark.
        threads: how many threads to use; the result does not depend on them.

    Returns:
        float32[rows, directions], at most DIRECTIONS of them.
    """
    random = np.random.Generator(np.random.Philox(seed))
    row = int(random.integers(rows))
    landmarks: list[int] = []
    found: list[Floats] = []
    nearest = np.full(rows, np.inf, np.float32)
    while len(landmarks) < min(LANDMARKS, rows):
        landmarks.append(row)
        found.append(away(row))
        nearest = np.minimum(nearest, found[-1])
        row = int(np.argmax(nearest))
        if nearest[row] <= 0:
            break
    lengths = np.stack(found)
    reached = np.isfinite(lengths)
    if not reached.all():
        lengths[~reached] = np.float32(_BEYOND) * lengths[reached].max()
    # Scaled, so that squares neither overflow nor vanish.
    largest = lengths.max()
    squared = np.square(lengths / largest if largest > 0 else lengths)
    return _core.landmark_coordinates(
        squared, np.array(landmarks, np.int32), most=DIRECTIONS, threads=threads
    )
