"""What a shard gives: the texts of consecutive rows, rows fetched by their number, and bad rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.group_values import GroupValues
from dsir.corpus.line_blocks import LineBlock


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read, or consecutive rows that cannot be read for one reason.

    Attributes:
        row: 0-based number of the first row in the shard.
        reason: what is wrong, in a few words.
        rows: the number of rows.
        snippet: the beginning of the text or line; None if it cannot be read at all.
    """

    row: int
    reason: str
    rows: int = 1
    snippet: str | None = field(default=None, compare=False)


class ChunkOrigin(NamedTuple):
    """Where the rows of a batch come from, if rows are windows of documents.

    Attributes:
        row: int64[rows], the document's row in the shard, ascending.
        start: uint32[rows], bytes of the document before the window.
        documents: how many documents have their first window in the batch.
    """

    row: npt.NDArray[np.int64]
    start: npt.NDArray[np.uint32]
    documents: int


@dataclass(frozen=True, slots=True)
class TextBatch:
    """The texts of consecutive rows.

    Attributes:
        unit_row: the row in the shard of the first text.
        text: string, large_string, string_view, or a dictionary of one of these; null if the text
            is null or the row is bad.
        bad: the rows of this batch that cannot be read.
        blank_lines: how many blank lines, which are not rows, there were since the last batch.
        origin: for windows of documents, where they come from. `unit_row` is then the number of
            the first window in the shard, but `bad` has the rows of documents.
        groups: the values of the quota columns, in the order in which they were asked for.
        lines: the lines of the rows; None for formats whose rows are no lines.
    """

    unit_row: int
    text: pa.Array
    bad: tuple[BadRow, ...] = ()
    blank_lines: int = 0
    origin: ChunkOrigin | None = None
    groups: tuple[GroupValues, ...] = ()
    lines: LineBlock | None = None


@dataclass(frozen=True, slots=True)
class TakenRows:
    """Rows fetched by their number.

    Attributes:
        rows: the row numbers in the shard, ascending.
        text: their texts.
        records: all columns, in the order and types of the input; None for JSON Lines.
        lines: the original lines without their newline; None for all formats but JSON Lines.
    """

    rows: npt.NDArray[np.int64]
    text: pa.Array
    records: pa.RecordBatch | None = None
    lines: pa.LargeBinaryArray | None = None


def bad_among(bad: tuple[BadRow, ...], unit_row: int, rows: int) -> tuple[BadRow, ...]:
    """Return the bad rows among `rows` rows from `unit_row` on."""
    return tuple(one for one in bad if unit_row <= one.row < unit_row + rows)
