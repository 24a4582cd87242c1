"""One target's draw with one quota column, by tasks: see `stages.group_search`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir.engine import Engine, Tasks
from dsir.progress import ignore
from dsir.sampling import KeyRule, Threshold
from dsir.settings.draw import DrawSettings
from dsir.stages.drawn import TargetDraw
from dsir.stages.group_search.digits import GroupDigitTask, ends_of, group_digits_in_piece
from dsir.stages.group_search.followed import Followed
from dsir.stages.group_search.sizes import TakenTask, taken_of_piece
from dsir.stages.group_search.slices import (
    RangeTask,
    SliceTask,
    refused_in_range,
    remove_slices,
    slice_piece,
    slices_of,
)
from dsir.stages.group_search.sums import Whole
from dsir.stages.pieces import Piece
from dsir.stages.quota_draw import Amounts, Closing, GroupSizes, QuotaPlan
from dsir.stages.rank_search import LEVELS, DigitTask, Prefix, search
from dsir.stages.turn import U64, Decided
from dsir.storage.workdir import Workdir

_MOST = 1 << 22  # Documents that one task sorts; a group with more is followed by digits.
_ALL = (1 << 64) - 1


class Drawing(NamedTuple):
    """Who draws: what all tasks of a target have in common; see `Turn`."""

    settings: DrawSettings
    number: int
    rule: KeyRule


@dataclass(slots=True)
class GroupDraw:
    """Draws target by target from the pieces of a corpus.

    Args:
        pieces: the corpus, by ranges of rows.
        settings: how to draw; with one quota column.
        plan: how much each group may take.
        sizes: what each group has.
        engine: runs the tasks.
        folder: where pieces of the corpus leave documents for other tasks, if there are any.
    """

    pieces: Sequence[Piece]
    settings: DrawSettings
    plan: QuotaPlan
    sizes: GroupSizes
    engine: Engine
    folder: Workdir
    # What earlier targets have left of each group.
    _documents: Whole = field(init=False)
    _costs: Whole = field(init=False)

    def __post_init__(self) -> None:
        """Begin with all eligible documents."""
        self._documents, self._costs = self.sizes.eligible[0].copy(), self.sizes.cost[0].copy()

    def draw(
        self,
        number: int,
        rule: KeyRule,
        part: tuple[int, Amounts | None],
        earlier: tuple[TargetDraw, ...],
    ) -> tuple[Threshold, tuple[Closing, ...]]:
        """Return the threshold of a target, and the closings of the groups; see `QuotaPlan.draw`.

        Args:
            number: the target.
            rule: how its keys are made.
            part: how much it takes.
            earlier: the targets before it, which drew before.
        """
        amount, by_group = part
        ((room, in_rows),) = self.plan.quotas_of(part)
        who = Drawing(self.settings, number, rule)
        key, not_row = self._closings(who, Decided(earlier), room, in_rows)
        decided = Decided(earlier, key, not_row)
        threshold = Threshold(0, 0, 0, 0, 0)
        if by_group is None:  # Otherwise the budget is spent group by group.

            def tasks(prefix: Prefix, collects: bool) -> Sequence[DigitTask]:
                return Tasks(
                    len(self.pieces),
                    lambda at: DigitTask(self.pieces[at], *who, decided, prefix, collects),
                )

            documents = int(self._documents.sum())
            threshold = search(tasks, amount, documents, self.engine)
        taken, costs = self._taken(who, decided, threshold)
        found = Threshold(
            threshold.key,
            threshold.not_row,
            int(taken.sum()),
            int(costs.sum()),
            threshold.next_cost,
        )
        assert by_group is not None or found == threshold, "groups and search count the same"
        self._documents -= taken
        self._costs -= costs
        closing = _above(key, not_row, found, in_rows=in_rows, taken=taken)
        left = room - (taken if in_rows else costs).astype(np.uint64)
        self.plan.close((closing,), [left])
        return found, (closing,)

    def _closings(
        self, who: Drawing, decided: Decided, room: U64, in_rows: bool
    ) -> tuple[U64, U64]:
        """Return the ranks that close the groups, if nothing else limits them."""
        key, not_row = np.zeros((2, len(room)), dtype=np.uint64)
        size = self._documents if in_rows else self._costs
        shut = (room == 0) & in_rows
        key[shut] = not_row[shut] = _ALL
        # A group is closed with the document that fills it, if documents are counted.
        codes = np.flatnonzero((size.astype(np.uint64) > room - np.uint64(in_rows)) & ~shut)
        if not len(codes):
            return key, not_row
        limits = room[codes].astype(np.int64) - in_rows
        documents = self._documents[codes]
        followed = Followed.of(codes.astype(np.uint32))
        for level in range(len(LEVELS)):
            large = np.flatnonzero((documents > _MOST) & (followed.level == level))
            if not len(large):
                break
            chosen = followed.where(large)

            def task(at: int, chosen: Followed = chosen) -> GroupDigitTask:
                return GroupDigitTask(self.pieces[at], *who, decided, chosen)

            tasks = Tasks(len(self.pieces), task)
            found = self.engine.run(group_digits_in_piece, tasks, ignore)
            ends = ends_of(found, chosen, limits[large], in_rows=in_rows)
            followed = followed.extended(large, ends.digits)
            limits[large] -= ends.before
            documents[large] = ends.documents
        first = self._sorted(who, decided, followed, limits, documents, in_rows)
        key[codes], not_row[codes] = first if in_rows else _next(*first)
        return key, not_row

    def _sorted(
        self,
        who: Drawing,
        decided: Decided,
        followed: Followed,
        limits: Whole,
        documents: Whole,
        in_rows: bool,
    ) -> tuple[U64, U64]:
        """Return the rank of the first document of each group that is beyond its limit."""
        pieces = len(self.pieces)
        ranges = np.cumsum(documents) // _MOST
        firsts = np.flatnonzero(np.diff(ranges, prepend=-1))
        count = len(firsts)
        bounds = np.append(firsts, len(documents))
        # What an earlier attempt left, which cut the corpus in another way, has other names.
        cut = "".join("abcdefghij"[int(digit)] for digit in str(self.pieces[0].rows))
        place = self.folder.place(f"slices-{cut}-{who.number * pieces:05d}")

        def slice_task(at: int) -> SliceTask:
            return SliceTask(self.pieces[at], *who, decided, followed, bounds, slices_of(place, at))

        def range_task(at: int) -> RangeTask:
            first, stop = int(bounds[at]), int(bounds[at + 1])
            return RangeTask(at, count, place, pieces, limits[first:stop], first, in_rows)

        for _ in self.engine.run(slice_piece, Tasks(pieces, slice_task), ignore):
            pass
        key, not_row = np.zeros((2, len(documents)), dtype=np.uint64)
        closed = 0
        for found in self.engine.run(refused_in_range, Tasks(count, range_task), ignore):
            at = found.at.astype(np.int64)
            key[at], not_row[at] = found.key, found.not_row
            closed += len(at)
        assert closed == len(documents), "every group has more than its limit"
        remove_slices(place, pieces)
        return key, not_row

    def _taken(self, who: Drawing, decided: Decided, threshold: Threshold) -> tuple[Whole, Whole]:
        """Return how many documents a target takes of each group, and their cost."""
        documents, costs = np.zeros((2, len(self._documents)), dtype=np.int64)
        tasks = Tasks(
            len(self.pieces), lambda at: TakenTask(self.pieces[at], *who, decided, threshold)
        )
        for found in self.engine.run(taken_of_piece, tasks, ignore):
            at = found.codes.astype(np.int64)
            documents[at] += found.documents.astype(np.int64)
            costs[at] += found.costs.astype(np.int64)
        return documents, costs


def _above(key: U64, not_row: U64, threshold: Threshold, *, in_rows: bool, taken: Whole) -> Closing:
    """Return the closings of a draw that ends at a threshold: others have not come about."""
    ends, row = np.uint64(threshold.key), np.uint64(threshold.not_row)
    came = (key > ends) | ((key == ends) & (not_row >= row if in_rows else not_row > row))
    nothing = np.uint64(0)
    return Closing(
        np.where(came, key, nothing), np.where(came, not_row, nothing), taken.astype(np.uint64)
    )


def _next(key: U64, not_row: U64) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Return the next greater ranks."""
    more = not_row + np.uint64(1)
    return key + (more == 0), more
