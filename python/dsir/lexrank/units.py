"""Turns texts, token lists, sparse matrices or embeddings into vectors of text units.

How each source is read:

- Texts (a list of str, an Arrow string column or table, a path) become tf-idf vectors. Here tf is
  the count of a term in the unit.
- Lists of lists of strings, and Arrow lists of strings, are units that are already tokenised. They
  become tf-idf vectors too. A token has no white space.
- A sparse matrix in compressed rows (anything with `indptr`, `indices`, `data` and `shape`, such as
  scipy's) or an Arrow column list<struct<int, float>> holds vectors, used as they are, without idf.
- A two-dimensional array of numbers, a list of arrays or lists of numbers, or a column (of Arrow,
  pandas or polars) of float lists of one length, holds embeddings, used as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments.arrays import refuse_masked
from dsir.errors import SettingError
from dsir.lexrank.idf import Idf, stopwords_beside
from dsir.lexrank.stopwords import Stopwords, stopwords_of
from dsir.lexrank.terms import count_terms
from dsir.lexrank.vector_lists import list_column, one_by_one
from dsir.primitive_arrays import to_numpy

_LARGEST_VALUE = 1e100


@dataclass(frozen=True, slots=True)
class Units:
    """Vectors of text units.

    Attributes:
        rows: the vectors.
        occupied: uint8, 1 for units with a term (an entry; for embeddings, an entry that is not
            zero). Units without one are left out of graphs and scores.
    """

    rows: _core.UnitRows
    occupied: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return self.rows.size


def units_of(
    source: Any,
    *,
    text: str = "text",
    text_encoding: str | None = None,
    idf: Idf | None = None,
    stopwords: Stopwords = None,
    punctuation: bool = False,
    threads: int = 1,
) -> Units:
    """Return the vectors of the units in a source.

    Args:
        source: texts, token lists or vectors; see the top of this module.
        text: the text column, if the source has columns.
        text_encoding: the encoding of a text column of bytes; None if such a column is an error.
        idf: an idf fitted elsewhere; None to compute it from these units. Not for vectors.
        stopwords: terms to leave out; None for those of `idf`. Not for vectors.
        punctuation: whether runs of punctuation are terms too; only for texts.
        threads: how many threads to use.

    Raises:
        SettingError: the source is of an unknown kind, or its numbers are not vectors.
        InputError: a text cannot be read.
    """
    if idf is not None and not isinstance(idf, Idf):
        raise SettingError(f"idf={idf!r}: expected None or an Idf")
    source = one_by_one(source) or source
    if isinstance(source, list | tuple) and any(isinstance(one, list | tuple) for one in source):
        source = _nested(source)
    vectors = _vectors(source, text)
    if vectors is not None:
        if idf is not None or stopwords is not None:
            raise SettingError(
                "idf and stopwords apply to terms, but these units are vectors; leave both out"
            )
        if punctuation:
            raise SettingError(
                "punctuation=True: is for texts, but these units are vectors; leave it out"
            )
        return Units(vectors, vectors.occupied())
    stopwords = stopwords_beside(idf, stopwords, punctuation=punctuation)
    tokens = _token_lists(source, text)
    if tokens is not None and punctuation:
        raise SettingError(
            "punctuation=True: is for texts, but these units are tokens already; leave it out"
        )
    if tokens is None:
        counter = count_terms(
            source,
            text=text,
            text_encoding=text_encoding,
            name="units",
            stopwords=stopwords,
            punctuation=punctuation,
            keep_rows=True,
            threads=threads,
        )
    else:
        counter = _core.TermCounter(
            words_only=False, stopwords=stopwords_of(stopwords), keep_rows=True
        )
        for chunk in tokens:
            offsets, values = _flat_lists(chunk)
            counter.add_tokens(values, offsets, threads=threads)
    return weighed_terms(counter, idf, threads=threads)


def weighed_terms(
    counter: _core.TermCounter,
    idf: Idf | None,
    *,
    threads: int,
    fitted: _core.TermCounter | None = None,
) -> Units:
    """Return tf-idf vectors of counted terms; this takes the rows out of the counter.

    Args:
        counter: the terms of the units.
        idf: an idf fitted elsewhere; None to compute it.
        threads: how many threads to use.
        fitted: without `idf`: the counts to compute it from; None for those of the units.

    Raises:
        SettingError: idf was fitted on no document.
    """
    offsets, columns, counts, document_counts = counter.take(threads=threads)
    documents = counter.documents
    if idf is not None:
        if idf.documents == 0:
            raise SettingError("idf: was fitted on no document; call fit first")
        document_counts = counter.document_counts_in(idf.counter)
        documents = idf.documents
    elif fitted is not None:
        document_counts = counter.document_counts_in(fitted)
        documents = fitted.documents
    scale = _core.idf(document_counts, documents)
    rows = _core.UnitRows.sparse(offsets, columns, counts, scale)
    return Units(rows, rows.occupied())


def _nested(source: Sequence[Any]) -> Any:
    """Return a list of lists as tokens (an Arrow column) or embeddings (an array).

    Raises:
        SettingError: the lists hold neither tokens nor numbers, or are embeddings of other lengths.
    """
    first = next((one for unit in source if isinstance(unit, list | tuple) for one in unit), "")
    numbers = isinstance(first, Real) and not isinstance(first, bool)
    for row, unit in enumerate(source):
        if not isinstance(unit, list | tuple):
            raise SettingError(
                f"units: element {row} is {type(unit).__name__}, but others are lists; give texts, "
                "or a list of tokens or numbers for each unit"
            )
        for one in unit:
            if numbers and not (isinstance(one, Real) and not isinstance(one, bool)):
                raise SettingError(f"units: element {row} holds {type(one).__name__}, not numbers")
            if not numbers and not isinstance(one, str):
                raise SettingError(f"units: element {row} holds {type(one).__name__}, not tokens")
            if not numbers and any(map(str.isspace, one)):
                raise SettingError(
                    f"units: element {row} holds {one[:40]!r}, which has white space: a text, not "
                    "a token; give all texts as one list"
                )
    if not numbers:
        try:
            return pa.array([list(unit) for unit in source], pa.list_(pa.large_string()))
        except UnicodeEncodeError as error:
            raise SettingError("units: a token holds half a surrogate pair") from error
    if len({len(unit) for unit in source}) > 1:
        raise SettingError("units: the embeddings do not all have the same length")
    return np.array([[float(one) for one in unit] for unit in source], dtype=np.float64)


def _vectors(source: Any, text: str) -> _core.UnitRows | None:
    """Return the source's vectors if it holds numbers, else None."""
    if all(hasattr(source, name) for name in ("indptr", "indices", "data", "shape")):
        return _sparse_rows(source)
    if isinstance(source, np.ndarray) and source.dtype.kind not in "OUST":
        return _dense_rows(source)
    column = list_column(source, text)
    if column is None:
        return None
    values = column.type.value_type
    if pa.types.is_floating(values) or pa.types.is_integer(values):
        return _dense_rows_of_lists(column)
    if pa.types.is_struct(values):
        return _sparse_rows_of_lists(column)
    return None


