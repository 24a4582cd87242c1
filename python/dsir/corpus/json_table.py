"""Makes a table of whole JSON objects, one for each line, whatever their fields hold."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa


class JsonColumns:
    """Collects the fields of objects, column by column.

    A field that some objects lack is null there. Strings stay strings, also those that look like
    dates. Whole numbers and fractions in one field become fractions. A field whose values have no
    common type becomes strings of JSON.
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {}
        self._rows = 0

    def add(self, line: bytes) -> None:
        """Add the object of a line.

        Raises:
            ValueError: the line is not a JSON object in UTF-8; the message says why.
        """
        try:
            found = json.loads(line)
        except RecursionError:
            raise ValueError("is nested too deeply") from None
        if not isinstance(found, dict):
            raise ValueError(f"is no object but {type(found).__name__}")  # noqa: TRY004 - of data
        for name, value in found.items():
            column = self._columns.get(name)
            if column is None:
                _check_name(name)
                column = self._columns[name] = []
            if len(column) < self._rows:
                column.extend([None] * (self._rows - len(column)))
            column.append(value)
        self._rows += 1

    def table(self) -> pa.Table:
        """Return the table of the objects.

        Raises:
            ValueError: a string holds half a surrogate pair; the message says where.
        """
        columns = {}
        for name, values in self._columns.items():
            values.extend([None] * (self._rows - len(values)))
            columns[name] = _array(name, values)
        return pa.table(columns)


def _check_name(name: str) -> None:
    if not _is_text(name):
        raise ValueError(f"has the field {name!r}, half a surrogate pair in its name")


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _array(name: str, values: list[Any]) -> pa.Array | pa.ChunkedArray:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {str}:
        try:
            return pa.array(values)  # In chunks if it has more bytes than one array can hold.
        except UnicodeEncodeError:
            row = next(k for k, one in enumerate(values) if one is not None and not _is_text(one))
            raise ValueError(f"row {row}: {name!r} holds half a surrogate pair") from None
    # pyarrow would make numbers of truth values beside numbers.
    if not (bool in kinds and len(kinds) > 1):
        try:
            found = pa.array(values)
            if not _has_empty_struct(found.type):
                return found
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            pass  # No common type.
    texts = [None if value is None else json.dumps(value) for value in values]
    return pa.array(texts)


def _has_empty_struct(kind: pa.DataType) -> bool:
    """Tell whether a type holds records without fields, which Parquet cannot store."""
    if pa.types.is_struct(kind) and kind.num_fields == 0:
        return True
    return any(_has_empty_struct(kind.field(place).type) for place in range(kind.num_fields))
