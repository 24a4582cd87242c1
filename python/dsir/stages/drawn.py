"""What was drawn: everything needed to tell for any row whether it is selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dsir.corpus.batches import within
from dsir.model.decontamination import CONTAMINATED
from dsir.model.row_filters import REASONS
from dsir.sampling import KeyRule, Run, Threshold, selected_positions
from dsir.settings.budget import LeftOut
from dsir.stages.quota_draw import (
    Closing,
    GroupAccounts,
    open_positions,
)


@dataclass(frozen=True, slots=True)
class TargetDraw:
    """What one target takes: eligible documents at its threshold that no earlier target took.

    Attributes:
        rule: how keys are made.
        threshold: documents from this rank up are selected.
        effective_sample_size: of the eligible documents, at the temperature of the draw.
        closings: for each quota column, the ranks at which its groups are closed.
    """

    rule: KeyRule
    threshold: Threshold
    effective_sample_size: float
    closings: tuple[Closing, ...] = ()

    @property
    def selected(self) -> int:
        """How many documents the target takes."""
        return self.threshold.selected

    def within(self, first_row: int, rows: int) -> TargetDraw:
        """Return the same: a threshold is for all rows."""
        del first_row, rows
        return self

    def positions(self, run: Run) -> npt.NDArray[np.int64]:
        """Return the positions of the documents of a run that this target takes, ascending."""
        found = selected_positions(run, self.rule, self.threshold)
        return open_positions(run, self.rule, self.closings, found) if self.closings else found


class Rounds(NamedTuple):
    """What the rounds of a target took with method="coverage".

    Attributes:
        amount: what the target was to take, in the budget's unit.
        pool_tokens: tokens of the documents that it could take.
        pool_cost: what these documents cost, in the budget's unit.
        taken: for each round, how many documents were taken, and what they cost.
    """

    amount: int
    pool_tokens: int
    pool_cost: int
    taken: tuple[tuple[int, int], ...]

    @property
    def weight(self) -> float:
        """The tokens that the amount stands for, in this pool."""
        return self.amount * self.pool_tokens / self.pool_cost

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> Rounds:
        """Return what `describe` described.

        Raises:
            KeyError, TypeError, ValueError: it is not what `describe` returns.
        """
        taken = tuple((int(one["documents"]), int(one["cost"])) for one in described["taken"])
        return cls(
            int(described["amount"]),
            int(described["pool_tokens"]),
            int(described["pool_cost"]),
            taken,
        )

    def describe(self) -> dict[str, Any]:
        """Return the same as JSON values."""
        taken = [{"documents": documents, "cost": cost} for documents, cost in self.taken]
        return {**self._asdict(), "taken": taken}


@dataclass(frozen=True, slots=True)
class CoverageDraw:
    """What one target takes with method="coverage".

    Attributes:
        rule: how the keys of the pool are made.
        rows: int64, global row numbers, ascending.
        rounds: what its rounds took.
        effective_sample_size: None, because nothing is drawn by chance.
    """

    rule: KeyRule
    rows: npt.NDArray[np.int64]
    rounds: Rounds
    effective_sample_size: None = None

    @property
    def selected(self) -> int:
        """How many documents the target takes."""
        return len(self.rows)

    def within(self, first_row: int, rows: int) -> CoverageDraw:
        """Return what the target takes of some consecutive rows."""
        return replace(self, rows=within(self.rows, first_row, rows))

    def positions(self, run: Run) -> npt.NDArray[np.int64]:
        """Return the positions of the documents of a run that this target takes, ascending."""
        return within(self.rows, run.first_row, len(run.log_weight)) - run.first_row


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn: everything needed to tell for any row whether it is selected.

    Attributes:
        rows: rows of the corpus.
        eligible: documents that could have been selected.
        eligible_tokens: tokens of the eligible documents.
        eligible_bytes: bytes of text of the eligible documents.
        duplicates: documents that are ineligible only because an earlier one has the same text.
        passed_over: documents that break a rule of `eligible.rules`, by the rule's account.
        filtered: documents that meet all rules but fail a quality filter, by the number of the
            reason.
        targets: in the order in which they take documents; one if targets are not separate.
        groups: for each quota column, how much was drawn of its values.
        total: the size of the rows, in the budget's unit.
    """

    rows: int
    eligible: int
    eligible_tokens: int
    eligible_bytes: int
    duplicates: int
    passed_over: Mapping[str, int]
    filtered: tuple[int, ...]
    targets: tuple[TargetDraw | CoverageDraw, ...]
    groups: tuple[GroupAccounts, ...] = ()
    total: int = 0

    @property
    def selected(self) -> int:
        """How many documents are selected."""
        return sum(target.selected for target in self.targets)

    def within(self, first_row: int, rows: int) -> Draw:
        """Return what is needed to tell which of some consecutive rows are selected."""
        targets = tuple(target.within(first_row, rows) for target in self.targets)
        return replace(self, targets=targets)


def left_out_of(duplicates: int, filtered: Sequence[int]) -> LeftOut:
    """Return why documents cannot be selected, for messages.

    Args:
        duplicates: how many are duplicates.
        filtered: how many are refused for each reason, in the order of `REASONS`.
    """
    contaminated = filtered[REASONS.index(CONTAMINATED)]
    return LeftOut(duplicates, sum(filtered) - contaminated, contaminated)
