"""Finds nearest neighbours of rows of numbers: exactly, within mini-batches, or by hashing.

Source: Rustamov et al. 2025 (arXiv 2502.20293), as docs/algorithms.md, section 13, reads it; our
choices where the paper leaves them open are in docs/lab/gais.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.arguments.values import number, one_of, whole_number
from dsir.engine import thread_count
from dsir.errors import SettingError
from dsir.facts import Fact, Facts
from dsir.gais.columns import numbers_of
from dsir.gais.labels import label_codes, label_column
from dsir.gais.parts import Parts, split_rows

GraphMethod = Literal["exact", "minibatch", "lsh", "lsh-multilevel", "lsh-multiview"]

Floats = npt.NDArray[np.float32]
_TABLES = 8
_BUCKET_ROWS = 64
_MOST_BITS = 48


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Edges(Facts):
    """Directed edges between rows, in compressed rows.

    Attributes:
        offsets: int64[rows + 1].
        neighbours: int32[edges], ascending in a row.
    """

    offsets: npt.NDArray[np.int64]
    neighbours: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def _facts(self) -> Iterator[Fact]:
        """Give the size of the graph."""
        yield "rows", f"{len(self):,}"
        yield "edges", f"{len(self.neighbours):,}"

    def keys(self) -> npt.NDArray[np.int64]:
        """Return every edge as row * rows + neighbour: int64[edges]."""
        rows = np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets))
        return rows * len(self) + self.neighbours

    def undirected(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return (offsets, neighbours) with every edge both ways, and a loop at each row.

        Neighbours ascend in a row.
        """
        return _core.both_ways(
            np.ascontiguousarray(self.offsets, np.int64),
            np.ascontiguousarray(self.neighbours, np.int32),
        )


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class NeighbourGraph(Edges):
    """Nearest neighbours in compressed rows; edges are directed.

    Attributes:
        offsets: int64[rows + 1].
        neighbours: int32[edges], ascending in a row.
        cosines: float32[edges].
        shares: float32[edges], the share of the tables, levels or views that put both rows into one
            bucket; 1 everywhere for "exact" and "minibatch".

    Example:
        >>> found = dsir.graph.neighbours([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0]], k=1)
        >>> found.neighbours.tolist()
        [1, 0, 0]
    """

    cosines: Floats
    shares: Floats

    def recall(self, exact: NeighbourGraph) -> float:
        """Return the share of the exact graph's edges that this graph has, 0 to 1."""
        size = len(self)
        if len(exact) != size:
            raise SettingError(f"recall: the graphs have {size:,} and {len(exact):,} rows")
        wanted, found = exact.keys(), self.keys()
        return float(np.isin(wanted, found).mean()) if len(wanted) else 1.0


def neighbours(
    X: Any,  # noqa: N803
    *,
    k: int = 10,
    threshold: float = -1.0,
    method: GraphMethod = "exact",
    batch_size: int = 512,
    labels: npt.ArrayLike | None = None,
    tables: int = _TABLES,
    lift: bool = True,
    random_state: int = 0,
    threads: int | None = None,
) -> NeighbourGraph:
    """Return every row's `k` nearest other rows by cosine, among the rows that a method compares.

    With `lift`, rows are divided by the root of their mean squared length, and then get one more
    coordinate, 1, before the cosine is taken. A plain cosine cannot tell apart points in the same
    direction, and in two dimensions that loses most of the information.

    Args:
        X: numbers [rows, features], scaled by how much each feature should count.
        k: 1 or more. Among equal cosines the smaller row number comes first.
        threshold: edges have cosine >= threshold, -1 to 1.
        method: "exact" compares all pairs; "minibatch" compares rows in the same batch of near
            rows; "lsh" compares rows that share a bucket of sign random projections in one of
            `tables` tables; "lsh-multilevel" does so with coarse to fine codes, and "lsh-multiview"
            with tables that each see a random half of the features.
        batch_size: most rows of a mini-batch, 2 or more.
        labels: one label for each row; mini-batches then keep the proportions of the labels. Rows
            whose label is missing count as a class of their own.
        tables: 1 to 64.
        lift: whether to lift the rows, see above.
        random_state: seed of the mini-batches and projections.
        threads: how many threads to use; None for every core. The result does not depend on them.

    Raises:
        SettingError: an argument is out of range, or X holds NaN or is not a table of numbers.

    Example:
        >>> dsir.graph.neighbours([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0]], k=1)
        NeighbourGraph(rows: 3, edges: 3)
    """
    rows = numbers_of(X)
    if rows.ndim != 2 or rows.dtype.kind not in "fiub":
        raise SettingError(
            f"X: expected numbers in two dimensions, found {rows.dtype} of shape {rows.shape}"
        )
    narrow = np.ascontiguousarray(rows, dtype=np.float32)
    if not np.isfinite(narrow).all():
        bad = int(np.flatnonzero(~np.isfinite(narrow).all(axis=1))[0])
        raise SettingError(f"X: row {bad} holds NaN or an infinite value")
    k = whole_number("k", k, 1, 1 << 16)
    number("threshold", threshold, least=-1, most=1, expected="a number from -1 to 1")
    one_of("method", method, get_args(GraphMethod))
    batch_size = whole_number("batch_size", batch_size, 2)
    tables = whole_number("tables", tables, 1, 64)
    seed = whole_number("random_state", random_state, 0, (1 << 63) - 1)
    used = thread_count(threads)
    if labels is None:
        codes = np.zeros(len(narrow), np.int32)
    else:
        column = label_column(labels, "labels")
        if len(column) != len(narrow):
            raise SettingError(
                f"labels: expected {len(narrow):,}, one for each row; found {len(column):,}"
            )
        classes, known = label_codes(column.values[~column.missing], "labels")
        # Rows without a label are together, as a class of their own would be.
        codes = np.full(len(narrow), len(classes), np.int32)
        codes[~column.missing] = known
    directions = unit_rows(narrow, lift=lift)
    if method == "exact" or len(narrow) == 0:
        cut = [Parts.whole(len(narrow))]
    elif method == "minibatch":
        cut = [split_rows(narrow, codes, batch_size, seed, threads=used)]
    else:
        cut = _hash_tables(directions, method, tables, seed, used)
    return _neighbours_within(directions, cut, k, threshold, used)


