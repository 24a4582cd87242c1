"""Columns of any library's tables as numpy values, with their missing values marked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments.arrays import array_of
from dsir.corpus.pandas_index import described_index, index_columns
from dsir.corpus.refused_element import is_missing
from dsir.errors import SettingError

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Column:
    """The values of a column, one for each row.

    Attributes:
        name: its name, for messages.
        values: the values; at a missing one, anything.
        missing: whether the value is missing: null, None, NaN, NaT, NA or masked.
        names: whether the column's own type says that its values are names (categories).
        kind: the type, for messages.
    """

    name: str
    values: npt.NDArray[Any]
    missing: Bools
    names: bool
    kind: str

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: npt.NDArray[np.int64]) -> Column:
        """Return the column of some rows."""
        return Column(self.name, self.values[rows], self.missing[rows], self.names, self.kind)


def is_table(value: Any) -> bool:
    """Tell whether a value is an Arrow table or a data frame, and not a single column."""
    if isinstance(value, pa.Table | pa.RecordBatch):
        return True
    return hasattr(value, "columns") and hasattr(value, "__getitem__")


def columns_of(table: Any, role: str = "X") -> list[Column]:
    """Return the columns of an Arrow table, a data frame, or an array of two dimensions.

    The index of pandas is none of them, neither in a frame nor in the Arrow table made of one.

    Args:
        table: the table.
        role: what messages call it.

    Raises:
        SettingError: it is none of these, or a column holds what is neither numbers nor names.
    """
    # The columns of a lazy frame are not looked at: it is refused below.
    if role == "X" and not hasattr(table, "collect") and _is_texts(table):
        raise SettingError(
            "X: a column of texts; give features=dsir.HashedNgrams() to learn from their n-grams, "
            "or a table with this column for categorical=..."
        )
    # Not for pandas: its Arrow form has the index as a column.
    if hasattr(table, "__arrow_c_stream__") and not hasattr(table, "iloc"):
        read = isinstance(table, pa.Table)
        try:
            table = pa.table(table)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise SettingError(f"{role}: cannot be read as an Arrow table: {error}") from error
        if not read:
            # Frames of polars and others have lost the metadata; the name has to do.
            table = _without(table, index_columns(table.schema))
    elif isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    if isinstance(table, pa.Table):
        table = _without(table, described_index(table.schema))
        named = zip(table.column_names, table.columns, strict=True)
        return [column_of(column, f"{role}: column {name!r}", name) for name, column in named]
    if hasattr(table, "collect"):
        raise SettingError(f"{role}: is {type(table).__name__}; call .collect() first")
    if is_table(table):
        names = [str(name) for name in table.columns]
        # By position where that is possible: two columns of a frame may have one name.
        found = (
            [table.iloc[:, place] for place in range(len(names))]
            if hasattr(table, "iloc")
            else [table[name] for name in table.columns]
        )
        return [
            column_of(column, f"{role}: column {name!r}", name)
            for name, column in zip(names, found, strict=True)
        ]
    # A masked value is missing.
    values = table if isinstance(table, np.ma.MaskedArray) else array_of(role, table)
    if values.ndim == 2 and values.shape[1] == 0:
        raise SettingError(
            f"{role}: 0 feature(s) (shape={values.shape}) while a minimum of 1 is required."
        )
    if values.ndim != 2:
        raise SettingError(
            f"{role}: an array of shape {values.shape}; expected two dimensions, one row for each "
            "instance"
        )
    return [
        column_of(column, f"{role}: column '{number}'", str(number))
        for number, column in enumerate(values.T)
    ]


def numbers_of(table: Any, role: str = "X") -> npt.NDArray[Any]:
    """Return an array, lists or a data frame as an array; NaN where a frame has no number.

    Only what holds no numbers alone comes back as objects or strings.

    Args:
        table: the array, lists or frame.
        role: what messages call it.

    Raises:
        SettingError: lists in a list differ in length, or an entry is masked.
    """
    values = array_of(role, table)
    if values.dtype.kind != "O" or not is_table(table):
        return values
    # Nullable columns of pandas together are objects.
    columns = [(np.array(one.values.tolist()), one.missing) for one in columns_of(table, role)]
    if any(column.dtype.kind not in "fiub" for column, missing in columns if not missing.all()):
        return values
    blank = [np.where(missing, np.nan, 0 if missing.all() else one) for one, missing in columns]
    return np.column_stack(blank)


def _is_texts(column: Any) -> bool:
    """Tell whether a value is a single column of texts: of Arrow, pandas or polars, or an array."""
    if isinstance(column, pa.Array | pa.ChunkedArray):
        kind = column.type
        return bool(
            pa.types.is_string(kind)
            or pa.types.is_large_string(kind)
            or pa.types.is_string_view(kind)
        )
    if is_table(column) or not (hasattr(column, "dtype") or isinstance(column, list | tuple)):
        return False
    shape = getattr(column, "shape", (1,))
    return len(shape) == 1 and len(column) > 0 and isinstance(next(iter(column)), str)


def _without(table: pa.Table, names: Collection[str]) -> pa.Table:
    kept = [place for place, name in enumerate(table.column_names) if name not in names]
    return table if len(kept) == table.num_columns else table.select(kept)


def column_of(column: Any, where: str, name: str = "") -> Column:
    """Return a column of any library as numpy values.

    Args:
        column: an array of one dimension, an Arrow column, or a pandas or polars column.
        where: what messages call it.
        name: its name in the table.

    Raises:
        SettingError: it holds complex numbers, lists, records or the like.
    """
    if isinstance(column, pa.ChunkedArray):
        return _arrow_column(column, where, name)
    kind = str(getattr(column, "dtype", "object"))
    names = kind == "category"
    # Nullable columns of pandas know best what is missing. NA turns their values into objects.
    missing = _told_missing(column)
    values = np.asarray(column)
    if values.dtype.kind == "T":
        values = values.astype(object)
    if values.dtype.kind in "cV":
        reason = "Complex data not supported: " if values.dtype.kind == "c" else ""
        raise SettingError(
            f"{reason}{where} holds {values.dtype}, which are neither numbers nor names"
        )
    if missing is None:
        missing = _missing_in(values)
    if values.dtype.kind == "O":
        _refuse_nested(values, where)
        values = _filled(values, missing)
    return Column(name, values, missing, names, kind if names else str(values.dtype))


def _arrow_column(column: pa.ChunkedArray, where: str, name: str) -> Column:
    kind = column.type
    names = pa.types.is_dictionary(kind)
    inner = kind.value_type if names else kind
    numbers = pa.types.is_integer(inner) or pa.types.is_floating(inner)
    others = (
        *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
        *(pa.types.is_boolean, pa.types.is_decimal, pa.types.is_null),
        *(pa.types.is_date, pa.types.is_time, pa.types.is_timestamp, pa.types.is_duration),
        *(pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary),
    )
    if not numbers and not any(is_kind(inner) for is_kind in others):
        raise SettingError(f"{where} holds {kind}, which are neither numbers nor names")
    try:
        column.validate(full=True)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise SettingError(f"{where} is damaged: {error}") from error
    missing = np.asarray(column.is_null(), dtype=bool)
    if numbers and not names:
        values = np.asarray(column.to_numpy())
    else:
        try:
            listed = column.to_pylist()
        except (ValueError, OverflowError) as error:  # Dates that Python does not have.
            raise SettingError(f"{where} holds {kind} that cannot be read: {error}") from error
        present = next((one for one in listed if one is not None), None)
        values = np.asarray([present if one is None else one for one in listed])
    if values.dtype.kind == "f":
        missing = missing | np.isnan(values)
    return Column(name, values, missing, names, str(kind))


def _told_missing(column: Any) -> Bools | None:
    """Return what a column of pandas, polars or a mask says is missing; None for others."""
    if isinstance(column, np.ma.MaskedArray):
        return np.ma.getmaskarray(column) | _missing_in(np.asarray(column))
    if hasattr(column, "isna"):
        return np.asarray(column.isna(), dtype=bool)
    if hasattr(column, "is_null") and hasattr(column, "to_numpy"):
        nulls = np.asarray(column.is_null().to_numpy(), dtype=bool)
        return nulls | _missing_in(np.asarray(column))
    return None


def _missing_in(values: npt.NDArray[Any]) -> Bools:
    if values.dtype.kind == "f":
        return np.asarray(np.isnan(values))
    if values.dtype.kind in "mM":
        return np.asarray(np.isnat(values))
    if values.dtype.kind == "O":
        return np.fromiter((is_missing(one) for one in values), bool, len(values))
    return np.zeros(len(values), dtype=bool)


def _refuse_nested(values: npt.NDArray[Any], where: str) -> None:
    for row, value in enumerate(values):
        if isinstance(value, list | tuple | dict | set | np.ndarray | complex):
            raise SettingError(
                f"{where}, row {row}: holds {type(value).__name__}, which is neither a number nor "
                "a name"
            )


def _filled(values: npt.NDArray[Any], missing: Bools) -> npt.NDArray[Any]:
    """Return objects with a present value in place of each missing one."""
    if not missing.any() or missing.all():
        return values
    filled: npt.NDArray[Any] = values.copy()
    filled[missing] = values[int(np.flatnonzero(~missing)[0])]
    return filled
