"""Copies rows out of a record batch by position, for columns of every type."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

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
    return column.cast(viewless).take(indices).cast(column.type)


def _with_own_dictionary(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """Drop dictionary values that no row has: a few rows would keep a row group's values alive."""
    try:
        own = column.dictionary_decode().dictionary_encode()
    except pa.ArrowNotImplementedError:  # Dictionaries of lists, for example.
        return column
    return pa.DictionaryArray.from_arrays(
        own.indices.cast(column.type.index_type), own.dictionary.cast(column.type.value_type)
    )


def viewless_type(data_type: pa.DataType) -> pa.DataType:
    """Return a type with every view in it replaced by a large string or binary."""
    if pa.types.is_string_view(data_type):
        return pa.large_string()
    if pa.types.is_binary_view(data_type):
        return pa.large_binary()
    if pa.types.is_struct(data_type):
        return pa.struct([field.with_type(viewless_type(field.type)) for field in data_type])
    if pa.types.is_list(data_type):
        return pa.list_(data_type.value_field.with_type(viewless_type(data_type.value_type)))
    if pa.types.is_large_list(data_type):
        return pa.large_list(data_type.value_field.with_type(viewless_type(data_type.value_type)))
    return data_type
