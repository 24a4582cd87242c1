"""Units of work: files cut into parts, so that a large one is shared by all threads.

A unit is a shard: some row groups of a Parquet file, some lines of a plain JSON Lines file, or a
whole file, where that is small or cannot be cut. The cut depends on the file alone. Stages work on
units; people are told of files, and of rows in files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dsir.corpus import Shard
from dsir.corpus.shard import FilePart
from dsir.corpus.skipped import Skipped
from dsir.engine import Progress
from dsir.errors import InputError, StoreError

# Of the file. Large enough that what is done once for a unit (a task, two or three small files in a
# work directory) does not count, small enough that losing one in a kill does not either.
UNIT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class CutTask:
    """Cut one file into units of about so many bytes."""

    shard: Shard
    unit_bytes: int


def cut_shard(task: CutTask, progress: Progress) -> tuple[Shard, ...]:
    """Cut one file into units; one that cannot be read is left whole, for its reader to refuse.

    Raises:
        StoreError: its store does not answer. Left whole it would be cut otherwise in the next run.
    """
    shard = task.shard.surveyed()
    try:
        units = shard.parts(shard.bounds(task.unit_bytes))
    except StoreError:
        raise
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


def begins_file(unit: Shard) -> bool:
    """Tell whether a unit is the first of its file, or all of it."""
    return unit.part is None or unit.part.start == 0


def file_ranges(units: Sequence[Shard]) -> Iterator[tuple[int, int]]:
    """Give the numbers of the first unit of every file, and of the one behind its last."""
    first = 0
    for number in range(1, len(units) + 1):
        if number == len(units) or begins_file(units[number]):
            yield first, number
            first = number


def file_numbers(units: Sequence[Shard]) -> list[int]:
    """Return the number of the file that each unit is of."""
    return [
        number
        for number, (first, stop) in enumerate(file_ranges(units))
        for _ in range(first, stop)
    ]


class Placing:
    """Tells units how many rows of their file are before them, as results come in, in order."""

    def __init__(self) -> None:
        self._last: Shard | None = None
        self._behind: int | None = None

    def next(self, unit: Shard, rows: int | None) -> Shard:
        """Take the next unit; units between it and the last may be missing.

        Args:
            unit: the unit.
            rows: of the input in it; None where that is not known.

        Returns:
            The unit. Where what is before it is not known it stays as it is, and counts when asked.
        """
        before = 0 if begins_file(unit) else self._behind if self._follows(unit) else None
        if unit.part is not None and unit.part.rows_before is not None:
            before = unit.part.rows_before
        elif before is not None:
            unit = unit.placed(before)
        self._last, self._behind = unit, None if before is None or rows is None else before + rows
        return unit

    def _follows(self, unit: Shard) -> bool:
        last = None if self._last is None else self._last.part
        return last is not None and unit.part is not None and last.stop == unit.part.start


def placed(units: Sequence[Shard], rows: Sequence[int | None]) -> list[Shard]:
    """Tell units how many rows of their file are before them; see `Placing`.

    Args:
        units: in order, all of every file.
        rows: of the input in each; None where that is not known.
    """
    placing = Placing()
    return [placing.next(unit, count) for unit, count in zip(units, rows, strict=True)]


def in_file(unit: Shard, skipped: Sequence[Skipped]) -> list[Skipped]:
    """Name what was skipped in a unit by rows of its file.

    Args:
        unit: `placed`; else what is before it is read.
        skipped: by its own rows.
    """
    part = unit.part
    if part is None or all(entry.row is None for entry in skipped):
        return list(skipped)
    try:
        before = unit.rows_before()
    except StoreError:
        raise
    except InputError:  # What is before it cannot be read, so it cannot be counted.
        return [_in_part(entry, part) for entry in skipped]
    return [
        entry if entry.row is None else replace(entry, row=before + entry.row) for entry in skipped
    ]


def skipped_in_files(units: Sequence[Shard], skipped: Sequence[Sequence[Skipped]]) -> list[Skipped]:
    """Collect what was skipped, by rows of files.

    Args:
        units: `placed`.
        skipped: of each, by its own rows.
    """
    return said_once(in_file(*one) for one in zip(units, skipped, strict=True))


def said_once(skipped: Iterable[Sequence[Skipped]]) -> list[Skipped]:
    """Collect what was skipped in units: several of a file may be refused for the same reason."""
    found: list[Skipped] = []
    for entries in skipped:
        again = entries and entries[0].rows == 0 and entries[:1] == found[-1:]
        found += entries[1:] if again else entries
    return found


def _in_part(entry: Skipped, part: FilePart) -> Skipped:
    if entry.row is None:
        return entry
    reason = f"row {entry.row} from byte {part.start} on: {entry.reason}"
    return replace(entry, row=None, reason=reason)
