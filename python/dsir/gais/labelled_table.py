"""Turns labelled data into what the selectors work on: scaled numbers and class codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments import whole_number
from dsir.errors import SettingError

Floats = npt.NDArray[np.float32]
# Data with more columns than the first are projected to the second (see `projected`).
MOST_COLUMNS = 512
PROJECTED_COLUMNS = 256


@dataclass(frozen=True, slots=True)
class LabelledTable:
    """Scaled rows and their classes.

    Attributes:
        rows: float32[rows, columns]; each column has mean 0 and variance 1, or is all 0 if it has a
            single value.
        labels: int32[rows], class codes, 0 to classes - 1.
        classes: the label of each code, in order; for a regression target, the numbers of the bins.
    """

    rows: Floats
    labels: npt.NDArray[np.int32]
    classes: npt.NDArray[Any]


def labelled_table(
    X: Any,  # noqa: N803
    y: Any,
    *,
    categorical: Sequence[str | int] | None = None,
    bins: int | None = None,
    seed: int = 0,
) -> LabelledTable:
    """Return checked and scaled rows, and class codes, for a selector.

    Args:
        X: [rows, columns]: numbers, a sparse matrix in compressed rows, an Arrow table or record
            batch, or a data frame.
        y: [rows], any labels that can be compared; numbers if `bins` is given.
        categorical: columns, by name or number, whose values are names; each value becomes a 0/1
            column.
        bins: cut a regression target into this many classes of about equal size.
        seed: seed of the projection of wide data.

    Raises:
        SettingError: X or y is of another kind, they differ in length, a value is missing, NaN or
            infinite, or there is only one class.
    """
    labels, classes = class_codes(y, bins)
    rows = _numbers(X, categorical, seed)
    if len(rows) != len(labels):
        raise SettingError(
            f"X has {len(rows):,} rows, y has {len(labels):,}; expected one label for each row"
        )
    return LabelledTable(standardised(rows), labels, classes)


def class_codes(
    y: Any, bins: int | None = None, *, least: int = 2
) -> tuple[npt.NDArray[np.int32], npt.NDArray[Any]]:
    """Return the class code of each row, and the label of each code.

    Raises:
        SettingError: a label is missing or NaN, labels cannot be compared, y has more than one
            dimension, or there are fewer than `least` classes.
    """
    if isinstance(y, pa.Array | pa.ChunkedArray):
        if y.null_count:
            raise SettingError("y: a label is null; leave such rows out")
        y = y.to_pylist()
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise SettingError(f"y: an array of shape {values.shape}; expected one label for each row")
    if len(values) == 0:
        raise SettingError("y: there are no rows")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        bad = int(np.flatnonzero(~np.isfinite(values))[0])
        raise SettingError(f"y: row {bad} is NaN or infinite")
    if values.dtype.kind == "O" and any(one is None for one in values):
        raise SettingError("y: a label is None; leave such rows out")
    if bins is not None:
        values = _binned(values, bins)
    try:
        classes, codes = np.unique(values, return_inverse=True)
    except TypeError as error:
        raise SettingError(f"y: the labels cannot be compared: {error}") from error
    if len(classes) < least:
        raise SettingError(
            f"y: every row has the label {classes[0]!r}, so there is nothing to tell apart; use "
            "dsir.graph.RandomSelection, which accepts a single class"
        )
    if len(classes) > 1000 and len(classes) > len(values) // 10:
        raise SettingError(
            f"y: {len(classes):,} classes in {len(values):,} rows; for a regression target give "
            "bins=..."
        )
    return codes.reshape(-1).astype(np.int32), classes


def _binned(values: npt.NDArray[Any], bins: int) -> npt.NDArray[np.int64]:
    """Cut numbers at their quantiles; equal numbers stay together."""
    bins = whole_number("bins", bins, 2, 1000)
    if values.dtype.kind not in "fiu":
        raise SettingError(
            f"y: holds {values.dtype}, but bins={bins} needs a regression target of numbers"
        )
    edges = np.unique(np.quantile(values.astype(np.float64), np.arange(1, bins) / bins))
    return np.searchsorted(edges, values, side="right")


def standardised(rows: npt.NDArray[np.float64]) -> Floats:
    """Return the columns scaled to mean 0 and variance 1; columns of a single value become 0."""
    if len(rows) == 0:
        return rows.astype(np.float32)
    # Divided by the largest value first: squares of very large values would overflow.
    largest = np.abs(rows).max(axis=0)
    scaled = rows / np.where(largest > 0, largest, 1)
    mean = scaled.mean(axis=0)
    spread = scaled.std(axis=0)
    constant = spread <= 1e-12
    scaled = (scaled - mean) / np.where(constant, 1, spread)
    scaled[:, constant] = 0
    return np.ascontiguousarray(scaled, dtype=np.float32)


def _numbers(
    table: Any, categorical: Sequence[str | int] | None, seed: int
) -> npt.NDArray[np.float64]:
    if all(hasattr(table, name) for name in ("indptr", "indices", "data", "shape")):
        if categorical:
            raise SettingError(
                "categorical: a sparse matrix has only columns of numbers; leave categorical out"
            )
        return _sparse(table, seed)
    names, columns = _columns(table)
    wanted = _column_numbers(categorical or (), names)
    blocks = []
    for number, column in enumerate(columns):
        name = names[number]
        if number in wanted:
            blocks.append(_one_hot(column, name))
        else:
            blocks.append(_number_column(column, name)[:, None])
    if not blocks:
        raise SettingError("X: there are no columns")
    dense = np.hstack(blocks)
    return projected(dense, seed) if dense.shape[1] > MOST_COLUMNS else dense


def _columns(table: Any) -> tuple[list[str], list[Any]]:
    """Return the names and the columns of a table, a data frame or an array."""
    # Not for pandas: its Arrow form has the index as a column.
    if hasattr(table, "__arrow_c_stream__") and not hasattr(table, "iloc"):
        table = pa.table(table)
    elif isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    if isinstance(table, pa.Table):
        return list(table.column_names), list(table.columns)
    if hasattr(table, "columns") and hasattr(table, "__getitem__"):
        names = list(table.columns)
        return [str(name) for name in names], [np.asarray(table[name]) for name in names]
    values = np.asarray(table)
    if values.ndim != 2:
        raise SettingError(
            f"X: an array of shape {values.shape}; expected two dimensions, one row for each "
            "instance"
        )
    return [str(number) for number in range(values.shape[1])], list(values.T)


def _column_numbers(categorical: Sequence[str | int], names: list[str]) -> set[int]:
    if isinstance(categorical, str):
        categorical = (categorical,)
    found = set()
    for column in categorical:
        if isinstance(column, str):
            if column not in names:
                raise SettingError(f"categorical: X has no column {column!r}")
            found.add(names.index(column))
        else:
            found.add(whole_number("categorical", column, 0, len(names) - 1))
    return found


def _one_hot(column: Any, name: str) -> npt.NDArray[np.float64]:
    if isinstance(column, pa.ChunkedArray):
        if column.null_count:
            raise SettingError(
                f"X: column {name!r} has a null; fill it in with a value of its own, e.g. 'unknown'"
            )
        column = column.to_pylist()
    values = np.asarray(column)
    if values.dtype.kind == "O":
        values = values.astype(str)
    found, codes = np.unique(values, return_inverse=True)
    if len(found) > 1000:
        raise SettingError(
            f"X: column {name!r} has {len(found):,} values; a categorical column may have at most "
            "1,000"
        )
    return np.eye(len(found))[codes.reshape(-1)]


def _number_column(column: Any, name: str) -> npt.NDArray[np.float64]:
    if isinstance(column, pa.ChunkedArray):
        kind = column.type
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        if not (number or pa.types.is_boolean(kind) or pa.types.is_decimal(kind)):
            raise SettingError(
                f"X: column {name!r} holds {kind}, not numbers; name it in categorical=..."
            )
        if column.null_count:
            import pyarrow.compute as pc  # Imported here because the import takes long.

            row = pc.index(column.is_null(), pa.scalar(True)).as_py()
            raise SettingError(
                f"X: column {name!r}, row {row}: a value is null; fill it in or leave the row out"
            )
        column = column.to_pylist() if pa.types.is_decimal(kind) else column.to_numpy()
    values = np.asarray(column)
    refusal = f"X: column {name!r} holds {values.dtype}, not numbers; name it in categorical=..."
    if values.dtype.kind not in "fiub":
        if any(isinstance(one, str | bytes) for one in values.tolist()):
            raise SettingError(refusal)
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise SettingError(refusal) from error
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise SettingError(
            f"X: column {name!r}, row {row}: NaN or infinite; fill it in or leave the row out"
        )
    return np.asarray(values)


def _sparse(matrix: Any, seed: int) -> npt.NDArray[np.float64]:
    if getattr(matrix, "format", "csr") != "csr" or len(matrix.shape) != 2:
        raise SettingError("X: a sparse matrix that is not in compressed rows; call .tocsr() first")
    rows, width = (int(size) for size in matrix.shape)
    offsets = np.asarray(matrix.indptr, dtype=np.int64)
    columns = np.asarray(matrix.indices, dtype=np.int64)
    values = np.asarray(matrix.data, dtype=np.float64)
    if not np.isfinite(values).all():
        entry = int(np.flatnonzero(~np.isfinite(values))[0])
        row = int(np.searchsorted(offsets, entry, side="right")) - 1
        raise SettingError(f"X: row {row} holds NaN or an infinite value")
    row_of = np.repeat(np.arange(rows), np.diff(offsets))
    if width <= MOST_COLUMNS:
        dense = np.zeros((rows, width))
        np.add.at(dense, (row_of, columns), values)
        return dense
    return hashed_columns(row_of, columns, values, rows, seed)


def projected(rows: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    """Return wide rows folded into PROJECTED_COLUMNS columns; see `hashed_columns`."""
    scaled = standardised(rows).astype(np.float64)
    target, sign = _places(scaled.shape[1], seed)
    out = np.zeros((len(rows), PROJECTED_COLUMNS))
    for column in range(scaled.shape[1]):
        out[:, target[column]] += sign[column] * scaled[:, column]
    return out


def hashed_columns(
    row_of: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    rows: int,
    seed: int,
) -> npt.NDArray[np.float64]:
    """Return rows in which each column is added, with a random sign, to one of PROJECTED_COLUMNS.

    This is a sparse random projection (feature hashing, Weinberger et al. 2009), which keeps inner
    products in the mean.
    """
    width = int(columns.max()) + 1 if len(columns) else 1
    target, sign = _places(width, seed)
    keys = row_of * PROJECTED_COLUMNS + target[columns]
    summed = np.bincount(keys, values * sign[columns], minlength=rows * PROJECTED_COLUMNS)
    return np.asarray(summed.reshape(rows, PROJECTED_COLUMNS), dtype=np.float64)


def _places(width: int, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    random = np.random.Generator(np.random.Philox(seed))
    target = random.integers(PROJECTED_COLUMNS, size=width)
    sign = np.where(random.integers(2, size=width) == 1, np.float64(1), np.float64(-1))
    return target, sign
