"""Which rows of a corpus are duplicates: a bit for each row, in a file for each piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dsir.errors import WorkdirError
from dsir.storage.place import Place


@dataclass(frozen=True, slots=True)
class Marks:
    """The bits of some rows.

    Attributes:
        place: where a result of the search is; the bits are beside it.
        piece_rows: rows of a piece, a multiple of eight.
        first_row: global row number of the first of these rows.
    """

    place: Place
    piece_rows: int
    first_row: int = 0

    def of_rows_from(self, row: int) -> Marks:
        """Return the bits of the rows from a global row number on."""
        return replace(self, first_row=row)

    @property
    def offset(self) -> int:
        """Which bit of `packed` belongs to the first row."""
        return self.first_row % 8

    def packed(self, rows: int) -> npt.NDArray[np.uint8]:
        """Return the bits of so many rows, packed from the lowest bit up, behind `offset` others.

        Raises:
            WorkdirError: they are missing or damaged.
        """
        parts = [np.zeros(0, dtype=np.uint8)]
        row = self.first_row - self.offset
        stop = self.first_row + rows
        for place in self.places(rows):
            start = row % self.piece_rows
            size = min(self.piece_rows - start, stop - row)
            bits = self._load(place)
            parts.append(bits[start // 8 : (start + size + 7) // 8])
            row += size
        return np.concatenate(parts)

    def places(self, rows: int) -> Iterator[Place]:
        """Give where the bits of so many rows are, piece by piece."""
        if not rows:
            return
        last = self.first_row + rows - 1
        for piece in range(self.first_row // self.piece_rows, last // self.piece_rows + 1):
            yield mark_place(self.place, piece)

    def duplicates_of(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return how many duplicates there are in ranges of rows that follow one another.

        Args:
            rows: int64[ranges], how many rows each range has.

        Raises:
            WorkdirError: bits are missing or damaged.
        """
        ends = self.first_row + np.cumsum(rows)
        total = int(rows.sum())
        counts = np.zeros(len(rows), dtype=np.int64)
        for place in self.places(total):
            begin = int(place.name.rpartition("-")[2]) * self.piece_rows
            bits = np.unpackbits(self._load(place), bitorder="little")
            before = np.concatenate([[0], np.cumsum(bits, dtype=np.int64)])
            first = int(np.searchsorted(ends, begin, side="right"))
            last = int(np.searchsorted(ends, begin + self.piece_rows, side="left"))
            mine = slice(first, last + 1)
            stops = np.clip(ends[mine] - begin, 0, self.piece_rows)
            starts = np.clip(ends[mine] - rows[mine] - begin, 0, self.piece_rows)
            counts[mine] += before[stops] - before[starts]
        return counts

    def _load(self, place: Place) -> npt.NDArray[np.uint8]:
        path = place.fetched(".npy")
        try:
            bits: npt.NDArray[np.uint8] = np.load(path, allow_pickle=False)
        except FileNotFoundError:
            raise WorkdirError(f"{place.named(path)}: has gone; start again") from None
        except (OSError, ValueError, EOFError) as error:
            raise place.damaged(path, str(error)) from error
        if bits.dtype != np.uint8 or bits.shape != (self.piece_rows // 8,):
            raise place.damaged(path, "it does not hold the bits of a piece")
        return bits


def mark_place(place: Place, piece: int) -> Place:
    """Return where the bits of a piece are, beside another result of the search."""
    return place.beside(f"marks-{piece:05d}")
