"""Checks against damaged files: no offset or index may lead out of its buffer.

Arrow files have no checksums, and pyarrow uses their bytes as they are. Parquet files may have none
either, and pyarrow does not check the indices of a dictionary column. Without these checks one
flipped bit makes the process read from anywhere in memory. Strings are checked as bytes: a text
that is not UTF-8 is an error of its row, not of the file.
"""

from __future__ import annotations

import pyarrow as pa


def check_buffers(batch: pa.RecordBatch) -> None:
    """Check that no offset, index or length of a batch leads out of its buffers.

    Raises:
        pyarrow.ArrowInvalid: an offset, index or length does, or there are nulls where the schema
            allows none; the message names the column.
        pyarrow.ArrowNotImplementedError: pyarrow has no arrays of a column's type in Python.
    """
    for place, field in enumerate(batch.schema):
        try:
            column = batch.column(place)
        except KeyError as error:  # Intervals of months, and of days and milliseconds.
            raise pa.ArrowNotImplementedError(
                f"column {field.name!r} is {field.type}, which pyarrow cannot read"
            ) from error
        try:
            check_column(column)
        except pa.ArrowInvalid as error:
            raise pa.ArrowInvalid(f"column {field.name!r}: {error}") from error
        if column.null_count and not field.nullable:
            raise pa.ArrowInvalid(f"column {field.name!r} has nulls, which its schema rules out")


def check_dictionaries(column: pa.Array) -> None:
    """Check the dictionaries in a column as `check_buffers` does; the rest is known to be right."""
    if pa.types.is_dictionary(column.type):
        check_column(column)
    elif pa.types.is_struct(column.type):
        for index in range(column.type.num_fields):
            check_dictionaries(column.field(index))
    elif pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        check_dictionaries(column.values)


def check_column(column: pa.Array) -> None:
    """Check one column as `check_buffers` does."""
    column.validate()
    if pa.types.is_dictionary(column.type):
        check_column(column.dictionary)
        if len(column.dictionary):
            codes = pa.DictionaryArray.from_arrays(
                column.indices, pa.nulls(len(column.dictionary)), safe=True
            )
            codes.validate(full=True)
        elif column.null_count != len(column):
            raise pa.ArrowInvalid("indices into an empty dictionary")
        return
    bytes_type = _bytes_type(column.type)
    (column if bytes_type == column.type else column.view(bytes_type)).validate(full=True)
    _check_views(column)


def _check_views(column: pa.Array) -> None:
    """Check the views of null rows too: validate() skips them, but casts follow them."""
    data_type = column.type
    if pa.types.is_struct(data_type):
        for index in range(data_type.num_fields):
            _check_views(column.field(index))
    elif pa.types.is_list(data_type) or pa.types.is_large_list(data_type):
        _check_views(column.values)
    elif column.null_count and (
        pa.types.is_string_view(data_type) or pa.types.is_binary_view(data_type)
    ):
        _, *buffers = column.buffers()
        pa.Array.from_buffers(
            pa.binary_view(), len(column), [None, *buffers], offset=column.offset
        ).validate(full=True)


def _bytes_type(data_type: pa.DataType) -> pa.DataType:
    """Return a type with every string in it replaced by binary of the same layout."""
    if pa.types.is_string(data_type):
        return pa.binary()
    if pa.types.is_large_string(data_type):
        return pa.large_binary()
    if pa.types.is_string_view(data_type):
        return pa.binary_view()
    if pa.types.is_struct(data_type):
        return pa.struct([field.with_type(_bytes_type(field.type)) for field in data_type])
    if pa.types.is_list(data_type):
        return pa.list_(data_type.value_field.with_type(_bytes_type(data_type.value_type)))
    if pa.types.is_large_list(data_type):
        return pa.large_list(data_type.value_field.with_type(_bytes_type(data_type.value_type)))
    return data_type
