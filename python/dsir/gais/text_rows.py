"""Turns labelled texts into sparse rows of hashed n-grams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.errors import SettingError
from dsir.gais.columns import Column, column_of, columns_of, is_table
from dsir.model.features import HashedNgrams


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
    column = text_column(texts)
    counted = []
    for row, (text, missing) in enumerate(
        zip(column.values.tolist(), column.missing.tolist(), strict=True)
    ):
        if missing:
            if not fill:
                raise SettingError(
                    f"X: row {row}: a text is missing; fill it in, or give missing='fill' or 'drop'"
                )
            text = ""
        elif not isinstance(text, str):
            raise SettingError(
                f"X: row {row} is {type(text).__name__}; with features=HashedNgrams(...) every row "
                "must be a text"
            )
        buckets = np.array([bucket for _, bucket in features.ngrams(text)], dtype=np.int64)
        counted.append(np.unique(buckets, return_counts=True))
    offsets = np.zeros(len(counted) + 1, np.int64)
    np.cumsum([len(buckets) for buckets, _ in counted], out=offsets[1:])
    indices = np.concatenate([buckets for buckets, _ in counted] or [np.zeros(0, np.int64)])
    counts = np.concatenate([counts for _, counts in counted] or [np.zeros(0, np.int64)])
    rows_with = np.bincount(indices, minlength=features.buckets)
    idf = np.log(len(counted) / np.maximum(rows_with, 1))
    data = np.log1p(counts) * idf[indices]
    row_of = np.repeat(np.arange(len(counted)), np.diff(offsets))
    lengths = np.sqrt(np.bincount(row_of, data * data, minlength=len(counted)))
    data = data / np.where(lengths > 0, lengths, 1)[row_of]
    return NgramRows(offsets, indices, data, (len(counted), features.buckets))
