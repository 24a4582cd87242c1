"""Selects sparse rows by the columns that tell the classes: `cpp/gais/column_coverage.hpp`.

Ours. The rows kept of a class together have the columns (words, n-grams) that are likelier in the
class than outside; each further row with the same column counts for less. docs/lab/gais.md compares
it with coverage by distances on texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.gais.labelled_table import MOST_COLUMNS
from dsir.gais.sparse_columns import numbered_closely

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ColumnLists:
    """The columns that each row has: those of its entries that are not 0.

    Attributes:
        offsets: int64[rows + 1].
        columns: int32[entries], ascending within a row, each once.
        width: how many columns there are; see `numbered_closely`.
    """

    offsets: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int32]
    width: int


def covers_columns(select: str, sparse_columns: int | None) -> bool:
    """Return whether rows are selected by their columns.

    Args:
        select: the argument of `GAIS`.
        sparse_columns: how many columns the rows have if they are sparse; None if they are not.
    """
    if select == "auto":
        return sparse_columns is not None and sparse_columns > MOST_COLUMNS
    return select == "column-coverage"


def column_lists(matrix: Any) -> ColumnLists:
    """Return the columns that the rows of a sparse matrix have.

    Args:
        matrix: compressed rows, with the attribute names of scipy; checked by `labelled_table`.
    """
    rows, width = (int(size) for size in matrix.shape)
    present = np.asarray(matrix.data) != 0
    row_of = np.repeat(np.arange(rows), np.diff(np.asarray(matrix.indptr)))[present]
    # A matrix may name a column of a row twice, and in any order.
    indices, width = numbered_closely(np.asarray(matrix.indices, np.int64)[present], width)
    found = np.unique(row_of * width + indices)
    row_of, columns = np.divmod(found, max(1, width))
    offsets = np.searchsorted(row_of, np.arange(rows + 1)).astype(np.int64)
    return ColumnLists(offsets, columns.astype(np.int32), width)


def column_covering_rows(
    lists: ColumnLists,
    labels: npt.NDArray[np.int32],
    shares: npt.NDArray[np.int64],
    *,
    seed: int,
    threads: int,
) -> Rows:
    """Return rows of each class that together have the columns which tell it: int64, ascending.

    Args:
        lists: the columns of each row.
        labels: [rows].
        shares: how many rows of each class to keep.
        seed: decides between rows that gain the same.
        threads: how many threads to use; the result does not depend on them.
    """
    random = np.random.Generator(np.random.Philox([seed, 3]))
    priority = random.permutation(len(labels)).astype(np.int32)
    chosen = _core.column_coverage(
        lists.offsets,
        lists.columns,
        labels,
        priority,
        shares.tolist(),
        width=lists.width,
        threads=threads,
    )
    return np.sort(chosen.astype(np.int64))
