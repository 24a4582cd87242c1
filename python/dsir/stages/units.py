"""Units of work: large files cut up, so that all threads can share one file.

A unit is a shard: some row groups of a Parquet file, some lines of a plain JSON Lines file, or a
whole file that is small or cannot be cut. The cut depends on the file alone. Stages work on units;
messages and results name files, and rows in files.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dsir.corpus import Shard
from dsir.corpus.shard import FilePart
from dsir.corpus.skipped import Skipped
from dsir.corpus.units import Units
from dsir.engine import Progress
from dsir.errors import InputError, StoreError

# Bytes of the file. Large enough that the fixed cost of a unit (a task, two or three small files in
# a work directory) does not matter; small enough that losing one unit to a kill does not either.
UNIT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class CutTask:
    """Cut one file into units of about `unit_bytes` bytes."""

    shard: Shard
    unit_bytes: int


def survey_shard(shard: Shard, progress: Progress) -> Shard:
    """Return a shard that knows its footer, if it has one; see `Shard.surveyed`."""
    progress(0)
    return shard.surveyed()


def cut_shard(task: CutTask, progress: Progress) -> tuple[Shard, ...]:
    """Cut one file into units; a file that cannot be read stays whole, and its reader refuses it.

    Raises:
        StoreError: the file's store does not answer. If the file stayed whole, the next run could
            cut it differently.
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
    """Describe how files are cut, as JSON values by file number; whole files have no entry.

    Each entry has `at`, where the units begin and the last one ends (row groups or bytes), and
    `bytes`, the size of each unit.
    """
    layout: dict[str, dict[str, list[int]]] = {}
    for number, (first, stop) in enumerate(file_ranges(units)):
        # A file at a time: the units of all files are many.
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
        ShardError: a file has changed and can no longer be cut this way.
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
        files: all files.
        layout: how files are cut, as `unit_layout` describes it.
    """
    return [
        len(layout[str(number)]["bytes"]) if str(number) in layout else 1
        for number in range(len(files))
    ]


def unit_sizes(
    files: Sequence[Mapping[str, Any]], layout: Mapping[str, Mapping[str, list[int]]]
) -> list[int]:
    """Return the bytes of every unit, as a manifest gives them; 0 if the manifest does not.

    Args:
        files: the identities of the files.
        layout: how files are cut, as `unit_layout` describes it.
    """
    sizes: list[int] = []
    for number, file in enumerate(files):
        cut = layout.get(str(number))
        sizes += [int(file.get("size", 0))] if cut is None else cut["bytes"]
    return sizes


def begins_file(unit: Shard) -> bool:
    """Tell whether a unit is its file's first unit, or the whole file."""
    return unit.part is None or unit.part.start == 0


def file_ranges(units: Sequence[Shard]) -> Iterator[tuple[int, int]]:
    """Give the unit numbers of every file, as (first, stop)."""
    if isinstance(units, Units):
        yield from itertools.pairwise(units.firsts.tolist())
        return
    first = 0
    for number in range(1, len(units) + 1):
        if number == len(units) or begins_file(units[number]):
            yield first, number
            first = number


def file_numbers(units: Sequence[Shard]) -> list[int]:
    """Return the number of each unit's file."""
    return [
        number
        for number, (first, stop) in enumerate(file_ranges(units))
        for _ in range(first, stop)
    ]


class Placing:
    """Sets how many rows of the file come before each unit, while results arrive in order."""

    def __init__(self) -> None:
        self._last: Shard | None = None
        self._behind: int | None = None

    def next(self, unit: Shard, rows: int | None) -> Shard:
        """Place the next unit; units between it and the previous one may be missing.

        Args:
            unit: the unit.
            rows: input rows in the unit; None if unknown.

        Returns:
            The unit with its number of rows before. If that number is unknown, the unit is returned
            unchanged and counts the rows before it when asked.
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


def placed(units: Sequence[Shard], rows: Sequence[int | None]) -> Sequence[Shard]:
    """Set how many rows of the file come before each unit; see `Placing`.

    Args:
        units: all units of every file, in order.
        rows: input rows in each unit; None if unknown.
    """
    if isinstance(units, Units):
        return units.placed(rows)
    placing = Placing()
    return [placing.next(unit, count) for unit, count in zip(units, rows, strict=True)]


def in_file(unit: Shard, skipped: Sequence[Skipped]) -> list[Skipped]:
    """Return what was skipped in a unit, with row numbers of its file.

    Args:
        unit: the unit, `placed`; otherwise the rows before it are read to count them.
        skipped: what was skipped, with row numbers of the unit.
    """
    part = unit.part
    if part is None or all(entry.row is None for entry in skipped):
        return list(skipped)
    try:
        before = unit.rows_before()
    except StoreError:
        raise
    except InputError:  # The rows before the unit cannot be read, so they cannot be counted.
        return [_in_part(entry, part) for entry in skipped]
    return [
        entry if entry.row is None else replace(entry, row=before + entry.row) for entry in skipped
    ]


def skipped_in_files(units: Sequence[Shard], skipped: Sequence[Sequence[Skipped]]) -> list[Skipped]:
    """Return all that was skipped, with row numbers of files.

    Args:
        units: the units, `placed`.
        skipped: what was skipped in each unit, with row numbers of the unit.
    """
    return said_once(in_file(*one) for one in zip(units, skipped, strict=True))


def said_once(skipped: Iterable[Sequence[Skipped]]) -> list[Skipped]:
    """Return all that was skipped; a file whose units fail for one reason is listed once."""
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