def _token_lists(source: Any, text: str) -> list[pa.Array] | None:
    column = list_column(source, text)
    if column is None:
        return None
    if pa.types.is_string_view(column.type.value_type):  # Of polars.
        column = column.cast(pa.large_list(pa.large_string()))
    if not (pa.types.is_string(column.type.value_type) or _is_large_string(column)):
        raise SettingError(
            f"units: lists of {column.type.value_type} are neither tokens nor vectors; expected "
            "lists of strings, lists of numbers, or lists of structs of an integer and a number"
        )
    return list(column.chunks)


def _is_large_string(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_large_string(column.type.value_type))


def _flat_lists(chunk: pa.Array) -> tuple[npt.NDArray[np.int64], pa.Array]:
    """Return the offsets of lists, from 0, and their values; a null list counts as empty."""
    import pyarrow.compute as pc  # Imported here because the import takes long.

    lengths = pc.list_value_length(chunk)
    lengths = pc.coalesce(lengths.cast(pa.int64()), pa.scalar(0, pa.int64()))
    offsets = np.zeros(len(chunk) + 1, dtype=np.int64)
    np.cumsum(to_numpy(lengths), out=offsets[1:])
    return offsets, chunk.flatten()


def _sparse_rows(matrix: Any) -> _core.UnitRows:
    if getattr(matrix, "format", "csr") != "csr":
        raise SettingError(
            f"units: a sparse matrix in format {matrix.format!r}; call .tocsr() first"
        )
    if len(matrix.shape) != 2:
        raise SettingError(f"units: a matrix of shape {matrix.shape}; expected two dimensions")
    return _checked_sparse(
        np.asarray(matrix.indptr), np.asarray(matrix.indices), matrix.data, int(matrix.shape[1])
    )


