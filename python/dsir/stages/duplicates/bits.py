"""Third step of a search for duplicates: a bit for each row of a piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsir.engine import Progress
from dsir.errors import WorkdirError
from dsir.stages.duplicates.layout import Layout
from dsir.stages.duplicates.matches import range_place
from dsir.stages.duplicates.partition import ROW
from dsir.stages.duplicates.slices import read_slice
from dsir.storage.place import Place


@dataclass(frozen=True, slots=True)
class MarkTask:
    """Mark the duplicates of a piece.

    Attributes:
        number: the piece.
        layout: how the search is cut.
        place: where the bits go; the matches of the ranges are beside it.
    """

    number: int
    layout: Layout
    place: Place


def mark_piece(task: MarkTask, progress: Progress) -> None:
    """Write a bit for each row of a piece, 1 for duplicates, unless that is done.

    Raises:
        WorkdirError: the matches of a range are missing or damaged.
    """
    if task.place.is_marked():
        return
    layout = task.layout
    bits = np.zeros(layout.piece_rows, dtype=np.uint8)
    for number in range(layout.ranges):
        place = range_place(task.place, number)
        marker = place.noted()
        if marker is None:
            raise WorkdirError(f"{place.path('.json')}: has gone; start again")
        passes = marker.whole("passes")
        for part in range(passes):
            at = part * layout.pieces + task.number
            rows = np.frombuffer(read_slice(place, at, passes * layout.pieces), ROW)
            bits[rows] = 1
        progress(0)
    with task.place.file(".npy") as file:
        np.save(file, np.packbits(bits, bitorder="little"))
    task.place.finish({"duplicates": int(np.count_nonzero(bits))})
