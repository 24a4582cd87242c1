"""Cuts rows into parts of near rows, which keep the proportions of the labels."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dsir.thread_pool import ThreadPool

Floats = npt.NDArray[np.float32]
# Rows are compared in blocks of this size, so that differences stay in the cache.
_BLOCK_ROWS = 2048
# Medians of more labels than these are found by sorting.
_FEW_LABELS = 16


@dataclass(frozen=True, slots=True)
class Parts:
    """How rows are cut into parts.

    Attributes:
        members: int32[rows], the row numbers, part by part.
        offsets: int64[parts + 1], where each part begins in `members`.
    """

    members: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]

    @classmethod
    def whole(cls, size: int) -> Parts:
        """Return a single part that holds all rows."""
        return cls(np.arange(size, dtype=np.int32), np.array([0, size], np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, part: int) -> npt.NDArray[np.int32]:
        return self.members[self.offsets[part] : self.offsets[part + 1]]


def split_rows(
    rows: Floats, labels: npt.NDArray[np.int32], most: int, seed: int, *, threads: int = 1
) -> Parts:
    """Halve the rows again and again until no part has more than `most` rows.

    A part is cut along the line through two of its rows that lie far apart, for each label at the
    label's own median. So both halves keep the proportions of the labels. (Distance-based,
    stratified mini-batches are from Rustamov et al. 2025; the way to cut is ours.)

    Args:
        rows: float32[rows, features].
        labels: int32[rows], 0 or more.
        most: most rows of a part, 2 or more.
        seed: seed of the random rows that the directions start from.
        threads: how many threads to use; the parts do not depend on them.
    """
    root = _planned(np.bincount(labels).astype(np.int64), most, seed)
    root.members = np.arange(len(rows), dtype=np.int32)
    level = [root]
    with ThreadPool(threads) as pool:
        while level := [node for node in level if node.halves]:
            if len(level) < threads:
                # The threads share the rows of one node after the other.
                for node in level:
                    _cut(node, rows, labels, pool, threads)
            else:
                for _ in pool.map(lambda node: _cut(node, rows, labels, pool, 1), level):
                    pass
            level = [half for node in level for half in node.halves]
    done = [node.members for node in _leaves(root)]
    ends = np.cumsum([0, *(len(part) for part in done)]).astype(np.int64)
    return Parts(np.concatenate(done).astype(np.int32), ends)


@dataclass(slots=True)
class _Node:
    """Rows that are a part, or that are cut in two.

    Attributes:
        start: the place, among the rows, of the row that the direction starts from.
        low: int64[labels], how many rows of each label go to the lower half.
        halves: the lower and the upper half; empty for a part.
        members: int32, the row numbers, ascending; empty before they are known and after the cut.
    """

    start: int = 0
    low: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    halves: tuple[_Node, ...] = ()
    members: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))


def _planned(counts: npt.NDArray[np.int64], most: int, seed: int) -> _Node:
    """Return how rows with these counts of labels will be cut, without their members.

    The sizes depend on the counts alone. So all random numbers are drawn before the first cut, in
    one order, and threads may cut in any order.
    """
    random = np.random.Generator(np.random.Philox(seed))
    root = _Node()
    waiting = [(root, counts)]
    while waiting:
        node, counts = waiting.pop()
        size = int(counts.sum())
        if size <= most:
            continue
        node.start = int(random.integers(size))
        # An odd row is carried over to the next label, so that the two halves differ by one row at
        # most.
        node.low = np.diff(np.cumsum(counts) // 2, prepend=0)
        node.halves = (_Node(), _Node())
        waiting += [(node.halves[1], counts - node.low), (node.halves[0], node.low)]
    return root


def _leaves(root: _Node) -> list[_Node]:
    """Return the parts, each lower half before its upper half."""
    found = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += reversed(node.halves)
        if not node.halves:
            found.append(node)
    return found


def _cut(
    node: _Node, rows: Floats, labels: npt.NDArray[np.int32], pool: ThreadPool, threads: int
) -> None:
    """Give the halves of a node their members.

    The direction is the vector between two rows that lie far apart. The first is the row farthest
    from the node's random row, the second the row farthest from the first.

    Args:
        node: a node with members and halves.
        rows: float32[rows, features].
        labels: int32[rows].
        pool: other threads that help if there are many rows.
        threads: how many threads to use.
    """
    members = node.members

    def farthest(point: Floats) -> Floats:
        away = _by_blocks(_squared_distances, point, rows, members, pool, threads)
        return np.asarray(rows[members[int(np.argmax(away))]])

    first = farthest(rows[members[node.start]])
    direction = np.asarray(farthest(first) - first, dtype=np.float32)
    along = _by_blocks(_products, direction, rows, members, pool, threads)
    low = _lowest(along, labels[members], node.low)
    node.halves[0].members, node.halves[1].members = members[low], members[~low]
    node.members = np.zeros(0, np.int32)


def _by_blocks(
    measure: Callable[[Floats, Floats], Floats],
    point: Floats,
    rows: Floats,
    members: npt.NDArray[np.int32],
    pool: ThreadPool,
    threads: int,
) -> Floats:
    """Return what `measure` says of each member: float32[members].

    Args:
        measure: takes some rows, which it may change, and the point.
        point: [features].
        rows: [rows, features].
        members: numbers of rows.
        pool: other threads, used if `threads` is above 1.
        threads: how many threads to use.
    """
    found = np.empty(len(members), np.float32)

    def fill(begin: int, end: int) -> None:
        # One array for all blocks: fresh memory costs more than the arithmetic.
        held = np.empty((min(_BLOCK_ROWS, end - begin), rows.shape[1]), np.float32)
        for first in range(begin, end, _BLOCK_ROWS):
            last = min(end, first + _BLOCK_ROWS)
            block = held[: last - first]
            # With mode="raise" numpy would copy twice; every number is that of a row.
            np.take(rows, members[first:last], axis=0, out=block, mode="clip")
            found[first:last] = measure(block, point)

    if threads == 1:
        fill(0, len(members))
        return found
    cuts = [len(members) * share // threads for share in range(threads + 1)]
    for call in [pool.submit(fill, *ends) for ends in itertools.pairwise(cuts)]:
        call.result()
    return found


def _lowest(
    along: Floats, labels: npt.NDArray[np.int32], wanted: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return which rows are the `wanted` lowest of their label; the earlier among equal ones.

    Args:
        along: [rows]; NaN, of sums that overflowed, is the highest.
        labels: [rows].
        wanted: [labels].
    """
    low = np.zeros(len(along), bool)
    present = np.flatnonzero(wanted)
    if len(present) > _FEW_LABELS or np.isnan(along).any():
        order = np.lexsort((along, labels))
        starts = np.searchsorted(labels[order], present)
        for begin, count in zip(starts.tolist(), wanted[present].tolist(), strict=True):
            low[order[begin : begin + count]] = True
        return low
    for label, count in zip(present.tolist(), wanted[present].tolist(), strict=True):
        places = np.flatnonzero(labels == label)
        values = along[places]
        last = np.partition(values, count - 1)[count - 1]
        lower = values < last
        level = np.flatnonzero(values == last)
        lower[level[: count - int(np.count_nonzero(lower))]] = True
        low[places[lower]] = True
    return low


def _squared_distances(rows: Floats, point: Floats) -> Floats:
    np.subtract(rows, point, out=rows)
    return np.asarray(np.einsum("ij,ij->i", rows, rows))


def _products(rows: Floats, point: Floats) -> Floats:
    # Not a BLAS product: its sums may depend on the number of threads.
    return np.asarray(np.einsum("ij,j->i", rows, point))
