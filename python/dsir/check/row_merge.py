"""Walk through the rows of two selections together, in the order of where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.errors import OutputError
from dsir.output.row_origins import Origins

Key = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Rows:
    """Consecutive rows of a selection.

    Attributes:
        origins: where the rows come from, strictly ascending by source, row and start.
        content: the columns of the rows; None if only their origins matter.
    """

    origins: Origins
    content: pa.RecordBatch | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.origins.source_row)

    def part(self, where: slice) -> Rows:
        """Return some of the rows, without a copy."""
        return Rows(self.origins.part(where), None if self.content is None else self.content[where])


class Pair(NamedTuple):
    """A stretch of rows of two selections.

    Attributes:
        one, other: the rows of each selection in the stretch.
        common_one, common_other: positions in `one` and `other` of the common rows, ascending.
        only_one, only_other: positions in `one` and `other` of the other rows, ascending.
    """

    one: Rows
    other: Rows
    common_one: npt.NDArray[np.int64]
    common_other: npt.NDArray[np.int64]
    only_one: npt.NDArray[np.int64]
    only_other: npt.NDArray[np.int64]


def merged(one: Iterator[Rows], other: Iterator[Rows]) -> Iterator[Pair]:
    """Give two selections a stretch at a time; every row is in exactly one stretch.

    Raises:
        OutputError: the rows of a selection are not in order.
    """
    streams = (in_order(one), in_order(other))
    held: list[Rows | None] = [next(stream, None) for stream in streams]
    while held[0] is not None or held[1] is not None:
        ends = [_key(rows, -1) for rows in held if rows is not None]
        cut = min(ends)
        stretches: list[Rows | None] = []
        for side, rows in enumerate(held):
            if rows is None:
                stretches.append(None)
                continue
            count = _up_to(rows, cut)
            stretches.append(rows.part(slice(count)))
            rest = rows.part(slice(count, None))
            held[side] = rest if len(rest) else next(streams[side], None)
        first, second = stretches
        template = first if first is not None else second
        assert template is not None
        nothing = template.part(slice(0))
        yield _pair(nothing if first is None else first, nothing if second is None else second)


def in_order(stream: Iterator[Rows]) -> Iterator[Rows]:
    """Give the rows of a stream, and check their order.

    Raises:
        OutputError: the rows are not in order.
    """
    last: Key | None = None
    for rows in stream:
        if not len(rows):
            continue
        source, row, start = _columns(rows)
        steps = [np.diff(column.astype(np.int64)) for column in (source, row, start)]
        rising = (steps[0] > 0) | (
            (steps[0] == 0) & ((steps[1] > 0) | ((steps[1] == 0) & (steps[2] > 0)))
        )
        if not rising.all() or (last is not None and _key(rows, 0) <= last):
            raise OutputError("its rows are not in the order of the inputs that they come from")
        last = _key(rows, -1)
        yield rows


def _columns(rows: Rows) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    origins = rows.origins
    start = np.zeros(len(rows), np.uint32) if origins.start is None else origins.start
    return origins.source, origins.source_row, start


def _key(rows: Rows, at: int) -> Key:
    source, row, start = (int(column[at]) for column in _columns(rows))
    return source, row, start


def _up_to(rows: Rows, cut: Key) -> int:
    """Return how many rows have a key of at most `cut`."""
    low, high = 0, len(rows)
    for column, value in zip(_columns(rows), cut, strict=True):
        part = column[low:high]
        bound = np.array(value, dtype=np.int64)
        low, high = (
            low + int(np.searchsorted(part, bound, side="left")),
            low + int(np.searchsorted(part, bound, side="right")),
        )
    return high


def _pair(one: Rows, other: Rows) -> Pair:
    columns = [
        np.concatenate([left.astype(np.int64), right.astype(np.int64)])
        for left, right in zip(_columns(one), _columns(other), strict=True)
    ]
    # A stable sort: of two equal rows the one of the first selection comes first.
    order = np.lexsort(columns[::-1])
    equal = np.ones(max(0, len(order) - 1), dtype=bool)
    for column in columns:
        equal &= np.diff(column[order]) == 0
    first = np.flatnonzero(equal)
    common_one, common_other = order[first], order[first + 1] - len(one)
    return Pair(
        one,
        other,
        common_one,
        common_other,
        np.setdiff1d(np.arange(len(one)), common_one, assume_unique=True),
        np.setdiff1d(np.arange(len(other)), common_other, assume_unique=True),
    )
