"""The values of quota columns: a code for each row of a batch, and the names of the codes.

A value's name is its JSON text (`"news"`, `12`, `0.5`, `true`, `null`), so every format gives the
same name. Dates and times are strings, such as `"2026-11-27"`. A column holds strings, numbers,
dates, times or booleans, or a dictionary of one of these; dots lead into nested columns. In JSON
Lines a value may be of any type, and a missing field counts as null.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.json_text import choose_field
from dsir.corpus.line_blocks import LineBlock
from dsir.corpus.text_column import TextColumn, find_column, not_found
from dsir.errors import ShardError
from dsir.primitive_arrays import to_numpy

_MAX_FAST_BYTES = (1 << 31) - 16  # pyarrow counts the bytes of a block in 32 bits.
_LONGEST_INTEGER = 4000  # Digits. Python refuses to convert more than 4,300.
# The zeros at the end of a second: a time has one name, whatever the unit of its column.
_LAST_ZEROS = re.compile(r"\.(\d*?)0+(Z|[+-]\d{4})?$")
_JSON_KINDS = (pa.string(), pa.int64(), pa.bool_())


class GroupValues(NamedTuple):
    """The values of one column in consecutive rows.

    Attributes:
        codes: uint32[rows], positions in `names`.
        names: the names of the values; a name may be there twice.
    """

    codes: npt.NDArray[np.uint32]
    names: list[str]

    def of(self, rows: slice | npt.NDArray[np.int64]) -> GroupValues:
        """Return the values of some of the rows."""
        return GroupValues(self.codes[rows], self.names)


def find_group_column(schema: pa.Schema, column: str, name: str) -> TextColumn:
    """Find a quota column in a schema.

    Args:
        schema: the columns of the shard.
        column: the name of the quota column; dots lead into nested columns.
        name: what messages call the shard.

    Raises:
        ShardError: there is no such column, or its type cannot have quotas.
    """
    found = find_column(schema, column)
    if found is None:
        raise ShardError(not_found(schema, column, name, " for quotas"), path=name)
    kind = found.type.value_type if pa.types.is_dictionary(found.type) else found.type
    if not (is_text(kind) or has_other_names(kind) or pa.types.is_null(kind)):
        raise ShardError(
            f"{name}: column {column!r} is {found.type}; quotas need a column of strings, numbers, "
            "dates, times, or true and false",
            path=name,
        )
    return found


def has_other_names(kind: pa.DataType) -> bool:
    """Return whether values of a type have names but are not text: numbers, dates, flags."""
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_boolean(kind)
        or types.is_date(kind)
        or types.is_time(kind)
        or types.is_timestamp(kind)
    )


def values_of(array: pa.Array) -> GroupValues:
    """Return codes and names for the values of a column that `find_group_column` accepts."""
    if pa.types.is_null(array.type):
        return GroupValues(np.zeros(len(array), np.uint32), ["null"])
    if not pa.types.is_dictionary(array.type):
        if pa.types.is_string_view(array.type):
            array = array.cast(pa.large_string())
        array = array.dictionary_encode()
    names = _names_of(array.dictionary)
    indices = array.indices
    codes = np.full(len(array), len(names), dtype=np.uint32)  # The code of null, which comes last.
    if indices.null_count:
        present = to_numpy(indices.is_valid().cast(pa.uint8())).astype(bool)
        codes[present] = to_numpy(indices.drop_null())
    elif len(array):
        codes[:] = to_numpy(indices)
    return GroupValues(codes, [*names, "null"])


class LineValues:
    """Reads the values of quota fields from the lines of a shard.

    Args:
        columns: the names of the fields.
        name: what messages call the shard.
    """

    def __init__(self, columns: Sequence[str], name: str) -> None:
        self._columns = columns
        self._name = name
        self._fields: dict[str, tuple[str, ...]] = {}
        self._kinds = dict.fromkeys(columns, _JSON_KINDS[0])
        self._missing = set(columns)

    def of(self, block: LineBlock) -> tuple[GroupValues, ...]:
        """Return the values in a block of lines, one `GroupValues` for each column."""
        if not block.rows:
            return tuple(GroupValues(np.zeros(0, np.uint32), []) for _ in self._columns)
        self.choose(block)
        return tuple(self._read(block, column) for column in self._columns)

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields that had no value but null in the blocks so far."""
        return tuple(column for column in self._columns if column in self._missing)

    def choose(self, block: LineBlock) -> bool:
        """Decide what the dots in field names mean; return whether that is now known for all.

        The first object of a file decides, once: "a.b" is one field if the object has it.
        """
        for column in self._columns:
            if column not in self._fields:
                found = choose_field(block, column)
                if found is not None:
                    self._fields[column] = found
        return len(self._fields) == len(set(self._columns))

    def find_missing(self, blocks: Iterator[LineBlock]) -> str | None:
        """Return a field that no line has; None if every field is there, or no line is an object.

        Args:
            blocks: the whole file, read again to tell a missing field from one that is always null.
        """
        objects = 0
        for block in blocks:
            self.choose(block)
            for index in range(block.rows):
                line = _load(block.row_bytes(index))
                if isinstance(line, dict):
                    objects += 1
                    self._missing -= {
                        column for column in self._missing if _has(line, self._fields[column])
                    }
            if not self._missing:
                return None
        return self.missing[0] if objects else None

    def _read(self, block: LineBlock, column: str) -> GroupValues:
        field = self._fields.get(column, (column,))
        values = self._read_at_once(block, column, field)
        if values is None:
            lines = [_load(block.row_bytes(index)) for index in range(block.rows)]
            found_names = [_name_of(_value_in(line, field)) for line in lines]
            unique: dict[str, int] = {}
            codes = [unique.setdefault(name, len(unique)) for name in found_names]
            values = GroupValues(np.array(codes, dtype=np.uint32), list(unique))
        if column in self._missing and any(
            values.names[code] != "null" for code in np.unique(values.codes)
        ):
            self._missing.discard(column)
        return values

    def _read_at_once(
        self, block: LineBlock, column: str, field: tuple[str, ...]
    ) -> GroupValues | None:
        """Parse the field of all lines in one call; None if the values are not of one type.

        Also None unless every line is an object and pyarrow finds as many rows as there are lines:
        only then is row i of pyarrow's table line i of the block.
        """
        import pyarrow.json as pj  # Here: long to import.

        if not block.objects or len(block.data) > _MAX_FAST_BYTES:
            return None
        first = self._kinds[column]
        for kind in (first, *(kind for kind in _JSON_KINDS if kind != first)):
            data_type = kind
            for name in reversed(field[1:]):
                data_type = pa.struct([(name, data_type)])
            try:
                table = pj.read_json(
                    pa.py_buffer(block.data),
                    read_options=pj.ReadOptions(use_threads=False, block_size=len(block.data) + 1),
                    parse_options=pj.ParseOptions(
                        explicit_schema=pa.schema([(field[0], data_type)]),
                        unexpected_field_behavior="ignore",
                    ),
                )
            except (pa.ArrowException, UnicodeError):
                continue
            if table.num_rows != block.rows:
                return None
            self._kinds[column] = kind
            if table.num_columns != 1:
                return GroupValues(np.zeros(block.rows, np.uint32), ["null"])
            schema = pa.schema([(field[0], data_type)])
            batch = pa.RecordBatch.from_arrays([table.column(0).combine_chunks()], schema=schema)
            return values_of(TextColumn(field, kind).of(batch))
        return None