def _sparse_rows_of_lists(column: pa.ChunkedArray) -> _core.UnitRows:
    chunk = _one_chunk(column)
    offsets, entries = _flat_lists(chunk)
    kinds = [entries.type.field(k).type for k in range(entries.type.num_fields)]
    if len(kinds) != 2 or not (pa.types.is_integer(kinds[0]) and pa.types.is_floating(kinds[1])):
        raise SettingError(
            f"units: lists of {entries.type}; expected lists of structs of an integer (the column) "
            "and a floating-point number"
        )
    indices, values = (
        to_numpy(child.cast(kind))
        for child, kind in zip(entries.flatten(), (pa.int64(), pa.float64()), strict=True)
    )
    width = int(indices.max()) + 1 if len(indices) else 0
    return _checked_sparse(offsets, indices, values, width)


def _checked_sparse(
    offsets: npt.NDArray[Any], indices: npt.NDArray[Any], values: Any, width: int
) -> _core.UnitRows:
    data = np.asarray(values, dtype=np.float64)
    if width >= 1 << 31 or (len(indices) and (indices.min() < 0 or indices.max() >= width)):
        raise SettingError(f"units: a column number is not from 0 to {width - 1:,}")
    _check_magnitude(data)
    row_ends = np.ascontiguousarray(offsets, dtype=np.int64)
    columns = np.ascontiguousarray(indices, dtype=np.int32)
    row_ends, columns, data = _canonical(row_ends, columns, data)
    try:
        return _core.UnitRows.sparse(row_ends, columns, data, np.ones(width))
    except ValueError as error:
        raise SettingError(f"units: {error}") from error


def _canonical(
    offsets: npt.NDArray[np.int64], columns: npt.NDArray[np.int32], data: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Sort each row by column, and add up entries of the same column."""
    data = np.ascontiguousarray(data)
    if len(columns) < 2 or offsets[0] != 0 or offsets[-1] != len(columns):
        return offsets, columns, data
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    ascending = (np.diff(columns) > 0) | (np.diff(rows) > 0)
    if ascending.all():
        return offsets, columns, data
    order = np.lexsort((columns, rows))
    rows, columns, data = rows[order], columns[order], data[order]
    first = np.flatnonzero(np.concatenate(([True], (np.diff(columns) > 0) | (np.diff(rows) > 0))))
    counts = np.bincount(rows[first], minlength=len(offsets) - 1)
    ends = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return ends, np.ascontiguousarray(columns[first]), np.add.reduceat(data, first)


def _dense_rows_of_lists(column: pa.ChunkedArray) -> _core.UnitRows:
    chunk = _one_chunk(column)
    if chunk.null_count:
        raise SettingError("units: an embedding is null; leave such units out")
    import pyarrow.compute as pc  # Imported here because the import takes long.

    lengths = to_numpy(pc.list_value_length(chunk).cast(pa.int64()))
    width = int(lengths[0]) if len(lengths) else 0
    if (lengths != width).any():
        raise SettingError("units: the embeddings do not all have the same length")
    values = chunk.flatten()
    if values.null_count:
        raise SettingError("units: an embedding holds a null")
    return _dense_rows(to_numpy(values.cast(pa.float32())).reshape(len(chunk), width))


def _dense_rows(values: npt.NDArray[Any]) -> _core.UnitRows:
    if values.ndim != 2:
        raise SettingError(
            f"units: an array of shape {values.shape}; expected embeddings in two dimensions, one "
            "row for each unit"
        )
    if values.dtype.kind not in "fiub":
        raise SettingError(f"units: an array of {values.dtype}; expected real numbers")
    refuse_masked("units", values)
    with np.errstate(over="ignore"):
        narrow = np.ascontiguousarray(values, dtype=np.float32)
    try:
        return _core.UnitRows.dense(narrow)
    except ValueError as error:
        raise SettingError(f"units: {error}") from error


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    chunk = column.combine_chunks()
    return pa.concat_arrays(chunk.chunks) if isinstance(chunk, pa.ChunkedArray) else chunk


def _check_magnitude(values: npt.NDArray[np.float64]) -> None:
    # NaN passes here: the core refuses it and names its row.
    if len(values) and np.abs(values).max() > _LARGEST_VALUE and np.isfinite(values).all():
        raise SettingError(f"units: a value is larger than {_LARGEST_VALUE:g}; scale the vectors")