def batch_neighbours(
    rows: Floats, batches: Parts, *, k: int, threshold: float, threads: int
) -> NeighbourGraph:
    """Return what `neighbours` finds within mini-batches that are known, with lifted rows.

    Args:
        rows: [rows, features], finite.
        batches: the mini-batches.
        k: most neighbours of a row.
        threshold: least cosine of lifted rows.
        threads: how many threads to use; the result does not depend on them.
    """
    return _neighbours_within(unit_rows(rows, lift=True), [batches], k, threshold, threads)


def _neighbours_within(
    directions: Floats, cuts: list[Parts], k: int, threshold: float, threads: int
) -> NeighbourGraph:
    """Return the nearest neighbours among the rows that share a part in one of the cuts."""
    found = _core.group_neighbours(
        directions,
        [(one.members, one.offsets) for one in cuts],
        k=k,
        threshold=float(threshold),
        threads=threads,
    )
    return NeighbourGraph(*found)


def unit_rows(rows: Floats, *, lift: bool) -> Floats:
    """Return the rows scaled to length 1 (zero rows stay 0), lifted first if `lift` is set."""
    if lift:
        squares = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
        scale = np.sqrt(squares.mean()) if len(rows) else 0.0
        lifted = np.ones((len(rows), rows.shape[1] + 1), np.float32)
        lifted[:, :-1] = rows / np.float32(scale) if scale > 0 else 0
        rows = lifted
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    lengths[lengths == 0] = 1
    return np.ascontiguousarray(rows / lengths[:, None], dtype=np.float32)


def _hash_tables(
    rows: Floats, method: GraphMethod, tables: int, seed: int, threads: int
) -> list[Parts]:
    """Cut rows into buckets by the signs of random projections, once for each table."""
    random = np.random.Generator(np.random.Philox(seed))
    centred = np.ascontiguousarray(rows - rows.mean(axis=0, dtype=np.float64).astype(np.float32))
    fine = min(_MOST_BITS, max(1, int(len(rows) / _BUCKET_ROWS).bit_length()))
    cuts = []
    for table in range(tables):
        bits = fine
        if method == "lsh-multilevel":
            # Fine, middle and coarse codes in turn.
            bits = max(1, fine - 2 * (table % 3))
        planes = random.standard_normal((bits, rows.shape[1])).astype(np.float32)
        if method == "lsh-multiview":
            seen = random.permutation(rows.shape[1])[: max(1, (rows.shape[1] + 1) // 2)]
            mask = np.zeros(rows.shape[1], np.float32)
            mask[seen] = 1
            planes *= mask
        codes = _core.sign_codes(centred, planes, threads=threads)
        cuts.append(_buckets(codes, 8 * _BUCKET_ROWS))
    return cuts


def _buckets(codes: npt.NDArray[np.uint64], most: int) -> Parts:
    """Put rows with equal codes into buckets, at most `most` rows each, so that cost is linear."""
    order = np.argsort(codes, kind="stable").astype(np.int32)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(codes[order])) + 1, [len(codes)]))
    ends = []
    for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        pieces = -(-(end - begin) // most)
        ends += [begin + (end - begin) * piece // pieces for piece in range(pieces)]
    return Parts(order, np.array([*ends, len(codes)], np.int64))


def nearest_columns(away: Floats, own: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.int32]:
    """Return for each row its k nearest columns, ascending: int32[rows, k].

    Args:
        away: the distances, [rows, columns].
        own: [rows], the column that is the row itself; it is not its own neighbour.
        k: less than there are columns. Of equally near columns the earlier comes first.
    """
    if k == 0:
        return np.zeros((len(away), 0), np.int32)
    away = away.copy()
    away[np.arange(len(away)), own] = np.inf
    last = np.partition(away, k - 1, axis=1)[:, k - 1 : k]
    nearer = away < last
    level = away == last
    wanted = k - nearer.sum(axis=1, keepdims=True)
    chosen = nearer | (level & (np.cumsum(level, axis=1) <= wanted))
    return np.nonzero(chosen)[1].reshape(len(away), k).astype(np.int32)
