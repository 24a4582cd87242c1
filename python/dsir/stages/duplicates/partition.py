"""First step of a search for duplicates: the hashes of a piece of the corpus, by range."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir.engine import Progress
from dsir.errors import WorkdirError
from dsir.settings.draw import DrawSettings
from dsir.stages.comparable import comparable_rows
from dsir.stages.duplicates.layout import Layout, hashes_a_row, ranges_of
from dsir.stages.duplicates.slices import slices_at
from dsir.stages.eligible import could_be_selected
from dsir.stages.pieces import Piece
from dsir.storage.place import Place

HASH, ROW = np.dtype("<u8"), np.dtype("<u4")
BYTES_A_HASH = HASH.itemsize + ROW.itemsize


@dataclass(frozen=True, slots=True)
class PartitionTask:
    """Write the hashes of a piece, a slice for each range.

    Attributes:
        scores: the piece.
        settings: decide which rows could be selected; others are not compared.
        layout: how the search is cut.
        place: where the slices go.
        most: how many hashes to hold at a time; a task with more reads its piece several times.
            None for all.
        checks: read the scores against the checksums in their markers, which nobody has done yet.
    """

    scores: Piece
    settings: DrawSettings
    layout: Layout
    place: Place
    most: int | None
    checks: bool


def partition_piece(task: PartitionTask, progress: Progress) -> None:
    """Write the hashes of a piece by range, unless that is done.

    A slice is the hashes, uint64 each, and then the row in the piece of each, uint32; in the order
    of the rows.

    Raises:
        WorkdirError: the scores are missing or damaged.
    """
    if task.place.is_marked():
        return
    if task.checks:
        for place in task.scores.places():
            if place.finished() is None:
                raise WorkdirError(f"{place.path('.json')}: has gone; start again")
            progress(0)
    ranges = task.layout.ranges
    passes = passes_for(task.scores.rows * hashes_a_row(task.settings.dedup), task.most)
    bounds = np.linspace(0, ranges, min(passes, ranges) + 1).astype(int).tolist()
    hashed = 0
    with slices_at(task.place) as write:
        for first, stop in itertools.pairwise(bounds):
            hashes, rows, numbers = _hashes_in(task, first, stop, progress)
            order = np.argsort(numbers, kind="stable")
            ends = np.cumsum(np.bincount(numbers, minlength=stop - first))
            hashes, rows = hashes[order], rows[order]
            for start, end in itertools.pairwise([0, *ends.tolist()]):
                write(hashes[start:end], rows[start:end])
            hashed += len(hashes)
            progress(0)
    task.place.finish({"hashes": hashed})


def passes_for(hashes: int, most: int | None) -> int:
    """Return how many passes look at so many hashes, with so many in memory at a time."""
    return 1 if most is None else max(1, -(-hashes // most))


def _hashes_in(
    task: PartitionTask, first: int, stop: int, progress: Progress
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32], npt.NDArray[np.uint16]]:
    """Return the hashes of some ranges, their rows in the piece, and their ranges from `first`."""
    near, ranges = task.settings.dedup == "near", task.layout.ranges
    hashes_found, rows_found = [np.zeros(0, HASH)], [np.zeros(0, ROW)]
    numbers_found = [np.zeros(0, np.uint16)]
    at = 0
    tables = itertools.chain.from_iterable(
        comparable_rows(unit, near=near, start=start, stop=stop)
        for unit, start, stop in task.scores.ranges()
    )
    for table in tables:
        could = np.flatnonzero(could_be_selected(table, task.settings))
        for keys in table.keys:
            hashes, rows = keys[could], could
            numbers = ranges_of(hashes, ranges)
            if stop - first < ranges:
                chosen = (numbers >= first) & (numbers < stop)
                hashes, rows, numbers = hashes[chosen], rows[chosen], numbers[chosen]
            hashes_found.append(hashes)
            rows_found.append((rows + at).astype(ROW))
            numbers_found.append((numbers - np.uint64(first)).astype(np.uint16))
        at += table.rows
        progress(0)
    joined = np.concatenate(hashes_found), np.concatenate(rows_found)
    return *joined, np.concatenate(numbers_found)
