"""Turns labelled data into what the selectors work on: scaled numbers and class codes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from dsir.arguments.values import one_of, shown, whole_number
from dsir.errors import SettingError
from dsir.gais.columns import Column, columns_of
from dsir.gais.labels import class_codes, label_column
from dsir.gais.sparse_columns import numbered_closely
from dsir.gais.text_rows import text_column
from dsir.thread_pool import ThreadPool

Missing = Literal["raise", "fill", "drop"]
Scaling = Literal["columns", "whole"]
Distance = Literal["euclidean", "cosine", "manhattan", "precomputed"]
Floats = npt.NDArray[np.float32]
# Data with more columns than the first are projected to the second (see `projected`).
MOST_COLUMNS = 512
PROJECTED_COLUMNS = 256
# Columns that are scaled together: a row has two cache lines of them.
_COLUMNS_TOGETHER = 16


@dataclass(frozen=True, slots=True)
class LabelledTable:
    """Scaled rows and their classes.

    Attributes:
        rows: float32[rows, columns]. Columns have mean 0, and variance 1 each or in the mean; one
            with a single value is all 0.
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
    missing: Missing = "raise",
    scaling: Scaling = "columns",
    distance: Distance = "euclidean",
    threads: int = 1,
) -> LabelledTable:
    """Return checked and scaled rows, and class codes, for a selector.

    Args:
        X: [rows, columns]: numbers, a sparse matrix in compressed rows, an Arrow table or record
            batch, or a data frame.
        y: [rows], any labels that can be compared; numbers if `bins` is given.
        categorical: columns, by name or number, whose values are names; each value becomes a 0/1
            column. Columns of a categorical type are such columns without being named.
        bins: cut a regression target into this many classes of about equal size.
        seed: seed of the projection of wide data.
        missing: with "fill", a missing number becomes the mean of its column, and a missing name a
            name of its own; otherwise a missing value is an error.
        scaling: "columns" gives every column variance 1; "whole" divides all by one number.
        distance: with "cosine" rows are scaled and not columns, see `one_length`.
        threads: how many threads to use; the result does not depend on them.

    Raises:
        SettingError: X or y is of another kind, they differ in length, a value is missing or
            infinite, a label is missing, or there is only one class.
    """
    labels, classes = class_codes(y, bins)
    scaled = partial(standardised, threads=threads) if scaling == "columns" else one_scale
    if distance == "cosine":
        scaled = one_length
    rows = _numbers(X, categorical, seed, missing == "fill", scaled)
    _check_length(len(rows), len(labels))
    return LabelledTable(scaled(rows), labels, classes)


def standardised(rows: npt.NDArray[np.float64], *, threads: int = 1) -> Floats:
    """Return the columns scaled to mean 0 and variance 1; columns of a single value become 0.

    Args:
        rows: [rows, columns].
        threads: how many threads to use; the result does not depend on them.
    """
    out = np.empty(rows.shape, np.float32)
    if len(rows) == 0:
        return out
    # The cut depends on the number of columns alone, and never leaves a single column of several:
    # numpy adds a single column up in another order.
    groups = max(1, rows.shape[1] // _COLUMNS_TOGETHER)
    cuts = [rows.shape[1] * group // groups for group in range(groups + 1)]

    def scale(columns: slice) -> None:
        own = rows[:, columns]
        # Divided by the largest value first: squares of very large values would overflow.
        largest = np.maximum(own.max(axis=0), -own.min(axis=0))
        scaled = own / np.where(largest > 0, largest, 1)
        mean = scaled.mean(axis=0)
        spread = scaled.std(axis=0)
        constant = spread <= 1e-12
        scaled -= mean
        scaled /= np.where(constant, 1, spread)
        scaled[:, constant] = 0
        out[:, columns] = scaled

    with ThreadPool(threads) as pool:
        for _ in pool.map(scale, [slice(*ends) for ends in itertools.pairwise(cuts)]):
            pass
    return out


def one_scale(rows: npt.NDArray[np.float64]) -> Floats:
    """Return the columns with mean 0, all divided by one number: their variances have mean 1."""
    if len(rows) == 0:
        return rows.astype(np.float32)
    # Divided by the largest value first: squares of very large values would overflow.
    largest = float(np.abs(rows).max(initial=0.0))
    scaled = rows / (largest if largest > 0 else 1.0)
    scaled -= scaled.mean(axis=0)
    spread = float(np.sqrt(np.square(scaled).mean()))
    if spread > 0:
        scaled /= spread
    return np.ascontiguousarray(scaled, dtype=np.float32)


def one_length(rows: npt.NDArray[np.float64]) -> Floats:
    """Return the rows scaled to one length, the root of the number of columns; zeros stay 0.

    Rows of one length are the nearer, the greater the cosine of their angle.
    """
    # Divided by the largest value first: squares of very large values would overflow.
    largest = np.abs(rows).max(axis=1, initial=0.0)
    scaled = rows / np.where(largest > 0, largest, 1)[:, None]
    lengths = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))
    scaled *= (np.sqrt(rows.shape[1]) / np.where(lengths > 0, lengths, 1))[:, None]
    return np.ascontiguousarray(scaled, dtype=np.float32)


