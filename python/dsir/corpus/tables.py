"""Makes Arrow tables of sources in memory: Arrow data, data sets, and plain texts."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from dsir.corpus.cast_columns import is_view, whole_view
from dsir.corpus.refused_element import is_missing, refused_column, refused_element
from dsir.errors import DsirError, SettingError
from dsir.remote.read_errors import first_line

_DATASET_ROWS = 10_000
_STRING_ROWS = 1 << 16
_PLAIN = frozenset({str, type(None)})


def speaks_arrow(source: object) -> bool:
    """Tell whether a source is or exports Arrow data, or is a `datasets.Dataset`."""
    return (
        isinstance(
            source, pa.Table | pa.RecordBatch | pa.RecordBatchReader | pa.Array | pa.ChunkedArray
        )
        or hasattr(source, "__arrow_c_stream__")
        or hasattr(source, "__arrow_c_array__")
        or _is_dataset(source)
    )


def table_of(source: Any, text: str, name: str) -> pa.Table:
    """Return an Arrow source as a table; an array becomes a table of one text column.

    Args:
        source: anything that `speaks_arrow`.
        text: the name of the column that an array becomes.
        name: what messages call the source.

    Raises:
        SettingError: the source does not export valid Arrow data.
    """
    _refuse_objects(source, name)
    try:
        return _with_whole_views(_as_table(source, text))
    except DsirError:  # SettingError is a ValueError.
        raise
    except (pa.ArrowException, OSError, TypeError, ValueError) as error:
        # Frames with a column twice, sparse columns, and strings that are not UTF-8.
        raise SettingError(
            f"{name}: the {type(source).__name__} cannot be read as Arrow data: "
            f"{_why_not(source, error)}"
        ) from error


def _refuse_objects(source: Any, name: str) -> None:
    """Refuse a frame of polars with columns of Python objects: Arrow would get their addresses."""
    if hasattr(source, "iloc") or not (hasattr(source, "dtypes") and hasattr(source, "columns")):
        return
    for column, kind in zip(source.columns, source.dtypes, strict=False):
        if str(kind) == "Object":
            raise SettingError(
                f"{name}: column {column!r} holds objects of Python, which Arrow has no type for; "
                f"cast it to another type, or leave it out by frame.drop({column!r})"
            )


def _why_not(source: Any, error: Exception) -> str:
    """Say why a source is no Arrow data; of one of pandas, which column and which row."""
    why = None
    if hasattr(source, "iloc"):
        why = refused_element(source) if source.ndim == 1 else refused_column(source)
    return why or first_line(error)


def _as_table(source: Any, text: str) -> pa.Table:
    if isinstance(source, pa.Table):
        return source
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source])
    if isinstance(source, pa.RecordBatchReader):
        return source.read_all()
    if isinstance(source, pa.Array | pa.ChunkedArray):
        return _table_of_array(source, text)
    if hasattr(source, "__arrow_c_stream__"):
        return _table_of_stream(source, text)
    if hasattr(source, "__arrow_c_array__"):
        return _table_of_array(pa.array(source), text)
    return _table_of_dataset(source)


def _with_whole_views(table: pa.Table) -> pa.Table:
    """Return a table whose columns of views have all their buffers; see `whole_view`."""
    for place, column in enumerate(table.columns):
        if is_view(column.type):
            whole = pa.chunked_array(map(whole_view, column.chunks), column.type)
            table = table.set_column(place, table.schema.field(place), whole)
    return table


def first_texts(source: Any, rows: int = 16) -> list[str | None]:
    """Return the first strings of an array or a column; none for tables and everything else."""
    if not isinstance(source, pa.Array | pa.ChunkedArray):
        # A column, such as a polars Series; asking a stream for its rows would use it up.
        if not hasattr(source, "__arrow_c_stream__") or not hasattr(source, "dtype"):
            return []
        try:
            source = pa.chunked_array(source)
        except (pa.ArrowException, TypeError, ValueError):
            return []  # A table, or what `table_of` says more about.
    kind = source.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    ):
        return []
    try:
        found: list[str | None] = source.slice(0, rows).to_pylist()
    except UnicodeDecodeError:
        return []  # No names of files, and an error of the row when it is read.
    return found


def table_of_texts(texts: Iterable[object], text: str, name: str) -> pa.Table:
    """Return plain texts as a table of one large_string column.

    Args:
        texts: strings; None is a null.
        text: the name of the column.
        name: what messages call the source.

    Raises:
        SettingError: an element is not a string, or holds half a surrogate pair.
    """
    rest = iter(texts)
    chunks = []
    position = 0
    while chunk := list(itertools.islice(rest, _STRING_ROWS)):
        chunks.append(_array_of_texts(chunk, position, name))
        position += len(chunk)
    return pa.table({text: pa.chunked_array(chunks, type=pa.large_string())})


def _array_of_texts(texts: list[Any], first: int, name: str) -> pa.Array:
    """Return texts as an array; `first` is the position of the first among all."""
    if not _PLAIN.issuperset(map(type, texts)):  # Faster than a look at each.
        for position, element in enumerate(texts, first):
            if element is not None and not isinstance(element, str):
                hint = ""
                if isinstance(element, bytes):
                    hint = "; decode such elements, by .decode()"
                elif is_missing(element):
                    hint = "; give None for a text that is missing"
                raise SettingError(
                    f"{name}: element {position} is {type(element).__name__}, not str; "
                    f"a sequence of texts may hold only str and None{hint}"
                )
    try:
        return pa.array(texts, type=pa.large_string())
    except UnicodeEncodeError:
        position = next(i for i, element in enumerate(texts, first) if not _is_text(element))
        raise SettingError(
            f"{name}: element {position} holds half a surrogate pair, which is no text"
        ) from None


def _is_text(element: str | None) -> bool:
    try:
        (element or "").encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _table_of_array(array: pa.Array | pa.ChunkedArray, text: str) -> pa.Table:
    if pa.types.is_struct(array.type):
        return pa.Table.from_struct_array(array)
    return pa.table({text: array})


def _table_of_stream(source: Any, text: str) -> pa.Table:
    try:
        return pa.RecordBatchReader.from_stream(source).read_all()
    except pa.ArrowInvalid:
        # A column (such as a polars Series) exports a stream too, but not of record batches.
        return _table_of_array(pa.chunked_array(source), text)


def _is_dataset(source: object) -> bool:
    return all(hasattr(source, name) for name in ("with_format", "iter", "column_names"))


def _table_of_dataset(source: Any) -> pa.Table:
    """Read a `datasets.Dataset` with its selections and shuffles applied."""
    batches = list(source.with_format("arrow").iter(batch_size=_DATASET_ROWS))
    if not batches:
        return pa.table({column: pa.array([], pa.string()) for column in source.column_names})
    return pa.concat_tables(batches)
