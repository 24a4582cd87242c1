"""Types that hold the values of other types, and that every reader of a folder reads.

A type is only ever widened: every value of both types is a value of the wider one. Whole numbers
become floats where each of them is a float, text and bytes stay apart, and so do times of
different zones.
"""

from __future__ import annotations

import pyarrow as pa

from dsir.corpus.cast_columns import viewless_type, with_inner_types

# The bits of a whole number that a float of so many bits holds exactly.
_EXACT_BITS = {16: 11, 32: 24, 64: 53}
_FLOATS = {16: pa.float16(), 32: pa.float32(), 64: pa.float64()}
_SIGNED = {8: pa.int8(), 16: pa.int16(), 32: pa.int32(), 64: pa.int64()}
_UNSIGNED = {8: pa.uint8(), 16: pa.uint16(), 32: pa.uint32(), 64: pa.uint64()}
_UNITS = ("s", "ms", "us", "ns")
_MOST_DIGITS = {"decimal128": 38, "decimal256": 76}


def readable_type(data_type: pa.DataType) -> pa.DataType:
    """Return the type in which a column is written so that other libraries read it.

    pandas, polars and `datasets` do not all read views, run-end-encoded columns, list views and
    dictionaries with unsigned indices. Indices of 8 or 16 bits become 32 bits as well: each file
    may have few values while all files together have more.
    """
    if pa.types.is_dictionary(data_type):
        return pa.dictionary(
            _index_type(data_type.index_type),
            _plain(data_type.value_type),
            ordered=data_type.ordered,
        )
    if pa.types.is_run_end_encoded(data_type):
        return readable_type(data_type.value_type)
    if pa.types.is_list_view(data_type):
        return readable_type(pa.list_(data_type.value_field))
    if pa.types.is_large_list_view(data_type):
        return readable_type(pa.large_list(data_type.value_field))
    if pa.types.is_map(data_type) or pa.types.is_fixed_size_list(data_type):
        return with_inner_types(data_type, _plain)
    if _is_nested(data_type):
        return with_inner_types(data_type, readable_type)
    return viewless_type(data_type)