def present_rows(X: Any, y: Any, *, texts: bool = False) -> npt.NDArray[np.int64]:  # noqa: N803
    """Return the numbers of the rows that have a label and no missing value, ascending.

    Args:
        X: what `labelled_table` takes, or texts; None if only labels count.
        y: the labels.
        texts: whether X is texts.

    Raises:
        SettingError: X or y cannot be read, or they differ in length.
    """
    missing = label_column(y).missing
    if X is None or is_sparse(X):
        return np.flatnonzero(~missing)
    columns = [text_column(X)] if texts else columns_of(X)
    for column in columns:
        _check_length(len(column), len(missing))
        missing = missing | column.missing
    return np.flatnonzero(~missing)


def check_missing(missing: object) -> None:
    """Raise SettingError unless the argument `missing` is one of its choices."""
    one_of("missing", missing, get_args(Missing))


def _check_length(rows: int, labels: int) -> None:
    if rows != labels:
        raise SettingError(
            f"X has {rows:,} rows, y has {labels:,}; expected one label for each row"
        )


def is_sparse(table: Any) -> bool:
    """Tell whether a value is a sparse matrix in compressed rows, by the attributes of scipy."""
    return all(hasattr(table, name) for name in ("indptr", "indices", "data", "shape"))


def _numbers(
    table: Any,
    categorical: Sequence[str | int] | None,
    seed: int,
    fill: bool,
    scaled: Callable[[npt.NDArray[np.float64]], Floats],
) -> npt.NDArray[np.float64]:
    if is_sparse(table):
        if categorical:
            raise SettingError(
                "categorical: a sparse matrix has only columns of numbers; leave categorical out"
            )
        return _sparse(table, seed)
    if hasattr(table, "tocsr"):
        raise SettingError("X: a sparse matrix that is not in compressed rows; call .tocsr() first")
    dense = None if categorical else _dense(table)
    if dense is not None:
        return projected(dense, seed, scaled) if dense.shape[1] > MOST_COLUMNS else dense
    columns = columns_of(table)
    wanted = _column_numbers(categorical or (), [column.name for column in columns])
    _refuse_names(
        [one for number, one in enumerate(columns) if number not in wanted and not one.names]
    )
    blocks = []
    for number, column in enumerate(columns):
        names = number in wanted or column.names
        blocks.append(_one_hot(column, fill) if names else _number_column(column, fill))
    if not blocks:
        raise SettingError("X: there are no columns")
    dense = np.hstack(blocks)
    return projected(dense, seed, scaled) if dense.shape[1] > MOST_COLUMNS else dense


def _dense(table: Any) -> npt.NDArray[np.float64] | None:
    """Return an array of finite numbers as it is; None for anything that has to be looked at.

    Going through an array column by column takes several times as long.
    """
    if type(table) is not np.ndarray or table.ndim != 2 or table.dtype.kind not in "fiub":
        return None
    numbers = np.ascontiguousarray(table, dtype=np.float64)
    return numbers if table.shape[1] and np.isfinite(numbers).all() else None


def _column_numbers(categorical: Sequence[str | int], names: list[str]) -> set[int]:
    if isinstance(categorical, str):
        categorical = (categorical,)
    if not isinstance(categorical, Iterable):
        raise SettingError(
            f"categorical={shown(categorical)}: expected names or numbers of columns"
        )
    found = set()
    for column in categorical:
        if isinstance(column, str):
            if names.count(column) > 1:
                raise SettingError(
                    f"categorical=[{column!r}]: {names.count(column)} columns {column!r}; "
                    "give another name to one"
                )
            if column not in names:
                raise SettingError(
                    f"categorical=[{column!r}]: no column {column!r}; columns: {', '.join(names)}"
                )
            found.add(names.index(column))
        else:
            found.add(whole_number("categorical", column, 0, len(names) - 1))
    return found


