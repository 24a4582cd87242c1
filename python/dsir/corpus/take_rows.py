"""Copies rows out of a record batch by position, for columns of every type."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.cast_columns import cast_column, viewless_type
from dsir.primitive_arrays import to_arrow


def take_rows(batch: pa.RecordBatch, positions: npt.NDArray[np.int64]) -> pa.RecordBatch:
    """Return a copy of some rows of a batch; types and metadata stay."""
    indices = to_arrow(positions)
    columns = [_take(column, indices) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


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
    try:
        values = cast_column(column, viewless_type(column.type.value_type))
        return cast_column(values, column.type)
    except pa.ArrowNotImplementedError:  # Dictionaries of lists, for example.
        return column
