"""The documents of a piece of the corpus as a target meets them, with their ranks.

Tasks of a draw read the scores where they are. What one of them sees of its piece is the same for
each: the documents that may be selected, without those that an earlier target took, and without
those of lower ranks than the one that closes their group.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.engine import Shared
from dsir.sampling import KeyRule, Run
from dsir.settings.draw import DrawSettings
from dsir.stages.draw import run_for
from dsir.stages.drawn import TargetDraw
from dsir.stages.pieces import Piece

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]


class Candidates(NamedTuple):
    """Documents with their ranks: uint64 each."""

    keys: U64
    not_rows: U64
    costs: U64

    def where(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Candidates:
        """Return some of the documents, by mask or by position."""
        return Candidates._make(column[chosen] for column in self)


NOBODY = Candidates(*(np.zeros(0, dtype=np.uint64) for _ in range(3)))


@dataclass(frozen=True, slots=True, eq=False)
class Decided(Shared):
    """What is decided before a step of a draw; all tasks of a step have it in common.

    Attributes:
        earlier: the targets that have drawn before.
        key, not_row: uint64, by group code, the ranks that close the groups of the one quota column
            for the target that draws; None if no group is closed.
    """

    earlier: tuple[TargetDraw, ...] = ()
    key: U64 | None = None
    not_row: U64 | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A piece of the corpus when a target draws.

    Attributes:
        scores: the piece.
        settings: how to draw.
        number: the target that draws.
        rule: how its keys are made.
        decided: what it cannot take any more.
    """

    scores: Piece
    settings: DrawSettings
    number: int
    rule: KeyRule
    decided: Decided

    def ranked(self) -> Iterator[tuple[Candidates, U32]]:
        """Give the documents, run by run, and the group code of each; no codes without quotas."""
        decided = self.decided
        for row, scores in self.scores.runs():
            run = run_for(self.number, self.rule, row, scores, self.settings, decided.earlier)
            found, codes = _ranked(run, self.rule)
            if decided.key is not None and decided.not_row is not None:
                least = decided.key[codes]
                is_open = found.keys > least
                is_open |= (found.keys == least) & (found.not_rows >= decided.not_row[codes])
                found, codes = found.where(is_open), codes[is_open]
            yield found, codes


def _ranked(run: Run, rule: KeyRule) -> tuple[Candidates, U32]:
    """Return the eligible documents of a run with their ranks (cpp/sampling/keys.hpp)."""
    assert run.eligible is not None
    chosen = np.flatnonzero(run.eligible)
    keys = _core.keys(rule.core, np.ascontiguousarray(run.log_weight), run.first_row)[chosen]
    bits = (keys + 0.0).view(np.uint64)
    top = np.uint64(1 << 63)
    ordered = np.where(bits & top != 0, ~bits, bits | top)
    rows = (chosen + run.first_row).astype(np.uint64)
    costs = np.ones(len(chosen), np.uint64) if run.cost is None else run.cost[chosen]
    codes = np.zeros(0, np.uint32) if run.groups is None else run.groups[0][chosen]
    return Candidates(ordered, ~rows, costs.astype(np.uint64)), codes
