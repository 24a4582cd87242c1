"""A search for duplicates by tasks: the rows that `stages.repeats` finds, and nobody reads all.

Duplicates have a hash in common. The hashes of each piece of the corpus are written by range of
the hash (`partition`), tasks find in each range the hashes that an earlier row has (`matches`), and
what they find is turned into a bit for each row (`bits`). So each score is read once, and each hash
is written and read once, however many rows there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

from dsir.engine import Progress, Tasks
from dsir.settings.draw import DrawSettings
from dsir.stages.duplicates.bits import MarkTask, mark_piece
from dsir.stages.duplicates.layout import Layout, hashes_a_row
from dsir.stages.duplicates.marks import Marks, mark_place
from dsir.stages.duplicates.matches import RangeTask, match_range, piece_place, range_place
from dsir.stages.duplicates.partition import PartitionTask, partition_piece
from dsir.stages.duplicates.slices import SUFFIX
from dsir.stages.pieces import pieces_of
from dsir.stages.shard_scores import ShardScores
from dsir.stages.unit_scores import ChangeableScores, UnitScores, rows_of
from dsir.storage.place import Place
from dsir.storage.workdir import Workdir


class Step(NamedTuple):
    """A step of a search: its tasks, which need the results of the step before.

    Attributes:
        name: for progress.
        stage: does a task, unless it is done.
        tasks: the tasks; each has a place for its result.
        rows: rows of the corpus.
    """

    name: str
    stage: Callable[[Any, Progress], None]
    tasks: Sequence[Any]
    rows: int

    @property
    def sizes(self) -> list[int]:
        """About how many rows each task stands for."""
        return [self.rows // len(self.tasks)] * len(self.tasks)


class DuplicateSearch:
    """A search over the scores of a corpus.

    Args:
        scores: the scores of all units, in files.
        settings: decide which rows could be selected, and what duplicates have in common.
        folder: where the results go; see `described`.
        most: how many hashes a task holds at a time; None for as many as it has.
        checks: whether tasks check the scores against their checksums.
    """

    def __init__(
        self,
        scores: Sequence[ShardScores],
        settings: DrawSettings,
        folder: Workdir,
        most: int | None,
        *,
        checks: bool = False,
    ) -> None:
        self._scores = scores
        self._settings = settings
        self._most = most
        self._checks = checks
        self._place = folder.place("marks-00000")
        self._layout = Layout.of(int(rows_of(scores).sum()), settings.dedup)

    @staticmethod
    def described(settings: DrawSettings, rows: int) -> dict[str, Any]:
        """Return what the results depend on besides the scores of so many rows, JSON values."""
        return {
            "stage": "duplicates",
            "dedup": settings.dedup,
            "min_tokens": settings.min_tokens,
            **asdict(Layout.of(rows, settings.dedup)),
        }

    @property
    def is_done(self) -> bool:
        """Whether all rows are marked."""
        return all(place.is_marked() for place in self._mark_places())

    def steps(self) -> Iterator[Step]:
        """Give the steps, in order."""
        layout, place = self._layout, self._place
        pieces = pieces_of(self._scores, layout.piece_rows)
        size = layout.rows * hashes_a_row(self._settings.dedup)

        def partition(number: int) -> PartitionTask:
            at = piece_place(place, number)
            return PartitionTask(
                pieces[number], self._settings, layout, at, self._most, self._checks
            )

        def match(number: int) -> RangeTask:
            return RangeTask(number, layout, place, size, range_place(place, number), self._most)

        def mark(number: int) -> MarkTask:
            return MarkTask(number, layout, mark_place(place, number))

        yield Step("hash", partition_piece, Tasks(layout.pieces, partition), layout.rows)
        yield Step("match", match_range, Tasks(layout.ranges, match), layout.rows)
        yield Step("mark", mark_piece, Tasks(layout.pieces, mark), layout.rows)

    def remove_slices(self) -> None:
        """Remove what nobody needs once all rows are marked."""
        layout = self._layout
        places = [piece_place(self._place, number) for number in range(layout.pieces)]
        places += [range_place(self._place, number) for number in range(layout.ranges)]
        if not places[-1].is_marked():  # The last to go.
            return
        for place in places:
            place.remove(SUFFIX)
            place.remove(".json")

    def marked(self, scores: ChangeableScores, *, counted: bool = True) -> None:
        """Set which rows are duplicates, and if `counted`, how many of each unit.

        Raises:
            WorkdirError: the bits are missing or damaged.
        """
        marks = Marks(self._place, self._layout.piece_rows)
        rows = rows_of(scores)
        counts = marks.duplicates_of(rows) if counted else rows * 0
        if isinstance(scores, UnitScores):
            scores.mark(marks, counts)
            return
        row = 0
        for number, unit in enumerate(scores):
            scores[number] = replace(
                unit, repeated=None, marks=marks.of_rows_from(row), duplicates=int(counts[number])
            )
            row += unit.rows

    def _mark_places(self) -> Iterator[Place]:
        return (mark_place(self._place, number) for number in range(self._layout.pieces))
