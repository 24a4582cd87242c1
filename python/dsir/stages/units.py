"""Units of work: files cut into parts, so that a large one is shared by all threads.

A unit is a shard: some row groups of a Parquet file, some lines of a plain JSON Lines file, or a
whole file, where that is small or cannot be cut. The cut depends on the file alone. Stages work on
units; people are told of files, and of rows in files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dsir.corpus import Shard
from dsir.engine import Progress
from dsir.errors import InputError
from dsir.stages.skipped import Skipped

# Of the file. Large enough that what is done once for a unit (a task, two or three small files in a
# work directory) does not count, small enough that losing one in a kill does not either.
UNIT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class CutTask:
    """Cut one file into units of about so many bytes."""

    shard: Shard
    unit_bytes: int


def cut_shard(task: CutTask, progress: Progress) -> tuple[Shard, ...]:
    """Cut one file into units; one that cannot be read is left whole, for its reader to refuse."""
    shard = task.shard.surveyed()
    try:
        units = shard.parts(shard.bounds(task.unit_bytes))
    except InputError:
        units = (shard,)
    progress(1)
    return units


def unit_layout(units: Sequence[Shard]) -> dict[str, dict[str, list[int]]]:
    """Describe how files are cut, as JSON values: by the number of the file, if it is.

    Of each: `at`, where its units begin and the last ends (row groups or bytes), and `bytes`, the
    size of each.
    """
    layout: dict[str, dict[str, list[int]]] = {}
    for number, (first, stop) in enumerate(file_ranges(units)):
        parts = [unit.part for unit in units[first:stop]]
        if parts[0] is not None:
            layout[str(number)] = {
                "at": [0, *(part.stop for part in parts if part is not None)],
                "bytes": [unit.size for unit in units[first:stop]],
            }
    return layout


def units_of_layout(
    files: Sequence[Shard], layout: Mapping[str, Mapping[str, list[int]]]
) -> list[Shard]:
    """Cut files as a layout says.

    Raises:
        ShardError: a file is no longer one that can be cut so.
    """
    units: list[Shard] = []
    for number, file in enumerate(files):
        cut = layout.get(str(number))
        units += file.parts(() if cut is None else tuple(cut["at"]))
    return units


def unit_counts(
    files: Sequence[object], layout: Mapping[str, Mapping[str, list[int]]]
) -> list[int]:
    """Return how many units each file is cut into.

    Args:
        files: all of them.
        layout: of those that are cut.
    """
    return [
        len(layout[str(number)]["bytes"]) if str(number) in layout else 1
        for number in range(len(files))
    ]


def unit_sizes(
    files: Sequence[Mapping[str, Any]], layout: Mapping[str, Mapping[str, list[int]]]
) -> list[int]:
    """Return the bytes of every unit, from what a manifest says; 0 where it does not.

    Args:
        files: the identities of the files.
        layout: of their units.
    """
    sizes: list[int] = []
    for number, file in enumerate(files):
        cut = layout.get(str(number))
        sizes += [int(file.get("size", 0))] if cut is None else cut["bytes"]
    return sizes


def file_ranges(units: Sequence[Shard]) -> Iterator[tuple[int, int]]:
    """Give the numbers of the first unit of every file, and of the one behind its last."""
    first = 0
    for number in range(1, len(units) + 1):
        if number == len(units) or _begins_file(units[number]):
            yield first, number
            first = number


def placed(units: Sequence[Shard], rows: Sequence[int | None]) -> list[Shard]:
    """Tell units how many rows of their file are before them.

    Args:
        units: in order.
        rows: of the input in each; None where that is not known.

    Returns:
        The units. Behind one whose rows are not known they stay as they are, and count when asked.
    """
    found: list[Shard] = []
    before: int | None = 0
    for unit, count in zip(units, rows, strict=True):
        if _begins_file(unit):
            before = 0
        known = unit.part is not None and unit.part.rows_before is not None
        found.append(unit if known or before is None else unit.placed(before))
        before = None if before is None or count is None else before + count
    return found


def skipped_in_files(units: Sequence[Shard], skipped: Sequence[Sequence[Skipped]]) -> list[Skipped]:
    """Collect what was skipped, by rows of files.

    Args:
        units: `placed`.
        skipped: of each, by its own rows.
    """
    found: list[Skipped] = []
    for unit, entries in zip(units, skipped, strict=True):
        if not entries or unit.part is None:
            found += entries
            continue
        for entry in entries:
            if entry.row is None:
                # Several units of a file may be refused for the same reason: say it once.
                if entry not in found[-1:]:
                    found.append(entry)
                continue
            try:
                row: int | None = unit.rows_before() + entry.row
                reason = entry.reason
            except InputError:  # What is before it cannot be read, so it cannot be counted.
                row = None
                reason = f"row {entry.row} from byte {unit.part.start} on: {entry.reason}"
            found.append(Skipped(entry.path, row, reason))
    return found


def _begins_file(unit: Shard) -> bool:
    return unit.part is None or unit.part.start == 0
