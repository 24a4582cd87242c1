"""Casts columns between any two types that hold the same values.

pyarrow's own cast knows no run-end-encoded columns, no dictionaries of views and hardly any list
views, alone or inside other columns. Everything else is left to it. A cast is safe: a value that
the new type cannot hold is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from dsir.primitive_arrays import to_arrow, to_numpy


def cast_column(column: pa.Array, data_type: pa.DataType) -> pa.Array:
    """Return a column in another type; the column itself if it has that type.

    Raises:
        pyarrow.ArrowException: there is no such cast, or a value does not fit.
    """
    if column.type == data_type:
        return column
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), data_type)
    if pa.types.is_run_end_encoded(column.type):
        return cast_column(_decoded_runs(column), data_type)
    if pa.types.is_run_end_encoded(data_type):
        # A run for every row: pyarrow finds no runs of lists or views.
        ends = to_arrow(np.arange(1, len(column) + 1, dtype=np.int64))
        values = cast_column(column, data_type.value_type)
        return pa.RunEndEncodedArray.from_arrays(ends.cast(data_type.run_end_type), values)
    if pa.types.is_dictionary(column.type):
        return _cast_dictionary(column, data_type)
    if pa.types.is_dictionary(data_type):
        encoded = cast_column(column, viewless_type(data_type.value_type)).dictionary_encode()
        return _cast_dictionary(encoded, data_type)
    if is_view(data_type):
        return whole_view(column.cast(data_type))
    if _needs_help(column.type) or _needs_help(data_type):
        return _cast_nested(column, data_type)
    return column.cast(data_type)


def is_view(data_type: pa.DataType) -> bool:
    """Tell whether a type is that of string views or binary views."""
    return bool(pa.types.is_string_view(data_type) or pa.types.is_binary_view(data_type))


def whole_view(column: pa.Array) -> pa.Array:
    """Return a column of views that has all its buffers.

    A cast of short strings to views leaves the buffer for long ones out, and pyarrow up to 23
    crashes when it hands such a column to the core or to another library.
    """
    buffers = column.buffers()
    if all(one is not None for one in buffers[2:]):
        return column
    whole = [pa.py_buffer(b"") if one is None else one for one in buffers[2:]]
    return pa.Array.from_buffers(
        column.type, len(column), [*buffers[:2], *whole], column.null_count, column.offset
    )


def cast_table(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the columns of a schema, found by name unless the names are the same.

    Raises:
        pyarrow.ArrowException: a column cannot be cast.
    """
    if table.schema.equals(schema, check_metadata=True):
        return table
    same = table.schema.names == schema.names
    columns = []
    for place, field in enumerate(schema):
        column = table.column(place if same else field.name)
        chunks = [cast_column(chunk, field.type) for chunk in column.chunks]
        columns.append(pa.chunked_array(chunks, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def viewless_type(data_type: pa.DataType) -> pa.DataType:
    """Return a type without views and run ends, neither of which pyarrow can take rows from.

    Views become large strings and large binary, and run-end-encoded columns become their values.
    Dictionaries stay, because their rows are taken by index.
    """
    if pa.types.is_string_view(data_type):
        return pa.large_string()
    if pa.types.is_binary_view(data_type):
        return pa.large_binary()
    if pa.types.is_run_end_encoded(data_type):
        return viewless_type(data_type.value_type)
    return with_inner_types(data_type, viewless_type)


def with_inner_types(
    data_type: pa.DataType, change: Callable[[pa.DataType], pa.DataType]
) -> pa.DataType:
    """Return a nested type with `change` applied to the types inside; other types as they are.

    Args:
        data_type: any type.
        change: takes a type and returns a type.
    """
    if pa.types.is_struct(data_type):
        return pa.struct([field.with_type(change(field.type)) for field in data_type])
    if pa.types.is_map(data_type):
        return pa.map_(
            data_type.key_field.with_type(change(data_type.key_type)),
            data_type.item_field.with_type(change(data_type.item_type)),
            keys_sorted=data_type.keys_sorted,
        )
    make = _maker_of(data_type)
    if make is None:
        return data_type
    return make(data_type.value_field.with_type(change(data_type.value_type)))


def _maker_of(data_type: pa.DataType) -> Any:
    """Return what makes a list type like this one of a field; None if the type is no list."""
    if pa.types.is_list(data_type):
        return pa.list_
    if pa.types.is_large_list(data_type):
        return pa.large_list
    if pa.types.is_list_view(data_type):
        return pa.list_view
    if pa.types.is_large_list_view(data_type):
        return pa.large_list_view
    if pa.types.is_fixed_size_list(data_type):
        return lambda field: pa.list_(field, data_type.list_size)
    return None


def _needs_help(data_type: pa.DataType) -> bool:
    """Tell whether a type is, or holds at any depth, what pyarrow's own cast does not know."""
    if (
        is_view(data_type)
        or pa.types.is_dictionary(data_type)
        or pa.types.is_run_end_encoded(data_type)
        or pa.types.is_list_view(data_type)
        or pa.types.is_large_list_view(data_type)
    ):
        return True
    inner = (data_type.field(index).type for index in range(data_type.num_fields))
    return any(_needs_help(one) for one in inner)


def _cast_dictionary(column: pa.DictionaryArray, data_type: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(data_type):
        return pa.DictionaryArray.from_arrays(
            column.indices.cast(data_type.index_type),
            cast_column(column.dictionary, data_type.value_type),
            ordered=data_type.ordered,
        )
    values = cast_column(column.dictionary, viewless_type(data_type))
    return cast_column(values.take(column.indices), data_type)


def _decoded_runs(column: Any) -> pa.Array:
    """Return a run-end-encoded column with a value for every row, without views."""
    ends = to_numpy(column.run_ends)
    rows = np.arange(column.offset, column.offset + len(column))
    runs = np.searchsorted(ends, rows, side="right").astype(np.int64)
    return cast_column(column.values, viewless_type(column.type.value_type)).take(to_arrow(runs))


def _cast_nested(column: pa.Array, data_type: pa.DataType) -> pa.Array:
    """Cast a column by casting what is inside it."""
    import pyarrow.compute as pc  # Here: long to import.

    if column.offset:
        column = pa.concat_arrays([column])  # A copy that begins at its first row.
    nothing = pc.is_null(column) if column.null_count else None
    if pa.types.is_struct(column.type) and pa.types.is_struct(data_type):
        fields = list(data_type)
        if [field.name for field in column.type] != [field.name for field in fields]:
            raise pa.ArrowTypeError(f"{column.type} has other fields than {data_type}")
        inner = [cast_column(column.field(place), field.type) for place, field in enumerate(fields)]
        return pa.StructArray.from_arrays(inner, fields=fields, mask=nothing)
    if pa.types.is_map(column.type) and pa.types.is_map(data_type):
        pairs = column.view(pa.list_(_pairs_of(column.type)))
        return cast_column(pairs, pa.list_(_pairs_of(data_type))).view(data_type)
    if _maker_of(data_type) is None or _maker_of(column.type) is None:
        return column.cast(data_type)
    return _list_of(_large_list(column, data_type.value_field), data_type, nothing)


def _large_list(column: Any, field: pa.Field) -> pa.LargeListArray:
    """Return lists of any kind, which begin at their first row, as large lists of another field.

    Rows that are null are lists with anything in them.
    """
    if pa.types.is_fixed_size_list(column.type):
        size = column.type.list_size
        offsets = to_arrow(np.arange(len(column) + 1, dtype=np.int64) * size)
        values = column.values.slice(0, len(column) * size)
    elif pa.types.is_list_view(column.type) or pa.types.is_large_list_view(column.type):
        starts, sizes = (to_numpy(one.cast(pa.int64())) for one in (column.offsets, column.sizes))
        ends = np.concatenate([[0], np.cumsum(sizes)])
        rows = np.repeat(starts - ends[:-1], sizes) + np.arange(ends[-1])
        offsets = to_arrow(ends)
        viewless = viewless_type(column.type.value_type)
        values = cast_column(column.values, viewless).take(to_arrow(rows))
    else:
        offsets, values = column.offsets.cast(pa.int64()), column.values
    inner = cast_column(values, field.type)
    return pa.LargeListArray.from_arrays(offsets, inner, type=pa.large_list(field))


def _list_of(lists: pa.LargeListArray, data_type: pa.DataType, nothing: pa.Array | None) -> Any:
    """Return large lists as lists of another kind, null where `nothing` is true."""
    if pa.types.is_fixed_size_list(data_type):
        if (np.diff(to_numpy(lists.offsets)) == data_type.list_size).all():
            return pa.FixedSizeListArray.from_arrays(lists.values, type=data_type, mask=nothing)
        # Null rows may have other lengths; pyarrow refuses the others.
        return _list_of(lists, lists.type, nothing).cast(data_type)
    offsets = lists.offsets
    if pa.types.is_list(data_type):
        offsets = offsets.cast(pa.int32())
        return pa.ListArray.from_arrays(offsets, lists.values, type=data_type, mask=nothing)
    if pa.types.is_large_list(data_type):
        return pa.LargeListArray.from_arrays(offsets, lists.values, type=data_type, mask=nothing)
    large = pa.types.is_large_list_view(data_type)
    kind, width = (pa.LargeListViewArray, pa.int64()) if large else (pa.ListViewArray, pa.int32())
    starts, sizes = offsets.slice(0, len(lists)), to_arrow(np.diff(to_numpy(offsets)))
    return kind.from_arrays(
        starts.cast(width), sizes.cast(width), lists.values, type=data_type, mask=nothing
    )


def _pairs_of(data_type: pa.DataType) -> pa.Field:
    """Return the field of the pairs that a map is a list of."""
    pairs = pa.struct([data_type.key_field, data_type.item_field])
    return pa.field("entries", pairs, nullable=False)
