"""The distance that adds up the differences of all columns (Manhattan, L1)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dsir.gais.neighbours import Edges, nearest_columns
from dsir.gais.parts import Parts

Floats = npt.NDArray[np.float32]


def manhattan_distances(some: Floats, others: Floats) -> Floats:
    """Return the distances of all pairs: [some, others].

    Columns are added one after the other, so that the sums have the same bits everywhere.
    """
    total = np.zeros((len(some), len(others)), np.float32)
    for column in range(some.shape[1]):
        total += np.abs(some[:, column, None] - others[None, :, column])
    return total


def manhattan_neighbours(rows: Floats, parts: Parts, k: int) -> Edges:
    """Return edges from each row to its k nearest other rows in its part.

    Args:
        rows: [rows, columns].
        parts: the rows that are compared with each other.
        k: how many neighbours; all of the part if it has fewer. Of equally near rows the earlier
            comes first.
    """
    counts = np.zeros(len(rows), np.int64)
    found = []
    step = 512
    for number in range(len(parts)):
        part = np.sort(parts[number]).astype(np.int64)
        least = min(k, len(part) - 1)
        counts[part] = least
        for begin in range(0, len(part), step):
            own = np.arange(begin, min(len(part), begin + step))
            away = manhattan_distances(rows[part[own]], rows[part])
            found.append((part[own], part[nearest_columns(away, own, least)]))
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    ends = np.zeros(offsets[-1], np.int32)
    for own, near in found:
        ends[offsets[own][:, None] + np.arange(near.shape[1])] = near
    return Edges(offsets, ends)
