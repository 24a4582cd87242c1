"""How many rows each kept row stands for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.gais.coverage import PART_ROWS
from dsir.gais.parts import Parts, split_rows

Counts = npt.NDArray[np.int64]


def represented_rows(
    rows: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int32],
    kept: npt.NDArray[np.int64],
    *,
    seed: int,
    threads: int,
) -> Counts:
    """Return for each kept row how many rows of its class are nearest to it, itself among them.

    The numbers of a class add up to its rows. Tables of more than PART_ROWS rows are cut into parts
    of near rows, as for the coverage; a row then looks among the kept rows of its part, or among
    all of its class if the part has none.

    Args:
        rows: [rows, features], scaled.
        labels: [rows].
        kept: the rows kept, ascending, at least one of each class.
        seed: seed of the parts.
        threads: how many threads to use; the result does not depend on them.

    Returns:
        int64[kept], each 1 or more.
    """
    if len(rows) <= PART_ROWS:
        parts = Parts.whole(len(rows))
    else:
        parts = split_rows(rows, labels, PART_ROWS, seed, threads=threads)
    is_kept = np.zeros(len(rows), bool)
    is_kept[kept] = True
    members, chosen = [], []
    for number in range(len(parts)):
        part = parts[number]
        of_part = part[np.argsort(labels[part], kind="stable")]
        starts = np.flatnonzero(np.diff(labels[of_part])) + 1
        for group in np.split(of_part, starts):
            own = np.sort(group[is_kept[group]])
            if len(own) == 0:
                own = kept[labels[kept] == labels[group[0]]].astype(np.int32)
            members.append(group)
            chosen.append(own)
    order = np.concatenate(members)
    nearest = _core.nearest_chosen(
        rows, order, _ends(members), np.concatenate(chosen), _ends(chosen), threads=threads
    )
    # Of rows that are equal, each kept one stands for itself.
    nearest = np.where(is_kept[order], order, nearest)
    return np.bincount(nearest, minlength=len(rows))[kept].astype(np.int64)


def _ends(groups: list[npt.NDArray[np.int32]]) -> Counts:
    return np.cumsum([0, *map(len, groups)]).astype(np.int64)