def wider_type(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """Return the type that holds every value of two types; None if there is none.

    Both are types as `readable_type` returns them. The order does not matter, but for the names of
    what lists and maps hold, which are those of the first.
    """
    if one == other:
        return one
    for null, any_type in ((one, other), (other, one)):
        if pa.types.is_null(null):
            return any_type
    if pa.types.is_dictionary(one) or pa.types.is_dictionary(other):
        return _wider_dictionary(one, other)
    for wider in (_wider_text, _wider_number, _wider_time, _wider_nested):
        found = wider(one, other)
        if found is not None:
            return found
    return None


def wider_field(one: pa.Field, other: pa.Field) -> pa.Field | None:
    """Return the first field with the wider type of both, null if either may be; None if none."""
    found = wider_type(one.type, other.type)
    if found is None:
        return None
    nulls = one.nullable or other.nullable
    return one.with_type(found).with_nullable(nulls)


def _plain(data_type: pa.DataType) -> pa.DataType:
    """Return a readable type without dictionaries, which writers only find in lists and structs."""
    if pa.types.is_dictionary(data_type) or pa.types.is_run_end_encoded(data_type):
        return _plain(data_type.value_type)
    readable = readable_type(data_type)
    return with_inner_types(readable, _plain) if _is_nested(readable) else readable


def _is_nested(data_type: pa.DataType) -> bool:
    return bool(pa.types.is_nested(data_type)) and not pa.types.is_union(data_type)


def _index_type(data_type: pa.DataType) -> pa.DataType:
    return pa.int64() if data_type.bit_width == 64 else pa.int32()


def _wider_dictionary(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """Return a dictionary of the wider values; the values themselves if one is no dictionary."""
    values = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in (one, other)]
    wider = wider_type(*values)
    if wider is None or not (pa.types.is_dictionary(one) and pa.types.is_dictionary(other)):
        return wider
    index = max((one.index_type, other.index_type), key=lambda kind: int(kind.bit_width))
    return pa.dictionary(index, wider, ordered=one.ordered and other.ordered)


def _wider_text(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    if _is_text(one) and _is_text(other):
        return pa.large_string()
    if not (_is_bytes(one) and _is_bytes(other)):
        return None
    is_large = pa.types.is_large_binary(one) or pa.types.is_large_binary(other)
    return pa.large_binary() if is_large else pa.binary()


def _is_text(data_type: pa.DataType) -> bool:
    return bool(pa.types.is_string(data_type) or pa.types.is_large_string(data_type))


def _is_bytes(data_type: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(data_type)
        or pa.types.is_large_binary(data_type)
        or pa.types.is_fixed_size_binary(data_type)
    )


def _wider_number(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    whole = [kind for kind in (one, other) if pa.types.is_integer(kind)]
    floats = [kind for kind in (one, other) if pa.types.is_floating(kind)]
    if len(floats) == 2:
        return _FLOATS[max(kind.bit_width for kind in floats)]
    if len(whole) == 2:
        return _wider_integer(*whole)
    if whole and floats:
        # A signed number of n bits has n - 1 beside its sign.
        bits = whole[0].bit_width - int(pa.types.is_signed_integer(whole[0]))
        fitting = (width for width, exact in _EXACT_BITS.items() if bits <= exact)
        width = next((width for width in fitting if width >= floats[0].bit_width), None)
        return None if width is None else _FLOATS[width]
    if pa.types.is_decimal(one) and pa.types.is_decimal(other):
        scale = max(one.scale, other.scale)
        digits = max(one.precision - one.scale, other.precision - other.scale) + scale
        if digits <= _MOST_DIGITS["decimal128"]:
            return pa.decimal128(digits, scale)
        return pa.decimal256(digits, scale) if digits <= _MOST_DIGITS["decimal256"] else None
    return None


def _wider_integer(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    signed = [kind for kind in (one, other) if pa.types.is_signed_integer(kind)]
    most = int(max(one.bit_width, other.bit_width))
    if len(signed) == 2:
        return _SIGNED[most]
    if not signed:
        return _UNSIGNED[most]
    unsigned = other if signed[0] is one else one
    return _SIGNED.get(max(int(signed[0].bit_width), 2 * int(unsigned.bit_width)))


def _wider_time(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """Return the finer of two types of time, if every time of the coarser has a place in it.

    A second, millisecond or microsecond in 64 bits reaches far beyond any calendar, a nanosecond
    only from 1677 to 2262.
    """
    if pa.types.is_date(one) and pa.types.is_date(other):
        return pa.date64()
    if pa.types.is_time(one) and pa.types.is_time(other):
        unit = max(one.unit, other.unit, key=_UNITS.index)
        return pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)
    instants = pa.types.is_timestamp(one) and pa.types.is_timestamp(other) and one.tz == other.tz
    if not instants and not (pa.types.is_duration(one) and pa.types.is_duration(other)):
        return None
    unit = max(one.unit, other.unit, key=_UNITS.index)
    if unit == "ns":
        return None
    return pa.timestamp(unit, one.tz) if instants else pa.duration(unit)


def _wider_nested(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        fields, others = list(one), list(other)
        if [field.name for field in fields] != [field.name for field in others]:
            return None
        pairs = (wider_field(*pair) for pair in zip(fields, others, strict=True))
        found = [field for field in pairs if field is not None]
        return pa.struct(found) if len(found) == len(fields) else None
    if pa.types.is_map(one) and pa.types.is_map(other):
        key = wider_field(one.key_field, other.key_field)
        item = wider_field(one.item_field, other.item_field)
        sorted_keys = one.keys_sorted and other.keys_sorted
        return None if key is None or item is None else pa.map_(key, item, keys_sorted=sorted_keys)
    if not (_is_list(one) and _is_list(other)):
        return None
    field = wider_field(one.value_field, other.value_field)
    if field is None:
        return None
    fixed = [kind for kind in (one, other) if pa.types.is_fixed_size_list(kind)]
    if len(fixed) == 2 and fixed[0].list_size == fixed[1].list_size:
        return pa.list_(field, fixed[0].list_size)
    is_large = pa.types.is_large_list(one) or pa.types.is_large_list(other)
    return pa.large_list(field) if is_large else pa.list_(field)


def _is_list(data_type: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(data_type)
        or pa.types.is_large_list(data_type)
        or pa.types.is_fixed_size_list(data_type)
    )
