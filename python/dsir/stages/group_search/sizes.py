"""How much each group has in a piece of the corpus, and how much of it a target takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir.engine import Progress
from dsir.sampling import Threshold
from dsir.settings.draw import DrawSettings
from dsir.stages.eligible import cost_of_rows, eligible_rows
from dsir.stages.group_search.sums import Sums
from dsir.stages.pieces import Piece
from dsir.stages.score_table import Scores
from dsir.stages.turn import U32, U64, Turn


class GroupCounts(NamedTuple):
    """The groups of a piece: uint64 each, by group; groups without rows are left out.

    Attributes:
        codes: which groups, ascending.
        total: the size of all rows, in the budget's unit.
        eligible: documents that may be selected.
        costs: their size, in the budget's unit.
    """

    codes: U64
    total: U64
    eligible: U64
    costs: U64


class Taken(NamedTuple):
    """What a target takes of a piece: uint64 each, by group; other groups are left out.

    Attributes:
        codes: which groups, ascending.
        documents: how many documents.
        costs: their size, in the budget's unit.
    """

    codes: U64
    documents: U64
    costs: U64


@dataclass(frozen=True, slots=True)
class TakenTask(Turn):
    """Count what a target takes of a piece.

    Attributes:
        threshold: documents of open groups are taken from this rank up.
    """

    threshold: Threshold


class GroupCounter:
    """Counts the rows of a piece by group.

    Args:
        piece: the piece.
    """

    def __init__(self, piece: Piece) -> None:
        self._codes = codes_in(piece)
        self._sums = Sums(len(self._codes), 3)

    def add(self, scores: Scores, settings: DrawSettings) -> None:
        """Count the rows of a run."""
        assert scores.group_codes is not None, "these scores were made with quota columns"
        eligible = eligible_rows(scores, settings).astype(np.int64)
        cost = cost_of_rows(scores, settings)
        size = np.ones_like(eligible) if cost is None else cost.astype(np.int64)
        numbers = np.stack([size, eligible, size * eligible])
        self._sums.add(np.searchsorted(self._codes, scores.group_codes[0]), numbers)

    def counts(self) -> GroupCounts:
        """Return the counts."""
        at, numbers = self._sums.result()
        return GroupCounts(self._codes[at].astype(np.uint64), *numbers.astype(np.uint64))


def taken_of_piece(task: TakenTask, progress: Progress) -> Taken:
    """Count what a target takes of a piece, by group."""
    codes = codes_in(task.scores)
    sums = Sums(len(codes), 2)
    key, not_row = np.uint64(task.threshold.key), np.uint64(task.threshold.not_row)
    for found, groups in task.ranked():
        taken = (found.keys > key) | ((found.keys == key) & (found.not_rows >= not_row))
        costs = found.costs[taken].astype(np.int64)
        sums.add(np.searchsorted(codes, groups[taken]), np.stack([np.ones_like(costs), costs]))
        progress(0)
    at, numbers = sums.result()
    return Taken(codes[at].astype(np.uint64), *numbers.astype(np.uint64))


def codes_in(piece: Piece) -> U32:
    """Return the groups of the units of a piece, ascending."""
    codes: list[npt.NDArray[np.uint32]] = []
    for unit in piece.units:
        assert unit.codes is not None, "merge_groups has given the codes"
        codes.append(unit.codes[0])
    return np.unique(np.concatenate(codes))
