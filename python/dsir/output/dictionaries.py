"""Dictionary columns in the output: decoded while rows are gathered, encoded again at the end.

Batches of one column may have different dictionaries. The output must not depend on them, so the
dictionaries are built again from the values, in the order in which the values come.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from dsir.corpus.cast_columns import with_inner_types

# Where a dictionary is in a nested column: the positions of the children that lead to it.
_Place = tuple[int, ...]


class DictionaryEncoder:
    """Brings gathered values back to the type of their column.

    Args:
        data_type: the type of the column.
        shared: all arrays get the same dictionary, with all the values that were learned before.
            Otherwise every array gets a dictionary of its own.
    """

    def __init__(self, data_type: pa.DataType, *, shared: bool) -> None:
        self._type = data_type
        # The order of an ordered dictionary has a meaning, so it stays as it came.
        self._ordered = bool(pa.types.is_dictionary(data_type) and data_type.ordered)
        self._shared = shared or self._ordered
        self._values: dict[_Place, pa.Array] = {}

    def learn_order(self, array: pa.Array) -> None:
        """Learn the values of an input's ordered dictionary, in their order."""
        if self._ordered and pa.types.is_dictionary(array.type):
            self._extend((), array.dictionary.cast(plain_type(self._type)))

    def learn(self, array: pa.Array) -> None:
        """Learn plain values that `encode` gets later."""
        if self._shared:
            self._learn(array, self._type, ())

    def encode(self, array: pa.Array) -> pa.Array:
        """Return plain values in the type of the column."""
        return self._encode(array, self._type, ()) if self._shared else _cast(array, self._type)

    def _learn(self, array: pa.Array, data_type: pa.DataType, place: _Place) -> None:
        if pa.types.is_dictionary(data_type):
            self._extend(place, array)
        elif pa.types.is_struct(data_type):
            for index, child in enumerate(array.flatten()):
                self._learn(child, data_type.field(index).type, (*place, index))
        elif pa.types.is_list(data_type) or pa.types.is_large_list(data_type):
            self._learn(array.flatten(), data_type.value_type, (*place, 0))

    def _encode(self, array: pa.Array, data_type: pa.DataType, place: _Place) -> pa.Array:
        import pyarrow.compute as pc  # Here: long to import.

        if array.type == data_type:
            return array
        if pa.types.is_dictionary(data_type):
            values = self._values.get(place, array.slice(0, 0))
            indices = pc.index_in(array, value_set=values)
            return pa.DictionaryArray.from_arrays(
                indices.cast(data_type.index_type),
                _cast(values, data_type.value_type),
                ordered=data_type.ordered,
            )
        if pa.types.is_struct(data_type):
            children = [
                self._encode(child, data_type.field(index).type, (*place, index))
                for index, child in enumerate(array.flatten())
            ]
            return pa.StructArray.from_arrays(
                children, fields=list(data_type), mask=pc.is_null(array)
            )
        if pa.types.is_list(data_type) or pa.types.is_large_list(data_type):
            kind = pa.ListArray if pa.types.is_list(data_type) else pa.LargeListArray
            values = self._encode(array.values, data_type.value_type, (*place, 0))
            return kind.from_arrays(array.offsets, values, type=data_type, mask=pc.is_null(array))
        return _cast(array, data_type)

    def _extend(self, place: _Place, array: pa.Array) -> None:
        import pyarrow.compute as pc  # Here: long to import.

        known = self._values.get(place)
        seen = pc.unique(array).drop_null()
        if known is None:
            self._values[place] = seen
            return
        fresh = seen.filter(pc.invert(pc.is_in(seen, value_set=known)))
        if len(fresh):
            self._values[place] = pa.concat_arrays([known, fresh])


def plain_type(data_type: pa.DataType) -> pa.DataType:
    """Return a type with its dictionaries replaced by their value types, and views by arrays."""
    if pa.types.is_dictionary(data_type):
        return plain_type(data_type.value_type)
    if pa.types.is_string_view(data_type):
        return pa.large_string()
    if pa.types.is_binary_view(data_type):
        return pa.large_binary()
    if pa.types.is_struct(data_type):
        return pa.struct([field.with_type(plain_type(field.type)) for field in data_type])
    if pa.types.is_list(data_type):
        return pa.list_(data_type.value_field.with_type(plain_type(data_type.value_type)))
    if pa.types.is_large_list(data_type):
        return pa.large_list(data_type.value_field.with_type(plain_type(data_type.value_type)))
    return data_type


def plain_unless(data_type: pa.DataType, stays: Callable[[pa.DataType], bool]) -> pa.DataType:
    """Return a type with its dictionaries replaced by their value types, but for some.

    Args:
        data_type: any type.
        stays: takes the type of a dictionary's values and tells whether it stays a dictionary.
    """
    if not pa.types.is_dictionary(data_type):
        return with_inner_types(data_type, lambda inner: plain_unless(inner, stays))
    if stays(data_type.value_type):
        return data_type
    return plain_unless(data_type.value_type, stays)


def is_hashed(values: pa.DataType) -> bool:
    """Tell whether pyarrow can find values of a type in a dictionary.

    It cannot find half floats, nor lists, structs and the like.
    """
    return not (pa.types.is_nested(values) or pa.types.is_float16(values))


def is_string_or_bytes(values: pa.DataType) -> bool:
    """Tell whether values of a type are strings or bytes of any length."""
    return plain_type(values) in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


def has_dictionary(data_type: pa.DataType) -> bool:
    """Tell whether a type is a dictionary, or contains one that `plain_type` replaces."""
    if pa.types.is_dictionary(data_type):
        return True
    if pa.types.is_struct(data_type):
        return any(has_dictionary(field.type) for field in data_type)
    if pa.types.is_list(data_type) or pa.types.is_large_list(data_type):
        return has_dictionary(data_type.value_type)
    return False


def _cast(array: pa.Array, data_type: pa.DataType) -> pa.Array:
    return array if array.type == data_type else array.cast(data_type)
