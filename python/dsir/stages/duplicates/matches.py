"""Second step of a search for duplicates: which hashes of a range an earlier row has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.engine import Progress
from dsir.stages.duplicates.layout import Layout, ranges_of
from dsir.stages.duplicates.partition import BYTES_A_HASH, HASH, ROW, passes_for
from dsir.stages.duplicates.slices import read_slice, slices_at
from dsir.storage.place import Place


@dataclass(frozen=True, slots=True)
class RangeTask:
    """Find the duplicates in a range of the hashes.

    Attributes:
        number: the range.
        layout: how the search is cut.
        hashes: by piece, a function of its number, where the slices of its hashes are.
        size: how many hashes all ranges have, at most.
        place: where the result goes.
        most: how many hashes to hold at a time; a task with more reads its slices several times.
            None for all.
    """

    number: int
    layout: Layout
    hashes: Place
    size: int
    place: Place
    most: int | None


def match_range(task: RangeTask, progress: Progress) -> None:
    """Find the rows with a hash that an earlier row has, unless that is done.

    The result has a slice for each pass and piece: the rows in the piece, uint32 each.

    Raises:
        WorkdirError: a slice of hashes is missing or damaged.
    """
    if task.place.is_marked():
        return
    layout = task.layout
    expected = -(-task.size // layout.ranges)
    passes = passes_for(expected, task.most)
    with slices_at(task.place) as write:
        for number in range(passes):
            seen = _core.FirstSeen(0, 1, expected // passes)
            part = task.number * passes + number
            for piece in range(layout.pieces):
                hashes, rows = _slice(piece_place(task.hashes, piece), task)
                chosen = np.ones(len(hashes), dtype=np.uint8)
                if passes > 1:
                    parts = ranges_of(hashes, layout.ranges * passes)
                    chosen = (parts == part).astype(np.uint8)
                repeated = np.zeros(len(hashes), dtype=np.uint8)
                seen.add(hashes, chosen, repeated)
                write(rows[repeated.astype(bool)])
                progress(0)
            del seen  # Free its memory before the next pass makes another.
    task.place.finish({"passes": passes})


def piece_place(place: Place, piece: int) -> Place:
    """Return where the hashes of a piece are, beside those of another."""
    return place.beside(f"hashes-{piece:05d}")


def range_place(place: Place, number: int) -> Place:
    """Return where the matches of a range are, beside another result of the search."""
    return place.beside(f"matches-{number:05d}")


def _slice(place: Place, task: RangeTask) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]:
    data = read_slice(place, task.number, task.layout.ranges)
    count = len(data) // BYTES_A_HASH
    hashes = np.frombuffer(data, HASH, count).astype(np.uint64, copy=False)
    return hashes, np.frombuffer(data, ROW, count, offset=count * HASH.itemsize)
