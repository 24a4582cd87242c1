"""How many bytes rows take once they stand alone, without values that they share with other rows.

A dictionary has a value once, however many rows share it, and so may views and runs. Rows that are
copied, cast or written stand alone: a thousand rows that share a text of a megabyte then take a
gigabyte. So rows that share values are handled a few at a time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.primitive_arrays import to_arrow, to_numpy

# The bytes that a value counts if it has no length of its own, such as a number.
VALUE_BYTES = 8


def shares_values(data_type: pa.DataType) -> bool:
    """Tell whether rows of a type can share their values, at any depth."""
    if (
        pa.types.is_dictionary(data_type)
        or pa.types.is_run_end_encoded(data_type)
        or pa.types.is_string_view(data_type)
        or pa.types.is_binary_view(data_type)
        or pa.types.is_list_view(data_type)
        or pa.types.is_large_list_view(data_type)
    ):
        return True
    return any(shares_values(data_type.field(at).type) for at in range(data_type.num_fields))


def row_bytes(array: pa.Array) -> npt.NDArray[np.int64]:
    """Return about how many bytes each row of an array takes on its own, int64[rows]."""
    import pyarrow.compute as pc  # Here: long to import.

    data_type = array.type
    length = len(array)
    if pa.types.is_struct(data_type):
        sizes = np.zeros(length, dtype=np.int64)
        for child in array.flatten():
            sizes += row_bytes(child)
        return sizes
    if pa.types.is_dictionary(data_type):
        # A null counts as much as the first value: nobody looks at it, but it must be a number.
        values = row_bytes(array.dictionary)
        places = to_numpy(array.indices.fill_null(0).cast(pa.int64()))
        return values[places] if len(values) else np.full(length, VALUE_BYTES, dtype=np.int64)
    if pa.types.is_run_end_encoded(data_type):
        rows = np.arange(array.offset, array.offset + length)
        runs = np.searchsorted(to_numpy(array.run_ends), rows, side="right")
        return row_bytes(array.values)[runs]
    if pa.types.is_string_view(data_type) or pa.types.is_binary_view(data_type):
        return _view_lengths(array) + VALUE_BYTES
    if (
        pa.types.is_string(data_type)
        or pa.types.is_large_string(data_type)
        or pa.types.is_binary(data_type)
        or pa.types.is_large_binary(data_type)
    ):
        return _lengths(pc.binary_length(array)) + VALUE_BYTES
    if pa.types.is_map(data_type):
        pairs = pa.struct([data_type.key_field, data_type.item_field])
        return row_bytes(array.view(pa.list_(pa.field("entries", pairs, nullable=False))))
    if pa.types.is_list(data_type) or pa.types.is_large_list(data_type):
        lengths = _lengths(pc.list_value_length(array))
        # flatten() leaves out values that null lists may hide, so it agrees with the lengths.
        return _spans(np.cumsum(lengths) - lengths, lengths, row_bytes(array.flatten()))
    if pa.types.is_list_view(data_type) or pa.types.is_large_list_view(data_type):
        starts, lengths = (to_numpy(one.cast(pa.int64())) for one in (array.offsets, array.sizes))
        return _spans(starts, lengths, row_bytes(array.values))
    if pa.types.is_fixed_size_list(data_type):
        size = data_type.list_size
        starts = (array.offset + np.arange(length, dtype=np.int64)) * size
        return _spans(starts, np.full(length, size), row_bytes(array.values))
    return np.full(length, VALUE_BYTES, dtype=np.int64)


def _spans(
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    values: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Return the bytes of lists, from where each begins in the values and how long it is."""
    total = np.concatenate(([0], np.cumsum(values, dtype=np.int64)))
    spans: npt.NDArray[np.int64] = total[starts + lengths] - total[starts]
    return spans + VALUE_BYTES


def _view_lengths(array: pa.Array) -> npt.NDArray[np.int64]:
    """Return the bytes of views: each is four integers, of which the first is the length.

    A buffer may be longer than its rows need, by any number of bytes.
    """
    views = np.frombuffer(array.buffers()[1], np.int32, count=4 * (array.offset + len(array)))
    lengths = views.reshape(-1, 4)[array.offset :, 0].astype(np.int64)
    if array.null_count:
        lengths[to_numpy(array.is_null().cast(pa.uint8())) != 0] = 0
    return lengths


def _lengths(lengths: pa.Array) -> npt.NDArray[np.int64]:
    """Return lengths as int64, with 0 for nulls."""
    import pyarrow.compute as pc  # Here: long to import.

    zeros = to_arrow(np.zeros(len(lengths), dtype=np.int64))
    return to_numpy(pc.coalesce(lengths.cast(pa.int64()), zeros))
