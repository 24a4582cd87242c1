"""How much is read at a time: batches of about 8 MB of text, and at least one row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.row_bytes import row_bytes

BATCH_BYTES = 8 << 20
MAX_BATCH_ROWS = 1 << 17
# A damaged or hostile file of some kilobytes can decompress to one line without an end.
_MAX_ROW_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How much of a file is in memory at a time.

    Attributes:
        batch_bytes: about how many bytes of rows make a batch; None for `BATCH_BYTES`.
        row_bytes: the most bytes that a JSON line, or on average a row of a Parquet row group, may
            have; longer ones are refused.
    """

    batch_bytes: int | None = None
    row_bytes: int = _MAX_ROW_BYTES


READ_LIMITS = ReadLimits()


def rows_per_batch(
    total_bytes: int, rows: int, *, most: int = MAX_BATCH_ROWS, batch_bytes: int | None = None
) -> int:
    """Return how many rows of a given average size make a batch.

    Args:
        total_bytes: the bytes of all rows together.
        rows: the number of these rows.
        most: the most rows to return, however short the rows are.
        batch_bytes: the bytes of a batch; None for `BATCH_BYTES`.
    """
    if rows <= 0 or total_bytes <= 0:
        return most
    return max(1, min(most, (batch_bytes or BATCH_BYTES) * rows // total_bytes))


def cut_text(text: pa.Array) -> Iterator[tuple[int, pa.Array]]:
    """Cut texts into batches without copying; yield each batch with its first position."""
    for first, last in cut_at(_ends(text)):
        yield first, text.slice(first, last - first)


def cut_at(
    ends: npt.NDArray[np.int64], batch_bytes: int | None = None
) -> Iterator[tuple[int, int]]:
    """Cut rows into batches; yield the first row of each batch and the row after its last.

    Args:
        ends: int64[rows], the running sum of the rows' bytes.
        batch_bytes: the bytes of a batch; None for `BATCH_BYTES`.
    """
    most = batch_bytes or BATCH_BYTES
    first = 0
    while first < len(ends):
        start = int(ends[first - 1]) if first else 0
        last = int(np.searchsorted(ends, start + most, side="right"))
        last = max(first + 1, min(last, first + MAX_BATCH_ROWS))
        yield first, last
        first = last


def text_bytes(text: pa.Array) -> int:
    """Return the bytes of texts and their offsets; a text that rows share counts for each row."""
    if pa.types.is_dictionary(text.type):
        return int(_ends(text)[-1]) if len(text) else 0
    try:
        return int(text.nbytes)
    except pa.ArrowTypeError:
        # Older versions of pyarrow have no nbytes for string views.
        return int(_ends(text)[-1]) + 16 * len(text) if len(text) else 0


def table_bytes(table: pa.Table) -> int:
    """Return the bytes of a table's rows."""
    try:
        return int(table.nbytes)
    except pa.ArrowTypeError:
        # Older versions of pyarrow have no nbytes for string views.
        return int(table.get_total_buffer_size())


def within(rows: npt.NDArray[np.int64], unit_row: int, length: int) -> npt.NDArray[np.int64]:
    """Return the ascending row numbers that lie in [unit_row, unit_row + length)."""
    low, high = np.searchsorted(rows, [unit_row, unit_row + length])
    return rows[low:high]


def _ends(text: pa.Array) -> npt.NDArray[np.int64]:
    """Return the running sum of the texts' bytes, int64[rows]."""
    rows = len(text)
    if not rows:
        return np.zeros(0, dtype=np.int64)
    if pa.types.is_dictionary(text.type):
        # Rows share texts, and whoever decodes them has each as often as it is used.
        shared: npt.NDArray[np.int64] = np.cumsum(row_bytes(text))
        return shared
    values = text.buffers()[1]
    if pa.types.is_string_view(text.type):
        # A view is four integers; the first is the length.
        # A buffer may be longer than its rows need, by any number of bytes.
        views = np.frombuffer(values, dtype=np.int32, count=4 * (text.offset + rows))
        lengths = views.reshape(-1, 4)[text.offset :, 0].astype(np.int64)
        ends: npt.NDArray[np.int64] = np.cumsum(lengths)
        return ends
    width = np.int64 if pa.types.is_large_string(text.type) else np.int32
    offsets = np.frombuffer(values, dtype=width, count=text.offset + rows + 1)[text.offset :]
    return offsets[1:].astype(np.int64) - int(offsets[0])
