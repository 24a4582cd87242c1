"""The units that files are cut into, held as columns.

A corpus of 44 TB has 700,000 units. As an object each they would take 400 bytes; as columns they
take 48, and a shard is made when somebody asks for it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

from dsir.corpus.shard import FilePart, Shard

_UNKNOWN = -1  # Rows that only reading can tell.


class Units(Sequence[Shard]):
    """The units of some files, in order.

    Example:
        >>> units = Units.of(file.parts(file.bounds(64 << 20)) for file in files)
        >>> units[7].part.start
    """

    __slots__ = ("_before", "_file_of", "_files", "_firsts", "_rows", "_sizes", "_starts", "_stops")

    def __init__(
        self,
        files: Sequence[Shard],
        firsts: npt.NDArray[np.int64],
        columns: Sequence[npt.NDArray[np.int64]],
    ) -> None:
        self._files = files
        self._firsts = firsts
        self._starts, self._stops, self._sizes, self._before, self._rows = columns
        self._file_of = np.repeat(np.arange(len(files), dtype=np.int32), np.diff(firsts))

    @classmethod
    def of(cls, by_file: Iterable[Sequence[Shard]]) -> Units:
        """Return the units of files.

        Args:
            by_file: for each file its units, as `Shard.parts` gives them.
        """
        files: list[Shard] = []
        firsts = array("q", [0])
        columns = [array("q") for _ in range(5)]
        for units in by_file:
            part = units[0].part
            files.append(units[0] if part is None else units[0].whole())
            for unit in units:
                part = unit.part
                told = (
                    # A unit that is its whole file.
                    (_UNKNOWN, _UNKNOWN, unit.size, _UNKNOWN, _UNKNOWN)
                    if part is None
                    else (
                        part.start,
                        part.stop,
                        unit.size,
                        _or_unknown(part.rows_before),
                        _or_unknown(part.rows),
                    )
                )
                for column, value in zip(columns, told, strict=True):
                    column.append(value)
            firsts.append(len(columns[0]))
        return cls(
            tuple(files),
            np.array(firsts, dtype=np.int64),
            [np.array(column, dtype=np.int64) for column in columns],
        )

    def __len__(self) -> int:
        return len(self._sizes)

    @overload
    def __getitem__(self, number: int) -> Shard: ...
    @overload
    def __getitem__(self, number: slice) -> tuple[Shard, ...]: ...
    def __getitem__(self, number: int | slice) -> Shard | tuple[Shard, ...]:
        if isinstance(number, slice):
            return tuple(self._unit(one) for one in range(*number.indices(len(self))))
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        return self._unit(number % len(self))

    def __iter__(self) -> Iterator[Shard]:
        return map(self._unit, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(_equal, self, other))

    __hash__ = None  # type: ignore[assignment]  # As of a list.

    def __repr__(self) -> str:
        return f"Units({len(self):,} of {len(self._files):,} files)"

    def _unit(self, number: int) -> Shard:
        file: Shard = self._files[int(self._file_of[number])]
        start = int(self._starts[number])
        if start == _UNKNOWN:
            return file
        part = FilePart(
            start,
            int(self._stops[number]),
            file.size,
            _known(self._before[number]),
            _known(self._rows[number]),
        )
        return file.as_part(part, int(self._sizes[number]))

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """The bytes of every unit."""
        return self._sizes

    @property
    def firsts(self) -> npt.NDArray[np.int64]:
        """int64[files + 1], the number of each file's first unit, and the number of units."""
        return self._firsts

    def placed(self, rows: Sequence[int | None]) -> Units:
        """Return the same units, knowing how many rows of their file come before each.

        Args:
            rows: input rows in each unit; None if unknown.
        """
        before = self._before.copy()
        firsts = set(self._firsts.tolist())
        behind: int | None = None
        for number, (known, count) in enumerate(zip(self._before.tolist(), rows, strict=True)):
            at = 0 if number in firsts else behind
            if known != _UNKNOWN:
                at = known
            elif at is not None:
                before[number] = at
            behind = None if at is None or count is None else at + count
        columns = (self._starts, self._stops, self._sizes, before, self._rows)
        return Units(self._files, self._firsts, columns)


def sizes_of(shards: Sequence[Shard]) -> npt.NDArray[np.int64]:
    """Return the bytes of every shard."""
    if isinstance(shards, Units):
        return shards.sizes
    return np.fromiter((shard.size for shard in shards), dtype=np.int64, count=len(shards))


def first_of_files(shards: Sequence[Shard]) -> tuple[Shard, ...]:
    """Return the first shard of every file or table, so that each file is there once."""
    if isinstance(shards, Units):
        return tuple(shards[number] for number in shards.firsts[:-1].tolist())
    return tuple(shard for shard in shards if shard.part is None or shard.part.start == 0)


def _equal(one: Shard, other: object) -> bool:
    return one == other


def _or_unknown(rows: int | None) -> int:
    return _UNKNOWN if rows is None else rows


def _known(rows: np.int64) -> int | None:
    return None if rows == _UNKNOWN else int(rows)
