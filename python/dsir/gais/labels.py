"""Turns labels of any kind into class codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments.arrays import array_of
from dsir.arguments.values import whole_number
from dsir.errors import SettingError
from dsir.gais.columns import Column, column_of, columns_of, is_table

# More classes than this, most of them of a single row, are numbers or names of rows and no labels.
MOST_SINGLE = 20
MOST_BINS = 1000


def label_column(y: Any, role: str = "y") -> Column:
    """Return the labels of rows as a column.

    Args:
        y: an array, list, Arrow column, pandas or polars column, or a table with one column.
        role: what messages call them.

    Raises:
        SettingError: y has another shape, or holds what is no label: complex numbers, lists,
            records.
    """
    if is_table(y):
        columns = columns_of(y, role)
        if len(columns) != 1:
            raise SettingError(
                f"{role}: a table of {len(columns)} columns; expected one label for each row"
            )
        return columns[0]
    if isinstance(y, pa.Array):
        y = pa.chunked_array([y])
    given = type(y).__name__
    if not isinstance(y, pa.ChunkedArray) and not hasattr(y, "dtype"):
        y = array_of(role, y)
    shape = getattr(y, "shape", None)
    if shape == ():
        raise SettingError(f"{role}: is {given}; expected a list or an array of labels")
    if shape is not None and len(shape) == 2 and shape[1] == 1:
        y = y[:, 0]
    elif shape is not None and len(shape) != 1:
        raise SettingError(f"{role}: an array of shape {shape}; expected one label for each row")
    return column_of(y, role)


def label_codes(
    values: npt.NDArray[Any], role: str = "y"
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int32]]:
    """Return the different labels in order, and for each row the number of its label.

    Args:
        values: labels, none of them missing.
        role: what messages call them.

    Raises:
        SettingError: labels cannot be compared.
    """
    try:
        classes, codes = np.unique(values, return_inverse=True)
    except (TypeError, ValueError) as error:
        raise SettingError(
            f"{role}: the labels cannot be compared: {error}; make all of one type, e.g. by "
            f"[str(label) for label in {role}]"
        ) from error
    return classes, codes.reshape(-1).astype(np.int32)


def class_codes(
    y: Any, bins: int | None = None, *, least: int = 2
) -> tuple[npt.NDArray[np.int32], npt.NDArray[Any]]:
    """Return the class code of each row, and the label of each code.

    Args:
        y: labels, or a `Column` of them.
        bins: cut a regression target into this many classes.
        least: the fewest classes.

    Raises:
        SettingError: a label is missing or infinite, labels cannot be compared, y has more than one
            dimension, there are fewer than `least` classes, or as many classes as rows.
    """
    column = y if isinstance(y, Column) else label_column(y)
    values = column.values
    if len(values) == 0:
        raise SettingError("y: there are no rows")
    if column.missing.any():
        row = int(np.flatnonzero(column.missing)[0])
        raise SettingError(
            f"y: row {row} has no label; leave such rows out, or give missing='drop'"
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise SettingError(f"y: row {row} is infinite")
    if bins is not None:
        values = _binned(values, bins)
    classes, codes = label_codes(values)
    if len(classes) < least:
        raise SettingError(
            f"y: one class: every row has the label {classes[:1].tolist()[0]!r}, so there is "
            "nothing to tell apart; use dsir.graph.RandomSelection, which accepts a single class"
        )
    if bins is None:
        _refuse_single(classes, values)
    return codes, classes


def classes_of(y: Any, bins: int | None = None) -> npt.NDArray[Any]:
    """Return the label of each class code, of the rows that have a label; see `class_codes`."""
    column = label_column(y)
    return class_codes(column.take(np.flatnonzero(~column.missing)), bins)[1]


def _refuse_single(classes: npt.NDArray[Any], values: npt.NDArray[Any]) -> None:
    """Refuse labels that are numbers to predict, or that tell rows and not classes apart."""
    rows = len(values)
    most = rows // (10 if len(classes) > 1000 else 2)
    if values.dtype.kind == "f" and bool((values != np.floor(values)).any()):
        most = 0
    if len(classes) > MOST_SINGLE and len(classes) > most:
        raise SettingError(
            f"y: {len(classes):,} classes in {rows:,} rows; for a regression target give bins=..., "
            "e.g. bins=10"
        )


def _named_kind(values: npt.NDArray[Any]) -> str:
    """Return what labels are, for messages."""
    texts = values.dtype.kind in "US" or any(isinstance(one, str) for one in values[:1])
    return "texts" if texts else str(values.dtype)


def _binned(values: npt.NDArray[Any], bins: int) -> npt.NDArray[np.int64]:
    """Cut numbers at their quantiles; equal numbers stay together."""
    bins = whole_number("bins", bins, 2, MOST_BINS)
    if values.dtype.kind not in "fiu":
        raise SettingError(
            f"y: holds {_named_kind(values)}, but bins={bins} cuts numbers into classes; leave "
            "bins out: each label is a class of its own"
        )
    edges = np.unique(np.quantile(values.astype(np.float64), np.arange(1, bins) / bins))
    return np.searchsorted(edges, values, side="right")
