"""Columns of token numbers in place of texts: lists of integers, as tokenizers write them.

A column of the encoding "token-ids" is read as bytes: four for each number, little-endian, which is
how the core takes them. So everything that goes over texts goes over token numbers as well.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

ENCODING = "token-ids"
PACKED = pa.large_binary()
"""The type of packed numbers; no text has this type."""

_ID_BYTES = 4


def is_list_of_ids(data_type: pa.DataType) -> bool:
    """Tell whether a type holds lists of integers."""
    lists = (
        pa.types.is_list,
        pa.types.is_large_list,
        pa.types.is_fixed_size_list,
        pa.types.is_list_view,
        pa.types.is_large_list_view,
    )
    return any(is_it(data_type) for is_it in lists) and pa.types.is_integer(data_type.value_type)


def holds_ids(array: pa.Array) -> bool:
    """Tell whether an array has packed numbers and no texts."""
    return bool(array.type == PACKED)


def for_core(array: pa.Array) -> pa.Array:
    """Return packed numbers in a type that the core takes; texts stay as they are."""
    return array.view(pa.large_string()) if holds_ids(array) else array


def packed(array: pa.Array) -> pa.Array:
    """Return lists of integers as `PACKED`; a list with a null, or a number out of range, is null.

    Args:
        array: lists of integers from 0 to 2^32 - 1.
    """
    import pyarrow.compute as pc  # Here: long to import.

    lists = array.cast(pa.large_list(array.type.value_type))
    values = lists.flatten()  # Without what lies under nulls and before an offset.
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    ends = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    valid = lists.is_valid()
    try:
        numbers = values.cast(pa.uint32())
    except pa.ArrowInvalid:
        numbers = values.cast(pa.uint32(), safe=False)
        fits = pc.equal(numbers.cast(values.type, safe=False), values)
        fits = pc.and_(fits, pc.greater_equal(values, 0))
        valid = _without(valid, fits.fill_null(False), ends)
    if numbers.null_count:
        valid = _without(valid, numbers.is_valid(), ends)
        numbers = numbers.fill_null(0)
    data = np.ascontiguousarray(numbers.to_numpy(zero_copy_only=False), dtype="<u4")
    offsets = pa.py_buffer(ends * _ID_BYTES)
    validity = pa.array(valid).cast(pa.bool_()).buffers()[1] if not _all(valid) else None
    return pa.Array.from_buffers(
        PACKED, len(array), [validity, offsets, pa.py_buffer(data.tobytes())]
    )


def unreadable(array: pa.Array, made: pa.Array) -> Iterator[tuple[int, str]]:
    """Give the places of the lists that `packed` could not take, and how each begins.

    Args:
        array: the lists.
        made: what `packed` made of them.
    """
    if made.null_count == array.null_count:
        return
    for place in np.flatnonzero(
        array.is_valid().to_numpy(zero_copy_only=False)
        & ~made.is_valid().to_numpy(zero_copy_only=False)
    ):
        yield int(place), f"{array[int(place)].as_py()!s:.200}"


def _without(valid: pa.Array, fits: pa.Array, ends: np.ndarray) -> pa.Array:
    bad = np.concatenate([[0], np.cumsum(~fits.to_numpy(zero_copy_only=False))])
    whole = bad[ends[1:]] == bad[ends[:-1]]
    return pa.array(valid.to_numpy(zero_copy_only=False) & whole)


def _all(valid: pa.Array) -> bool:
    return bool(valid.to_numpy(zero_copy_only=False).all())
