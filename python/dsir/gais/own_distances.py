"""Reads distances that the caller has measured: a square matrix, or a sparse neighbour graph.

The conventions are those of metric="precomputed" in scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.errors import SettingError
from dsir.gais.columns import numbers_of
from dsir.gais.labelled_table import is_sparse
from dsir.gais.neighbours import Edges, nearest_columns

Floats = npt.NDArray[np.float32]
# Two distances are the same if they differ by less than this share of the largest: in single
# precision those of near rows are no better.
_CLOSE = 1e-3
_BLOCK_VALUES = 1 << 22


@dataclass(frozen=True, slots=True)
class SquareDistances:
    """The distances of all pairs of rows: float32[rows, rows]."""

    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    def away(self, row: int) -> Floats:
        """Return the distances from a row to all rows: float32[rows]."""
        return np.asarray(self.values[row])

    def nearest(self, k: int) -> Edges:
        """Return edges from each row to its k nearest others; of equally near ones the earlier."""
        k = min(k, len(self) - 1)
        ends = [
            nearest_columns(self.values[begin:end], np.arange(begin, end), k)
            for begin, end in _blocks(len(self))
        ]
        offsets = np.arange(len(self) + 1, dtype=np.int64) * k
        return Edges(offsets, np.concatenate(ends).reshape(-1))


@dataclass(frozen=True, slots=True)
class GraphDistances:
    """The distances of some pairs of rows, in compressed rows; each pair is there both ways.

    Attributes:
        offsets: int64[rows + 1].
        ends: int32[edges], ascending in a row.
        lengths: float32[edges].
    """

    offsets: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int32]
    lengths: Floats

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def away(self, row: int) -> Floats:
        """Return the lengths of the shortest paths from a row; infinite if there is none."""
        return _core.shortest_paths(self.offsets, self.ends, self.lengths, source=row)

    def nearest(self, k: int) -> Edges:
        """Return each row's k shortest edges; of equally long ones the earlier."""
        rows = np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets))
        order = np.lexsort((self.ends, self.lengths, rows))
        rank = np.arange(len(order)) - self.offsets[rows[order]]
        kept = np.sort(order[rank < k])
        offsets = np.zeros(len(self) + 1, np.int64)
        np.cumsum(np.bincount(rows[kept], minlength=len(self)), out=offsets[1:])
        return Edges(offsets, self.ends[kept])


def own_distances(X: Any) -> SquareDistances | GraphDistances:  # noqa: N803
    """Return checked distances.

    Args:
        X: [rows, rows]: an array, a data frame or lists with the distances of all pairs; or a
            sparse matrix in compressed rows whose entries are the distances of near pairs, such as
            that of scikit-learn's `kneighbors_graph(mode="distance")`. An entry in one direction
            counts for both.

    Raises:
        SettingError: X is not square, a distance is negative, NaN or infinite, the distance of a
            row to itself is not 0, the two distances of a pair differ, or a graph has no edge.
    """
    if is_sparse(X):
        return _graph(X)
    if hasattr(X, "tocsr"):
        raise SettingError("X: a sparse matrix that is not in compressed rows; call .tocsr() first")
    values = numbers_of(X)
    if values.dtype.kind not in "fiub":
        raise SettingError(
            f"X: distance='precomputed' expects numbers, the distances; found {values.dtype}"
        )
    _check_square(values.shape)
    largest = 0.0
    for begin, end in _blocks(len(values)):
        block = values[begin:end]
        _check_values(block, begin)
        largest = max(largest, float(block.max(initial=0)))
    _check_own(np.diagonal(values), largest)
    for begin, end in _blocks(len(values)):
        apart = np.abs(values[begin:end].astype(np.float64) - values[:, begin:end].T)
        if apart.max(initial=0) > _CLOSE * largest:
            row, other = np.unravel_index(int(apart.argmax()), apart.shape)
            _refuse_directions(int(begin + row), int(other), values[begin + row, other], values)
    narrow = np.array(values, dtype=np.float32, order="C")
    np.fill_diagonal(narrow, 0)
    return SquareDistances(narrow)


