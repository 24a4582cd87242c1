"""Turns labelled texts into sparse rows of hashed n-grams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.errors import SettingError
from dsir.gais.columns import Column, column_of, columns_of, is_table
from dsir.model.features import HashedNgrams, utf8_of

_AT_ONCE = 4096  # Texts whose n-grams are in memory one by one.
_MOST_COLUMNS = 2048
_MOST_ENTRIES = 1 << 26


@dataclass(frozen=True, slots=True)
class NgramRows:
    """Compressed sparse rows, with the attribute names of scipy.

    Attributes:
        indptr: int64[rows + 1].
        indices: int64[entries], buckets.
        data: float64[entries].
        shape: rows and buckets.
    """

    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int64]
    data: npt.NDArray[np.float64]
    shape: tuple[int, int]


def text_column(texts: Any) -> Column:
    """Return texts as a column.

    Raises:
        SettingError: `texts` is not a list or column of texts.
    """
    if is_table(texts) and len(texts.columns) == 1:
        return columns_of(texts)[0]
    if isinstance(texts, str) or not hasattr(texts, "__iter__") or is_table(texts):
        raise SettingError("X: with features=HashedNgrams(...) expected a list of texts")
    if isinstance(texts, pa.Array):
        texts = pa.chunked_array([texts])
    if not isinstance(texts, pa.ChunkedArray) and not hasattr(texts, "dtype"):
        listed = list(texts)
        texts = np.empty(len(listed), dtype=object)
        texts[:] = listed
    return column_of(texts, "X")


def ngram_rows(texts: Any, features: HashedNgrams, *, fill: bool = False) -> NgramRows:
    """Return a sparse tf-idf row of length 1 for each text.

    The entry of a bucket, before scaling, is log(1 + count) log(rows / rows with the bucket).

    Args:
        texts: a list or column of texts.
        features: which n-grams to count, and in how many buckets.
        fill: take a missing text for an empty one.

    Raises:
        SettingError: `texts` is not a list of texts, or a text is missing.
        RowError: a text has lone surrogates.
    """
    features.ngrams("")  # Refuses features that have no texts.
    found = _read_texts(text_column(texts), fill=fill)
    parts = [_counted(found[at : at + _AT_ONCE], features) for at in range(0, len(found), _AT_ONCE)]
    sizes = [size for size, _, _ in parts]
    offsets = np.zeros(len(found) + 1, np.int64)
    np.cumsum(np.concatenate(sizes or [np.zeros(0, np.int64)]), out=offsets[1:])
    indices = np.concatenate([buckets for _, buckets, _ in parts] or [np.zeros(0, np.int64)])
    counts = np.concatenate([counts for _, _, counts in parts] or [np.zeros(0, np.int64)])
    rows_with = np.bincount(indices, minlength=features.buckets)
    idf = np.log(max(1, len(found)) / np.maximum(rows_with, 1))
    data = np.log1p(counts) * idf[indices]
    row_of = np.repeat(np.arange(len(found)), np.diff(offsets))
    lengths = np.sqrt(np.bincount(row_of, data * data, minlength=len(found)))
    data = data / np.where(lengths > 0, lengths, 1)[row_of]
    return NgramRows(offsets, indices, data, (len(found), features.buckets))


def frequent_columns(rows: NgramRows) -> npt.NDArray[np.float32]:
    """Return the columns that most rows have, as dense rows: float32[rows, at most 2,048].

    What a classifier of words with a limited vocabulary sees; columns are not mixed, as they are in
    the rows of `labelled_table`. There are fewer columns where there are more than 32,768 rows.
    """
    count, width = rows.shape
    rows_with = np.bincount(rows.indices, minlength=width)
    most = min(_MOST_COLUMNS, max(1, _MOST_ENTRIES // max(1, count)), width)
    chosen = np.sort(np.argsort(-rows_with, kind="stable")[:most])
    place = np.full(width, -1, np.int64)
    place[chosen] = np.arange(most)
    row_of = np.repeat(np.arange(count), np.diff(rows.indptr))
    columns = place[rows.indices]
    dense = np.zeros((count, most), np.float32)
    inside = columns >= 0
    dense[row_of[inside], columns[inside]] = rows.data[inside]
    # Of length 1, as the sparse rows: near rows are those of the same direction.
    lengths = np.sqrt(np.einsum("ij,ij->i", dense, dense, dtype=np.float64))
    dense /= np.where(lengths > 0, lengths, 1).astype(np.float32)[:, None]
    return dense


def _read_texts(column: Column, *, fill: bool) -> list[str]:
    """Return the texts of a column.

    Raises:
        SettingError: a value is no text, or is missing.
        RowError: a text has lone surrogates.
    """
    found = []
    for row, (text, missing) in enumerate(
        zip(column.values.tolist(), column.missing.tolist(), strict=True)
    ):
        if missing and not fill:
            raise SettingError(
                f"X: row {row}: a text is missing; fill it in, or give missing='fill' or 'drop'"
            )
        if not missing and not isinstance(text, str):
            raise SettingError(
                f"X: row {row} is {type(text).__name__}; with features=HashedNgrams(...) every row "
                "must be a text"
            )
        if not missing:
            utf8_of(text)
        found.append("" if missing else text)
    return found


def _counted(
    texts: list[str], features: HashedNgrams
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return how many buckets each text has, the buckets ascending, and their n-grams."""
    prepared = features.prepared(pa.array(texts, pa.large_string()))
    rows = np.arange(len(texts), dtype=np.int64)
    offsets, buckets = _core.bucket_lists(prepared, features.spec, rows)
    keys = np.repeat(rows, np.diff(offsets)) * features.buckets + buckets
    keys.sort()
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.diff(first, append=len(keys))
    row_of, found = np.divmod(keys[first], features.buckets)
    return np.bincount(row_of, minlength=len(texts)), found, counts