def is_text(kind: pa.DataType) -> bool:
    """Return whether a type is a type of strings."""
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _names_of(values: pa.Array) -> list[str]:
    """Return the names of the values of an array."""
    kind = values.type
    if is_text(kind):
        # As bytes: a string that is not UTF-8 is a value like any other.
        values = values.cast(pa.large_string()).cast(pa.large_binary())
    elif pa.types.is_floating(kind):
        # By way of strings: 0.1 in 32 bits is the value 0.1, and not its 17 digits in 64 bits.
        texts = values.cast(pa.string()).to_pylist()
        return [_name_of(None if text is None else _finite(text)) for text in texts]
    elif pa.types.is_decimal(kind):
        return ["null" if value is None else str(value) for value in values.to_pylist()]
    elif not (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        times = values.cast(pa.string()).to_pylist()
        return [_name_of(None if time is None else _without_zeros(time)) for time in times]
    return [_name_of(value) for value in values.to_pylist()]


def _without_zeros(time: str) -> str:
    return _LAST_ZEROS.sub(lambda at: (f".{at[1]}" if at[1] else "") + (at[2] or ""), time)


def _name_of(value: Any) -> str:
    """Return the JSON text of a value. Bytes are the bytes of a string."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    # Half a surrogate pair becomes an escape.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _load(line: bytes) -> Any:
    """Return what a line holds; None if the line is broken, which `json_text` reports."""
    try:
        return json.loads(line, parse_int=_whole, parse_float=_finite, parse_constant=str)
    except (ValueError, RecursionError):
        return None


def _finite(digits: str) -> float | str:
    """Return a number of a line or an array; what JSON cannot write as a number is a string."""
    number = float(digits) + 0.0  # Adding 0 makes 0.0 of -0.0.
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _whole(digits: str) -> int | float | str:
    return int(digits) if len(digits) < _LONGEST_INTEGER else _finite(digits)


def _value_in(line: Any, field: tuple[str, ...]) -> Any:
    for name in field:
        line = line.get(name) if isinstance(line, dict) else None
    return line


def _has(line: dict[str, Any], field: tuple[str, ...]) -> bool:
    parent = _value_in(line, field[:-1])
    return isinstance(parent, dict) and field[-1] in parent
