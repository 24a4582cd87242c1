"""The values of a column of numbers, for rows that were fetched by their number.

A value is a number, true or false (1 or 0), or a text that reads as a number, because columns of
CSV files and of folder names are texts. Dots lead into nested columns. A column or field whose name
has the dots in it wins over a nested one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments.values import shown
from dsir.corpus.shard import Shard
from dsir.corpus.shard_rows import TakenRows
from dsir.corpus.text_column import TextColumn, find_column, is_text, not_found
from dsir.errors import RowError, ShardError
from dsir.primitive_arrays import to_numpy

_WAY_OUT = "fill the column in, or leave the row out of raw"


def find_number_column(
    schema: pa.Schema, column: str, name: str, purpose: str = "combine"
) -> TextColumn:
    """Find a column of numbers in a schema.

    Args:
        schema: the columns of the shard.
        column: the name of the column; dots lead into nested columns.
        name: what messages call the shard.
        purpose: the argument that names the column.

    Raises:
        ShardError: there is no such column, or its type cannot be numbers.
    """
    found = find_column(schema, column)
    if found is None:
        raise ShardError(not_found(schema, column, name, f" for {purpose}"), path=name)
    kind = found.type.value_type if pa.types.is_dictionary(found.type) else found.type
    if not (_is_number(kind) or is_text(kind) or pa.types.is_null(kind)):
        raise ShardError(
            f"{name}: column {column!r} is {found.type}; {purpose} needs a column of numbers",
            path=name,
        )
    return found


def numbers_of(taken: TakenRows, column: str, shard: Shard) -> npt.NDArray[np.float64]:
    """Return the numbers of fetched rows, float64[rows], all finite.

    Args:
        taken: the rows.
        column: the name of the column.
        shard: the shard that the rows are from.

    Raises:
        ShardError: there is no such column, or it holds no numbers.
        RowError: the value of a row is null, missing, not finite, or not a number.
    """
    if taken.records is None:
        assert taken.lines is not None, "rows are records or lines"
        values = _of_lines(taken.lines, column, shard.folder_columns)
    else:
        array = find_number_column(taken.records.schema, column, shard.name).of(taken.records)
        kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
        if _is_number(kind) and not array.null_count:
            numbers = _as_floats(array)
            if np.isfinite(numbers).all():
                return numbers
        values = iter(array.to_pylist())
    found = np.zeros(len(taken.rows))
    for place, value in enumerate(values):
        number = number_in(value)
        if number is None:
            row = shard.rows_before() + int(taken.rows[place])
            said = "null" if value is None else shown(value)
            raise RowError(
                f"{shard.name}: row {row:,}: column {column!r} is {said}, and combine needs a "
                f"finite number; {_WAY_OUT}",
                path=shard.name,
                row=row,
            )
        found[place] = number
    return found


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    )


def _as_floats(array: pa.Array) -> npt.NDArray[np.float64]:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_boolean(array.type) or pa.types.is_float16(array.type):
        return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)
    # Whole numbers above 2^53 become the nearest float.
    found: npt.NDArray[np.float64] = to_numpy(array.cast(pa.float64(), safe=False))
    return found


def _of_lines(
    lines: Sequence[Any], column: str, of_folders: Mapping[str, str | None]
) -> Iterator[Any]:
    """Give the values of a field of JSON lines; a column that folders name wins, as in quotas."""
    for line in lines:
        if column in of_folders:
            yield of_folders[column]
            continue
        # A whole number of thousands of digits is a float too large, and no other error.
        value = json.loads(line.as_py().decode("utf-8", "replace"), parse_int=float)
        if column in value:
            yield value[column]
            continue
        for name in column.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        yield value


def number_in(value: Any) -> float | None:
    """Return a value of a column as a finite float; None if it is no number.

    A text such as "1_000" is none, though Python's float() reads it.
    """
    if isinstance(value, dict | list | bytes) or value is None:
        return None
    if isinstance(value, str) and "_" in value:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
