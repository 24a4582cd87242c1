"""Finds the lists in a source of units: a column of lists, or vectors one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.errors import SettingError

_FIRST = 16  # So many rows of a column say whether it holds lists.


def list_column(source: Any, text: str) -> pa.ChunkedArray | None:
    """Return the source, or its text column, if that is a column of lists; else None.

    Args:
        source: an Arrow column or table, or a column or data frame of pandas or polars.
        text: the text column.

    Raises:
        SettingError: the source is a data frame of numbers, without a text column.
    """
    if isinstance(source, pa.Table | pa.RecordBatch) and text in source.schema.names:
        source = source.column(text)
    if isinstance(source, pa.Array):
        source = pa.chunked_array([source])
    if not isinstance(source, pa.ChunkedArray):
        return _of_frame(source, text)
    return source if _holds_lists(source) else None


def one_by_one(source: Any) -> list[Any] | None:
    """Return vectors that are arrays, one for each unit, as lists; None for anything else.

    Args:
        source: a list of arrays; or an array of objects: of numbers in two dimensions, or of arrays
            or lists, as a column of embeddings of pandas has them.
    """
    objects = isinstance(source, np.ndarray) and source.dtype.kind == "O"
    if objects and source.ndim == 2:
        return list(source.tolist())
    if not objects and not isinstance(source, list | tuple):
        return None
    if not any(isinstance(one, np.ndarray | list) for one in source):
        return None
    if not objects and not any(isinstance(one, np.ndarray) for one in source):
        return None  # Lists in a list are read as they are.
    return [one.tolist() if isinstance(one, np.ndarray) else one for one in source]


def matrix_of(source: Any, text: str) -> npt.NDArray[Any]:
    """Return vectors, however they are given, as an array; see `list_column` and `one_by_one`."""
    column = list_column(source, text)
    vectors = one_by_one(source) if column is None else column.to_pylist()
    return np.asarray(source if vectors is None else vectors)


def _of_frame(source: Any, text: str) -> pa.ChunkedArray | None:
    if hasattr(source, "columns") and hasattr(source, "head") and not hasattr(source, "collect"):
        names = list(source.columns)
        if names.count(text) != 1:
            _refuse_numbers(source, names, text)
            return None
        source = source[text]
    if not (hasattr(source, "head") and hasattr(source, "dtype")):
        return None
    try:
        if not _holds_lists(_column(source.head(_FIRST))):
            return None
        return _column(source)
    except (pa.ArrowException, TypeError, ValueError):
        return None  # Reading the texts says what is wrong.


def _column(series: Any) -> pa.ChunkedArray:
    if hasattr(series, "__arrow_c_stream__"):
        return pa.chunked_array(series)
    return pa.chunked_array([pa.array(series, from_pandas=True)])


def _holds_lists(column: pa.ChunkedArray) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(is_kind(column.type) for is_kind in lists)


def _refuse_numbers(frame: Any, names: list[Any], text: str) -> None:
    if text in names or not names or np.asarray(frame.head(1)).dtype.kind not in "fiu":
        return
    raise SettingError(
        f"units: a data frame of numbers without a column {text!r}; for embeddings give an array, "
        "such as frame.to_numpy()"
    )
