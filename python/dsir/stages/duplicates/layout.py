"""How a search for duplicates is cut into tasks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.settings.quotas import Dedup
from dsir.stages.score_table import RUN_ROWS

# Hashes that a task has to do with. Each range is a slice in the file of each piece, so slices get
# shorter as the corpus grows, unless tasks get larger: they grow with the square root, so that an
# average slice keeps at least _SLICE hashes of 12 bytes (16 kB).
_LEAST, _MOST = 1 << 22, 1 << 24
_SLICE = 1365
# Numbers of ranges are sorted as uint16, which numpy sorts fastest.
_MOST_RANGES = 1 << 16


def hashes_a_row(dedup: Dedup) -> int:
    """Return how many hashes of a row are compared with those of others."""
    return {"none": 0, "exact": 1, "near": _core.MINHASH_BANDS}[dedup]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a search is cut: the rows into pieces, and all hashes into ranges.

    It depends on the rows alone, because the results of tasks are kept for workers with other
    machines.

    Attributes:
        rows: rows of the corpus.
        piece_rows: rows of a piece, a multiple of eight; the last may have fewer.
        ranges: ranges of the hashes.
    """

    rows: int
    piece_rows: int
    ranges: int

    @classmethod
    def of(cls, rows: int, dedup: Dedup) -> Layout:
        """Return the layout for a corpus of so many rows."""
        of_a_row = hashes_a_row(dedup)
        hashes = rows * of_a_row
        of_a_task = min(_MOST, max(_LEAST, math.isqrt(hashes * _SLICE)))
        runs = max(1, of_a_task // (of_a_row * RUN_ROWS))
        return cls(rows, runs * RUN_ROWS, min(_MOST_RANGES, max(1, -(-hashes // of_a_task))))

    @property
    def pieces(self) -> int:
        """How many pieces there are."""
        return -(-self.rows // self.piece_rows)


def ranges_of(hashes: npt.NDArray[np.uint64], ranges: int) -> npt.NDArray[np.uint64]:
    """Return the range of each hash, by its upper 32 bits.

    Range i of n is ranges k i to k i + k - 1 of k n.
    """
    shift = np.uint64(32)
    found: npt.NDArray[np.uint64] = ((hashes >> shift) * np.uint64(ranges)) >> shift
    return found
