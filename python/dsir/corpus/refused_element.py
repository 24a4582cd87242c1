"""Says which element of a column of Python objects Arrow does not take, and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments.values import is_utf8, shown
from dsir.remote.read_errors import first_line


def refused_element(column: Any) -> str | None:
    """Say which element of a column is the first that Arrow refuses, and how to go on.

    Args:
        column: a column of pandas or NumPy, or a list. None, NaN and NA stand for what is missing.

    Returns:
        The end of a message, such as "row 7 holds 1.5 (float), but row 0 'a ship' (str); ...";
        None if Arrow takes every element, or the column has more than one dimension.
    """
    values = np.asarray(column, dtype=object)
    if values.ndim != 1 or _is_taken(values):
        return None
    taken, refused = 0, len(values)
    while refused - taken > 1:
        middle = (taken + refused) // 2
        if _is_taken(values[:middle]):
            taken = middle
        else:
            refused = middle
    element = values[taken]
    if isinstance(element, str) and not is_utf8(element):
        return f"row {taken} holds half a surrogate pair, which is no text"
    present = (row for row in range(taken) if not is_missing(values[row]))
    before = next(present, None)
    if before is None:
        return (
            f"row {taken} holds {_typed(element)}, which Arrow has no type for; make texts of such "
            "values, as .astype(str) does, or leave them out"
        )
    return (
        f"row {taken} holds {_typed(element)}, but row {before} {_typed(values[before])}; make all "
        "of one type, as .astype(str) does"
    )


def refused_column(frame: Any) -> str | None:
    """Say which column of a pandas DataFrame Arrow refuses, and which element of it.

    Args:
        frame: a DataFrame, whose columns may have the same name.

    Returns:
        The end of a message, such as "column 'text': row 7 holds ..."; None if Arrow takes each
        column on its own.
    """
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        try:
            pa.array(column, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError) as error:
            return f"column {str(name)!r}: {refused_element(column) or first_line(error)}"
    return None


def is_missing(value: object) -> bool:
    """Tell whether a Python object stands for a missing value: None, NaN, NaT or NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    try:
        return bool(value != value)  # Only NaN and NaT differ from themselves.
    except (TypeError, ValueError, ArithmeticError):
        return False


def _is_taken(values: npt.NDArray[Any]) -> bool:
    try:
        pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):  # A surrogate is a ValueError.
        return False
    return True


def _typed(element: object) -> str:
    return f"{shown(element)} ({type(element).__name__})"
