"""Cuts rows into parts of near rows, which keep the proportions of the labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


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
    rows: npt.NDArray[np.float32], labels: npt.NDArray[np.int32], most: int, seed: int
) -> Parts:
    """Halve the rows again and again until no part has more than `most` rows.

    A part is cut along the line through two of its rows that lie far apart, for each label at the
    label's own median. So both halves keep the proportions of the labels. (Distance-based,
    stratified mini-batches are from Rustamov et al. 2025; the way to cut is ours.)

    Args:
        rows: float32[rows, features].
        labels: int32[rows].
        most: most rows of a part, 2 or more.
        seed: seed of the random rows that the directions start from.
    """
    done: list[npt.NDArray[np.int32]] = []
    waiting = [np.arange(len(rows), dtype=np.int32)]
    random = np.random.Generator(np.random.Philox(seed))
    while waiting:
        part = waiting.pop()
        if len(part) <= most:
            done.append(part)
            continue
        direction = _direction(rows[part], random)
        # Not a BLAS product: its sums may depend on the number of threads.
        along = np.einsum("ij,j->i", rows[part], direction)
        # Sorted by label, then along the line. An odd row is carried over to the next label, so
        # that the two halves of the part differ by one row at most.
        order = np.lexsort((along, labels[part]))
        sorted_labels = labels[part][order]
        starts = np.concatenate(([0], np.flatnonzero(np.diff(sorted_labels)) + 1, [len(part)]))
        low = np.zeros(len(part), bool)
        spare = 0
        for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            size = end - begin
            half = (size + spare) // 2
            spare = (size + spare) % 2
            low[order[begin : begin + half]] = True
        waiting += [part[~low], part[low]]
    ends = np.cumsum([0, *(len(part) for part in done)]).astype(np.int64)
    members = np.concatenate(done) if done else np.zeros(0, np.int32)
    return Parts(members.astype(np.int32), ends)


def _direction(
    rows: npt.NDArray[np.float32], random: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Return the vector between two rows that lie far apart.

    The first is the row farthest from a random row, the second the row farthest from the first.
    """
    start = rows[int(random.integers(len(rows)))]
    first = rows[int(np.argmax(_squared_distances(rows, start)))]
    second = rows[int(np.argmax(_squared_distances(rows, first)))]
    return np.asarray(second - first, dtype=np.float32)


def _squared_distances(
    rows: npt.NDArray[np.float32], point: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    difference = rows - point
    return np.asarray(np.einsum("ij,ij->i", difference, difference))
