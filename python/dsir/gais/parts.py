"""Rows cut into parts of near rows that each keep the shares of the labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Parts:
    """A cut of rows.

    Attributes:
        members: int32[rows], part by part.
        offsets: int64[parts + 1].
    """

    members: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]

    @classmethod
    def whole(cls, size: int) -> Parts:
        """Return one part of all rows."""
        return cls(np.arange(size, dtype=np.int32), np.array([0, size], np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, part: int) -> npt.NDArray[np.int32]:
        return self.members[self.offsets[part] : self.offsets[part + 1]]


def split_rows(
    rows: npt.NDArray[np.float32], labels: npt.NDArray[np.int32], most: int, seed: int
) -> Parts:
    """Halve rows, time and again, until no part has more than `most`.

    A part is cut across the line through two of its rows that lie far apart, for each label at its
    own median: both halves keep the shares of the labels (Rustamov et al. 2025: distance-based,
    stratified mini-batches; how the cut is made is ours).

    Args:
        rows: float32[rows, features].
        labels: int32[rows].
        most: rows of a part, 2 or more.
        seed: of the rows that directions are drawn from.
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
        # Not a BLAS product, whose sums may depend on the number of threads.
        along = np.einsum("ij,j->i", rows[part], direction)
        # By label, then along the line; the even places of a label's halves stay equal.
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
    """Return the line from the row farthest from a random one to the row farthest from that."""
    start = rows[int(random.integers(len(rows)))]
    first = rows[int(np.argmax(_squared_distances(rows, start)))]
    second = rows[int(np.argmax(_squared_distances(rows, first)))]
    return np.asarray(second - first, dtype=np.float32)


def _squared_distances(
    rows: npt.NDArray[np.float32], point: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    difference = rows - point
    return np.asarray(np.einsum("ij,ij->i", difference, difference))