def _one_hot(column: Column, fill: bool) -> npt.NDArray[np.float64]:
    """Return a 0/1 column for each value, and one more for missing values if there are any."""
    if column.missing.any() and not fill:
        row = int(np.flatnonzero(column.missing)[0])
        raise SettingError(
            f"X: column {column.name!r}, row {row}: a name is missing; fill it in, or give "
            "missing='fill' or 'drop'"
        )
    values = column.values
    if values.dtype.kind == "O":
        values = values.astype(str)
    found, codes = np.unique(values, return_inverse=True)
    if len(found) > 1000:
        raise SettingError(
            f"X: column {column.name!r} has {len(found):,} values; a categorical column may have "
            "at most 1,000"
        )
    if not column.missing.any():
        return np.eye(len(found))[codes.reshape(-1)]
    shown = np.eye(len(found) + 1)[np.where(column.missing, len(found), codes.reshape(-1))]
    return shown[:, shown.any(axis=0)]


def _refuse_names(columns: Sequence[Column]) -> None:
    """Raise SettingError for columns of values that are no numbers, and name all of them."""
    bad = [column for column in columns if not _holds_numbers(column)]
    if not bad:
        return
    one = len(bad) == 1
    named = ", ".join(f"{column.name!r} ({column.kind})" for column in bad)
    raise SettingError(
        f"X: {'column' if one else 'columns'} {named} {'does' if one else 'do'} not hold numbers; "
        f"name {'it' if one else 'those that are features'} in categorical=..., or leave "
        f"{'it' if one else 'the others'} out"
    )


def _holds_numbers(column: Column) -> bool:
    values = column.values
    if values.dtype.kind in "fiub":
        return True
    # Python's dates and Arrow's are named by the same rule as strings; numpy's are numbers.
    if values.dtype.kind in "US" or (
        values.dtype.kind == "O" and any(isinstance(one, str | bytes) for one in values)
    ):
        return False
    try:
        values.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _number_column(column: Column, fill: bool) -> npt.NDArray[np.float64]:
    """Return the numbers, and a 0/1 column for missing numbers if there are any."""
    values = column.values.astype(np.float64)
    missing = column.missing | np.isnan(values)
    if missing.any() and not fill:
        row = int(np.flatnonzero(missing)[0])
        raise SettingError(
            f"X: column {column.name!r}, row {row}: a value is missing (null or NaN); fill it in, "
            "or give missing='fill' or 'drop'"
        )
    if np.isinf(values[~missing]).any():
        row = int(np.flatnonzero(np.isinf(values) & ~missing)[0])
        raise SettingError(
            f"X: column {column.name!r}, row {row}: infinite; change it or leave the row out"
        )
    if not missing.any():
        return values[:, None]
    present = values[~missing]
    values = np.where(missing, present.mean() if len(present) else 0.0, values)
    return np.column_stack([values, missing.astype(np.float64)])


def _sparse(matrix: Any, seed: int) -> npt.NDArray[np.float64]:
    if getattr(matrix, "format", "csr") != "csr" or len(matrix.shape) != 2:
        raise SettingError("X: a sparse matrix that is not in compressed rows; call .tocsr() first")
    rows, width = (int(size) for size in matrix.shape)
    if np.asarray(matrix.data).dtype.kind not in "fiub":
        raise SettingError(f"X: a sparse matrix of {matrix.data.dtype}; expected real numbers")
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


def projected(
    rows: npt.NDArray[np.float64],
    seed: int,
    scaled: Callable[[npt.NDArray[np.float64]], Floats] = standardised,
) -> npt.NDArray[np.float64]:
    """Return wide rows, scaled, folded into PROJECTED_COLUMNS columns; see `hashed_columns`."""
    whole = scaled(rows).astype(np.float64)
    target, sign = _places(whole.shape[1], seed)
    out = np.zeros((len(rows), PROJECTED_COLUMNS))
    for column in range(whole.shape[1]):
        out[:, target[column]] += sign[column] * whole[:, column]
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
    columns, width = numbered_closely(columns, int(columns.max(initial=0)) + 1)
    target, sign = _places(width, seed)
    keys = row_of * PROJECTED_COLUMNS + target[columns]
    summed = np.bincount(keys, values * sign[columns], minlength=rows * PROJECTED_COLUMNS)
    return np.asarray(summed.reshape(rows, PROJECTED_COLUMNS), dtype=np.float64)


def _places(width: int, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    random = np.random.Generator(np.random.Philox(seed))
    target = random.integers(PROJECTED_COLUMNS, size=width)
    sign = np.where(random.integers(2, size=width) == 1, np.float64(1), np.float64(-1))
    return target, sign
