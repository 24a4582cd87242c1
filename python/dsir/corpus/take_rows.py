"""Copies rows out of a record batch by position, for columns of every type."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.batches import cut_at
from dsir.corpus.cast_columns import cast_column, viewless_type
from dsir.corpus.row_bytes import row_bytes, shares_values
from dsir.primitive_arrays import to_arrow


def take_rows(batch: pa.RecordBatch, positions: npt.NDArray[np.int64]) -> pa.RecordBatch:
    """Return a copy of some rows of a batch; types and metadata stay."""
    indices = to_arrow(positions)
    columns = [_take(column, indices) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def take_few(
    batch: pa.RecordBatch,
    positions: npt.NDArray[np.int64],
    most_bytes: int | None = None,
) -> Iterator[tuple[npt.NDArray[np.int64], pa.RecordBatch]]:
    """Copy rows of a batch, not so many at a time that shared values take too much memory.

    Args:
        batch: the rows to choose from; they are in memory.
        positions: ascending.
        most_bytes: about how many bytes the rows may take once they share nothing; None for
            `BATCH_BYTES`. A row may take more.

    Yields:
        The positions, and a copy of the rows there.
    """
    sharing = [column for column in batch.columns if shares_values(column.type)]
    if not sharing:  # A copy of the whole batch takes no more than the batch.
        yield positions, take_rows(batch, positions)
        return
    sizes = np.sum([row_bytes(column) for column in sharing], axis=0)
    for first, last in cut_at(np.cumsum(sizes[positions]), most_bytes):
        yield positions[first:last], take_rows(batch, positions[first:last])


def take_values(column: pa.Array, positions: npt.NDArray[np.int64]) -> pa.Array:
    """Return a copy of some values of an array; its type stays."""
    return _take(column, to_arrow(positions))


def _take(column: pa.Array, indices: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type) and not column.type.ordered:
        return _with_own_dictionary(column.take(indices))
    viewless = viewless_type(column.type)
    if viewless == column.type:
        return column.take(indices)
    # pyarrow cannot take from views, and one row of views would keep all buffers in memory.
    return cast_column(cast_column(column, viewless).take(indices), column.type)


def _with_own_dictionary(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """Drop dictionary values that no row has: a few rows would keep a row group's values alive."""
    used = column.indices.dictionary_encode()
    if len(used.dictionary) == len(column.dictionary):
        return column
    try:
        # The values are copied once, not once for every row.
        viewless = viewless_type(column.type.value_type)
        values = cast_column(column.dictionary, viewless).take(used.dictionary)
        return pa.DictionaryArray.from_arrays(
            used.indices.cast(column.type.index_type), cast_column(values, column.type.value_type)
        )
    except pa.ArrowNotImplementedError:  # Dictionaries of lists, for example.
        return column