def _graph(matrix: Any) -> GraphDistances:
    if getattr(matrix, "format", "csr") != "csr":
        raise SettingError("X: a sparse matrix that is not in compressed rows; call .tocsr() first")
    _check_square(matrix.shape)
    size = int(matrix.shape[0])
    starts: npt.NDArray[Any] = np.asarray(matrix.indptr, dtype=np.int64)
    rows = np.repeat(np.arange(size), np.diff(starts))
    ends = np.asarray(matrix.indices, dtype=np.int64)
    lengths = np.asarray(matrix.data)
    if lengths.dtype.kind not in "fiub":
        raise SettingError(f"X: a sparse matrix of {lengths.dtype}; expected real numbers")
    for wrong, what in (
        (~np.isfinite(lengths), "is not finite"),
        (lengths < 0, "is negative"),
    ):
        if wrong.any():
            entry = int(np.flatnonzero(wrong)[0])
            raise SettingError(
                f"X: the distance from row {rows[entry]} to row {ends[entry]} {what}; distances "
                "must be finite numbers of 0 or more"
            )
    largest = float(lengths.max(initial=0))
    own = np.zeros(size)
    np.maximum.at(own, rows[rows == ends], lengths[rows == ends])
    _check_own(own, largest)
    apart = rows != ends
    rows, ends, lengths = rows[apart], ends[apart], lengths[apart].astype(np.float64)
    if len(rows) == 0:
        raise SettingError(
            "X: the graph of distances has no edge; give the distances of each row's nearest rows"
        )
    # Both ways, sorted, and each pair once.
    keys = np.concatenate([rows * size + ends, ends * size + rows])
    both = np.concatenate([lengths, lengths])
    order = np.argsort(keys, kind="stable")
    keys, both = keys[order], both[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    least, most = np.minimum.reduceat(both, first), np.maximum.reduceat(both, first)
    if (most - least > _CLOSE * largest).any():
        at = int(np.argmax(most - least))
        row, other = divmod(int(keys[first[at]]), size)
        raise SettingError(
            f"X: rows {row} and {other} have the distances {least[at]:g} and {most[at]:g}; "
            "expected the same in both directions, and each pair once"
        )
    keys = keys[first]
    offsets = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(keys // size, minlength=size), out=offsets[1:])
    return GraphDistances(offsets, (keys % size).astype(np.int32), least.astype(np.float32))


def _blocks(rows: int) -> Iterator[tuple[int, int]]:
    """Yield the begins and ends of blocks of rows that are small beside all pairs."""
    step = max(1, _BLOCK_VALUES // max(1, rows))
    for begin in range(0, rows, step):
        yield begin, min(rows, begin + step)


def _check_square(shape: tuple[int, ...]) -> None:
    if len(shape) != 2 or shape[0] != shape[1]:
        raise SettingError(
            f"X: distance='precomputed' expects the distances of all pairs, [rows, rows]; found an "
            f"array of shape {tuple(shape)}. For rows of columns give another distance"
        )


def _check_values(block: npt.NDArray[Any], begin: int) -> None:
    for wrong, what in ((~np.isfinite(block), "is not finite"), (block < 0, "is negative")):
        if wrong.any():
            row, other = np.unravel_index(int(wrong.argmax()), wrong.shape)
            raise SettingError(
                f"X: the distance from row {begin + int(row)} to row {int(other)} {what}; "
                "distances must be finite numbers of 0 or more"
            )


def _check_own(own: npt.NDArray[Any], largest: float) -> None:
    """Raise SettingError unless every row has the distance 0 to itself."""
    wrong = np.flatnonzero(own > _CLOSE * largest)
    if len(wrong) > 0:
        raise SettingError(
            f"X: row {wrong[0]} has the distance {float(own[wrong[0]]):g} to itself; expected 0. "
            "Similarities are no distances: for cosines give 1 - cosine"
        )


def _refuse_directions(row: int, other: int, there: float, values: npt.NDArray[Any]) -> None:
    raise SettingError(
        f"X: the distance from row {row} to row {other} is {float(there):g}, and back "
        f"{float(values[other, row]):g}; expected the same, e.g. (X + X.T) / 2"
    )
