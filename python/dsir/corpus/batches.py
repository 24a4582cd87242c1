"""How much is read at a time: batches of about 8 MB of text, never less than a row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

BATCH_BYTES = 8 << 20
MAX_BATCH_ROWS = 1 << 17


def rows_per_batch(total_bytes: int, rows: int, *, most: int = MAX_BATCH_ROWS) -> int:
    """Return how many rows of a given average size make a batch.

    Args:
        total_bytes: the bytes of all rows together.
        rows: how many rows that is.
        most: the number of rows not to exceed, however short they are.
    """
    if rows <= 0 or total_bytes <= 0:
        return most
    return max(1, min(most, BATCH_BYTES * rows // total_bytes))


def cut_text(text: pa.Array) -> Iterator[tuple[int, pa.Array]]:
    """Cut texts into batches without copying; yields the first position and the texts."""
    first = 0
    while first < len(text):
        length = _batch_length(text, first)
        yield first, text.slice(first, length)
        first += length


def within(rows: npt.NDArray[np.int64], first_row: int, length: int) -> npt.NDArray[np.int64]:
    """Return those of ascending row numbers that fall into `length` rows from `first_row` on."""
    low, high = np.searchsorted(rows, [first_row, first_row + length])
    return rows[low:high]


def _batch_length(text: pa.Array, first: int) -> int:
    left = min(len(text) - first, MAX_BATCH_ROWS)
    offset_type = _offset_type(text.type)
    if offset_type is None:
        return min(left, rows_per_batch(text.nbytes, len(text)))
    offsets = np.frombuffer(text.buffers()[1], dtype=offset_type)
    offsets = offsets[text.offset + first : text.offset + first + left + 1]
    fitting = int(np.searchsorted(offsets, int(offsets[0]) + BATCH_BYTES, side="right")) - 1
    return max(1, fitting)


def _offset_type(data_type: pa.DataType) -> type[np.int32] | type[np.int64] | None:
    if pa.types.is_string(data_type):
        return np.int32
    if pa.types.is_large_string(data_type):
        return np.int64
    return None
