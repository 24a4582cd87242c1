"""Ranges of rows of a corpus, for tasks that read the scores of a range each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dsir.engine import Tasks
from dsir.stages.score_table import Scores, in_runs
from dsir.stages.shard_scores import ShardScores
from dsir.stages.survey import checked_scores
from dsir.stages.unit_scores import rows_of
from dsir.storage.place import Place


@dataclass(frozen=True, slots=True)
class Piece:
    """A range of rows of a corpus.

    Attributes:
        units: the scores of the units that have these rows.
        first_row: global row number of the first unit's first row.
        start, stop: the range, in global row numbers.
    """

    units: tuple[ShardScores, ...]
    first_row: int
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.stop - self.start

    def runs(self) -> Iterator[tuple[int, Scores]]:
        """Give the scores in runs, each with the global row number of its first row.

        These are runs of the corpus if the piece begins with one.
        """
        row = self.start
        for scores in in_runs(self._tables(), self.units[0].drawn_form):
            yield row, scores
            row += scores.rows

    def places(self) -> Iterator[Place]:
        """Give where the scores are, and which rows are duplicates; each place once."""
        marks: dict[str, Place] = {}
        for unit in self.units:
            if unit.place is not None:
                yield unit.place
            if unit.marks is not None:
                marks |= {place.name: place for place in unit.marks.places(unit.rows)}
        yield from marks.values()

    def ranges(self) -> Iterator[tuple[ShardScores, int, int]]:
        """Give the units, each with the range of its rows that are in the piece."""
        first = self.first_row
        for unit in self.units:
            yield unit, max(self.start - first, 0), min(self.stop - first, unit.rows)
            first += unit.rows

    def _tables(self) -> Iterator[Scores]:
        at = self.first_row
        for scores in checked_scores(self.units):
            start, stop = max(self.start - at, 0), min(self.stop - at, scores.rows)
            if start < stop:
                yield scores.at(slice(start, stop))
            at += scores.rows


def pieces_of(shards: Sequence[ShardScores], piece_rows: int) -> Sequence[Piece]:
    """Cut a corpus into ranges of so many rows."""
    firsts = np.concatenate([[0], np.cumsum(rows_of(shards))])
    rows = int(firsts[-1])
    starts = range(0, rows, piece_rows)

    def piece(number: int) -> Piece:
        start = starts[number]
        stop = min(rows, start + piece_rows)
        first = int(np.searchsorted(firsts, start, side="right")) - 1
        last = int(np.searchsorted(firsts, stop, side="left"))
        # Bad rows are no business of the draw, and there may be many.
        units = tuple(replace(shard, skipped=[]) for shard in shards[first:last])
        return Piece(units, int(firsts[first]), start, stop)

    return Tasks(len(starts), piece)
