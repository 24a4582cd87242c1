"""Tells, while rows are scored, which of them may still be selected."""

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
from dsir.stages.pool_size import pool_sizes
from dsir.stages.score_table import Scores

# When row numbers are unknown, only log-weights can be compared. After 8 budgets' worth of rows the
# bar is stable. If it admits over a quarter of the next 8 budgets' worth, log-weights are too close
# together for the gate to help.
_BUDGETS_TO_RISE = 8
_LARGEST_SHARE_PASSED = 0.25


class Gate:
    """Lets rows through that may still be selected. Shared by the tasks of a stage; thread-safe.

    A copy in another process starts without what this one has seen, so it lets more rows through.
    With method="coverage", the rows are those that may be in the pool: all that reach the threshold
    of the target's own documents, and as many more as the pool lacks.

    Args:
        settings: how rows will be drawn.
        amounts: how much of the budget each target takes, in the order in which targets draw.
        most_bytes: how many bytes of text may be kept in all.
    """

    def __init__(self, settings: DrawSettings, amounts: Sequence[int], most_bytes: int) -> None:
        self._arguments = (settings, tuple(amounts), most_bytes)
        self._settings = settings
        self._bars = []
        self._pools = settings.rule.method == "coverage"
        # Earlier targets may take the best rows first, so a target may reach down to the rows of
        # all budgets so far.
        reach = pool_sizes(amounts) if self._pools else np.cumsum(amounts).tolist()
        for number, (amount, most) in enumerate(zip(amounts, reach, strict=True)):
            rule: KeyRule = settings.rule.of_target(number)
            if amount:
                self._bars.append((number, rule, _core.RisingBar(rule.core, most)))
        self._lacking = reach  # By target, what the pool needs beside relevant rows, for pools.
        self._budget = sum(amounts)
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
            scores: scores of consecutive rows.
            corpus_row: global row number of the first row; None if not known yet.

        Returns:
            The positions; None if too many rows pass, because row numbers are unknown or the pool
            is large, so that the gate is of no use.
        """
        watched = corpus_row is None or self._pools
        if watched and self._useless:
            return None
        eligible = eligible_rows(scores, self._settings)
        cost = cost_of_rows(scores, self._settings)
        found = []
        for number, rule, bar in self._bars:
            weights = scores.log_weight[number]
            if self._pools:
                reaching = (weights >= rule.calibration.threshold) & (eligible > 0)
                found.append(np.flatnonzero(reaching))
                if not self._lacks(number, len(found[-1]) if cost is None else cost[reaching]):
                    continue
            found.append(bar.add(rule.in_keys(weights), eligible, corpus_row, cost=cost))
        passed = found[0] if len(found) == 1 else np.unique(np.concatenate(found))
        if watched:
            amount = scores.rows if cost is None else int(cost.sum(dtype=np.int64))
            with self._lock:
                self._look_back(scores.rows, len(passed), amount)
        return passed

    def _lacks(self, number: int, relevant: int | npt.NDArray[np.uint32]) -> bool:
        """Tell whether a pool needs more than the relevant rows so far; more of them have come."""
        more = relevant if isinstance(relevant, int) else int(relevant.sum(dtype=np.int64))
        with self._lock:
            self._lacking[number] -= more
            return self._lacking[number] > 0

    def _look_back(self, rows: int, passed: int, amount: int) -> None:
        """Check whether the gate holds back enough rows to be of use."""
        enough = _BUDGETS_TO_RISE * self._budget
        if self._gone_by >= enough:
            self._rows_since_risen += rows
            self._passed_since_risen += passed
        self._gone_by += amount
        if self._gone_by >= 2 * enough:
            most = _LARGEST_SHARE_PASSED * self._rows_since_risen
            self._useless = self._passed_since_risen > most

    def seen(self) -> list[tuple[int, npt.NDArray[np.uint64]]]:
        """Return what the bars have seen here, for gates of other processes; see `add_seen`."""
        return [bar.seen() for _, _, bar in self._bars]

    def add_seen(self, seen: Sequence[tuple[int, npt.NDArray[np.uint64]]]) -> None:
        """Let fewer rows through, by the rows that the gate of another process has seen.

        Raises:
            ValueError: that gate has other bars.
        """
        for (_, _, bar), (first, costs) in zip(self._bars, seen, strict=True):
            bar.add_seen(first, costs)

    def takes(self, amount: int) -> bool:
        """Count bytes that were kept, and tell whether more may be kept."""
        with self._lock:
            self._left -= amount
            return self._left >= 0


@dataclass(frozen=True, slots=True)
class Keep:
    """Which rows of one shard to keep, and where.

    Attributes:
        gate: tells which rows.
        corpus_row: global row number of the shard's first row; None if not known yet.
        path: the file that the rows are written to.
    """

    gate: Gate
    corpus_row: int | None
    path: Path
