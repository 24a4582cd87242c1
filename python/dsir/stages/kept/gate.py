"""Which rows may still be selected, while they go by."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.sampling import KeyRule
from dsir.settings.draw import DrawSettings
from dsir.stages.eligible import cost_of_rows, eligible_rows
from dsir.stages.score_table import Scores

# Without their numbers, rows are told apart by log-weight alone. Once so many budgets have gone by
# the bar is up; where it then lets through more than a part of as many again, log-weights are too
# close.
_BUDGETS_TO_RISE = 8
_LARGEST_PART = 0.25


class Gate:
    """Lets rows through that may still be selected. Shared by the tasks of a stage; thread-safe.

    In another process it begins anew: more is let through there.

    Args:
        settings: how rows will be drawn.
        amounts: what each target takes of the budget, in the order in which they take.
        most_bytes: what may be kept in all.
    """

    def __init__(self, settings: DrawSettings, amounts: Sequence[int], most_bytes: int) -> None:
        self._arguments = (settings, tuple(amounts), most_bytes)
        self._settings = settings
        self._bars = []
        before = 0
        for number, amount in enumerate(amounts):
            # What targets before this one take is out of its reach, so it may go down so far.
            before += amount
            rule: KeyRule = settings.rule.of_target(number)
            if amount:
                self._bars.append((number, _core.RisingBar(rule.core, before)))
        self._budget = before
        self._left = most_bytes
        self._gone_by = 0  # In the budget's unit.
        self._rows_since_risen = 0
        self._passed_since_risen = 0
        self._useless = False
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Gate, self._arguments)

    def may_be_selected(
        self, scores: Scores, corpus_row: int | None
    ) -> npt.NDArray[np.int64] | None:
        """Return the positions of the rows that may still be selected, ascending.

        Args:
            scores: of consecutive rows.
            corpus_row: global row number of the first; None where it is not known yet.

        Returns:
            The positions; None where the rows have no numbers and without them nearly all of them
            may be selected, so that there is no use in asking.
        """
        if corpus_row is None and self._useless:
            return None
        eligible = eligible_rows(scores, self._settings)
        cost = cost_of_rows(scores, self._settings)
        found = [
            bar.add(scores.log_weight[number], eligible, corpus_row, cost=cost)
            for number, bar in self._bars
        ]
        passed = found[0] if len(found) == 1 else np.unique(np.concatenate(found))
        if corpus_row is None:
            amount = scores.rows if cost is None else int(cost.sum(dtype=np.int64))
            with self._lock:
                self._look_back(scores.rows, len(passed), amount)
        return passed

    def _look_back(self, rows: int, passed: int, amount: int) -> None:
        """Find out whether rows without numbers are held back."""
        enough = _BUDGETS_TO_RISE * self._budget
        if self._gone_by >= enough:
            self._rows_since_risen += rows
            self._passed_since_risen += passed
        self._gone_by += amount
        if self._gone_by >= 2 * enough:
            self._useless = self._passed_since_risen > _LARGEST_PART * self._rows_since_risen

    def takes(self, amount: int) -> bool:
        """Say whether so many bytes more may be kept."""
        with self._lock:
            self._left -= amount
            return self._left >= 0


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep rows of one shard.

    Attributes:
        gate: says which.
        corpus_row: global row number of the shard's first row; None where it is not known yet.
        path: where they go.
    """

    gate: Gate
    corpus_row: int | None
    path: Path
