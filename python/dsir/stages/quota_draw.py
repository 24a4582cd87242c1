"""Draws with quotas: how much there is by group, how much each may take, and where each is closed.

Documents are taken by descending key. A group (a value of a column) is closed by the first document
that would take it above its quota, and takes none from then on; the end is the first document of
open groups that would pass the budget. See `cpp/sampling/quota_search.hpp`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.errors import BudgetError
from dsir.sampling import KeyRule, Run, Threshold
from dsir.settings.draw import DrawSettings
from dsir.settings.quotas import Cap
from dsir.stages.eligible import cost_of_rows
from dsir.stages.merged_groups import Groups
from dsir.stages.score_table import Scores

_UNLIMITED = (1 << 64) - 1
_NAMED_GROUPS = 20
_NAMED_IN_MESSAGES = 3

Amounts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Closing:
    """Where the groups of one column are closed, by code.

    Attributes:
        key, not_row: uint64, the rank; documents of lower ranks are refused.
        taken: uint64, documents that the draw takes.
    """

    key: npt.NDArray[np.uint64]
    not_row: npt.NDArray[np.uint64]
    taken: npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class GroupAccounts:
    """What was drawn by the values of one column.

    Attributes:
        values: how many there are.
        most: the values that most was drawn of, at most twenty, with the eligible documents and the
            selected.
    """

    column: str
    values: int
    most: tuple[tuple[Any, int, int], ...]

    def describe(self) -> dict[str, Any]:
        """Return the same as JSON values."""
        named = [
            {"value": value, "eligible": eligible, "selected": selected}
            for value, eligible, selected in self.most
        ]
        return {"values": self.values, "most": named}


class GroupSizes:
    """What there is by group, of every column that quotas are by.

    Args:
        groups: the columns and their values.
    """

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        self.rows, self.eligible, self.cost = (
            [np.zeros(len(names), dtype=np.int64) for names in groups.names] for _ in range(3)
        )

    def add(self, scores: Scores, eligible: npt.NDArray[np.bool_], settings: DrawSettings) -> None:
        """Look at a run."""
        assert scores.groups is not None, "scores were made to have groups"
        cost = cost_of_rows(scores, settings)
        for column, codes in enumerate(scores.groups):
            chosen = codes[eligible]
            _add_at(self.rows[column], codes, None)
            _add_at(self.eligible[column], chosen, None)
            _add_at(self.cost[column], chosen, None if cost is None else cost[eligible])

    def accounts(self, closings: Sequence[tuple[Closing, ...]]) -> tuple[GroupAccounts, ...]:
        """Say what was drawn of each group.

        Args:
            closings: of every target, by column.
        """
        found = []
        for number, (column, names) in enumerate(
            zip(self.groups.columns, self.groups.names, strict=True)
        ):
            selected = np.zeros(len(names), dtype=np.int64)
            for of_target in closings:
                selected += of_target[number].taken.astype(np.int64)
            eligible = self.eligible[number]
            # More than are named, so that those that tie at the end can be ordered by name.
            first = np.argsort(-selected, kind="stable")
            least = selected[first[min(_NAMED_GROUPS, len(first)) - 1]] if len(first) else 0
            among = np.flatnonzero(selected >= least).tolist()
            among.sort(key=lambda code: (-int(selected[code]), -int(eligible[code]), names[code]))
            most = tuple(
                (json.loads(names[code]), int(eligible[code]), int(selected[code]))
                for code in among[:_NAMED_GROUPS]
            )
            found.append(GroupAccounts(column, len(names), most))
        return tuple(found)


class QuotaPlan:
    """How much each group may take in a draw, target by target.

    Args:
        settings: how to draw.
        sizes: what there is.
        rows: rows of the corpus.
        eligible: documents that may be selected.
        available: what these come to, in the budget's unit.

    Raises:
        BudgetError: the budget cannot be met within the quotas.

    Attributes:
        amount: how much is to be selected, in the budget's unit.
    """

    def __init__(
        self, settings: DrawSettings, sizes: GroupSizes, *, rows: int, eligible: int, available: int
    ) -> None:
        self._settings = settings
        self._sizes = sizes
        budget, quotas = settings.budget, settings.quotas
        budget.refuse_nothing(rows=rows, eligible=eligible, min_tokens=settings.min_tokens)
        self._of_groups: Amounts | None = None
        if quotas.group_by is None:
            self.amount = budget.resolve(
                rows=rows,
                eligible=eligible,
                available=available,
                min_tokens=settings.min_tokens,
                allow_fewer=settings.allow_fewer,
            )
        else:
            self._of_groups = self._amounts_of_groups()
            self.amount = int(self._of_groups.sum())
        self._fit_caps()
        first = len(quotas.columns) - len(quotas.max_per)
        # What is left of every cap; targets take one after the other.
        self._left = [
            np.full(len(sizes.groups.names[first + i]), cap.of(self.amount), dtype=np.uint64)
            for i, cap in enumerate(quotas.max_per)
        ]
        self._closings: list[tuple[Closing, ...]] = []

    def parts(self, shares: Sequence[float]) -> list[tuple[int, Amounts | None]]:
        """Return what each target takes, and of each group where groups have budgets."""
        if self._of_groups is None:
            return [(part, None) for part in _split(np.array([self.amount]), shares)[:, 0].tolist()]
        return [(int(part.sum()), part) for part in _split(self._of_groups, shares)]

    def draw(
        self,
        runs: Callable[[], Iterable[Run]],
        rule: KeyRule,
        part: tuple[int, Amounts | None],
        threads: int,
        candidates: int,
    ) -> tuple[Threshold, tuple[Closing, ...]]:
        """Find out what a target takes.

        Args:
            runs: gives all documents with their groups; called once a pass.
            rule: what the keys are.
            part: as `parts` gives it.
            threads: how many to use; the result does not depend on it.
            candidates: documents that a pass decides on; nor on this.
        """
        amount, of_groups = part
        quotas = [(left, cap.in_rows) for left, cap in zip(self._left, self._caps, strict=True)]
        in_documents = self._settings.budget.unit == "documents"
        if of_groups is not None:
            # The budget is spent group by group.
            quotas.insert(0, (of_groups.astype(np.uint64), in_documents))
        spent_by_group = of_groups is not None
        search = _core.QuotaSearch(
            rule.core, _UNLIMITED if spent_by_group else amount, quotas, capacity=candidates
        )
        while not search.done:
            for run in runs():
                assert run.groups is not None
                assert run.eligible is not None
                search.add(
                    run.log_weight,
                    run.eligible,
                    run.first_row,
                    np.ascontiguousarray(run.groups),
                    cost=run.cost,
                    threads=threads,
                )
            search.end_pass()
        outcomes = [search.outcome(column) for column in range(len(quotas))]
        first = len(quotas) - len(self._left)
        self._left = [outcome[3] for outcome in outcomes[first:]]
        closings = tuple(Closing(*outcome[:3]) for outcome in outcomes)
        self._closings.append(closings)
        rank = search.threshold
        threshold = Threshold(
            rank.key, rank.not_row, search.selected, search.cost, search.next_cost
        )
        return threshold, closings

    def refuse_shortfall(self, selected: int) -> None:
        """Raise BudgetError where less was drawn than documents were asked for."""
        settings = self._settings
        if settings.budget.unit != "documents" or settings.allow_fewer or selected >= self.amount:
            return
        raise BudgetError(
            f"{settings.quotas} leaves room for {selected:,} of the {self.amount:,} documents that "
            f"{settings.budget} asks for; ask for less, allow more of a value, or give "
            "allow_fewer=True to take what there is"
        )

    def accounts(self) -> tuple[GroupAccounts, ...]:
        """Say what was drawn of each group."""
        return self._sizes.accounts(self._closings)

    @property
    def _caps(self) -> tuple[Cap, ...]:
        return self._settings.quotas.max_per

    def _amounts_of_groups(self) -> Amounts:
        """Return the budget of every group of `group_by`, in the budget's unit."""
        budget, sizes = self._settings.budget, self._sizes
        available = sizes.cost[0]
        if budget.amount is not None:
            wanted = np.full(len(available), budget.amount, dtype=np.int64)
        else:
            wanted = np.floor((budget.fraction or 0) * sizes.rows[0]).astype(np.int64)
        short = np.flatnonzero(available < wanted)
        if len(short) and not self._settings.allow_fewer:
            named = ", ".join(
                f"{sizes.groups.names[0][code]} ({available[code]:,})"
                for code in short[:_NAMED_IN_MESSAGES]
            )
            more = len(short) - _NAMED_IN_MESSAGES
            raise BudgetError(
                f"{budget} by {self._settings.quotas.group_by!r}: {len(short):,} of "
                f"{len(available):,} values have fewer eligible {budget.unit}: {named}"
                f"{f' and {more:,} more' if more > 0 else ''}; ask for less, lower min_tokens, or "
                "give allow_fewer=True to take all there are"
            )
        amounts = np.minimum(wanted, available)
        if not amounts.any():
            raise BudgetError(f"{budget} of each value is less than one document")
        return amounts

    def _fit_caps(self) -> None:
        """Make sure that the budget can be spent within the caps, or lower it to what can.

        A share is of the budget, so lowering the budget lowers the caps: until it fits. What any
        one column has room for grows with the budget, so no greater budget fits.
        """
        while True:
            room = min([self.amount, *(self._room(number) for number in range(len(self._caps)))])
            if room == self.amount:
                return
            settings = self._settings
            if not settings.allow_fewer:
                raise BudgetError(
                    f"{settings.quotas} leaves room for at most {room:,} of the {self.amount:,} "
                    f"{settings.budget.unit} that {settings.budget} asks for; ask for less, allow "
                    "more of a value, or give allow_fewer=True to take what there is"
                )
            if room == 0:
                raise BudgetError(
                    f"{settings.quotas}: nothing can be selected within these shares; there are "
                    "too few values, or too few eligible documents"
                )
            if self._of_groups is not None:
                return  # Each group has a budget of its own; what the caps refuse is not replaced.
            self.amount = room

    def _room(self, number: int) -> int:
        """Return how much of the budget the values of a capped column may take together."""
        cap = self._caps[number]
        column = len(self._settings.quotas.columns) - len(self._caps) + number
        in_documents = self._settings.budget.unit == "documents"
        if cap.in_rows and not in_documents:
            return self.amount  # Documents do not say how many tokens or bytes that is.
        return int(np.minimum(self._sizes.cost[column], cap.of(self.amount)).sum())


def open_positions(
    run: Run,
    rule: KeyRule,
    closings: Sequence[Closing],
    positions: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Return those of some positions in a run whose groups are open at their rank."""
    for column, closing in enumerate(closings):
        assert run.groups is not None
        is_open = _core.open_in(
            rule.core,
            closing.key,
            closing.not_row,
            run.log_weight[positions],
            positions + run.first_row,
            run.groups[column][positions],
        )
        positions = positions[is_open.astype(bool)]
    return positions


def _add_at(
    sums: Amounts, codes: npt.NDArray[np.uint32], weights: npt.NDArray[np.uint32] | None
) -> None:
    """Add to sums by code: 1 each, or weights, whose sums stay exact in float64 within a run."""
    if not len(codes):
        return
    if len(sums) <= len(codes):
        sums += np.bincount(codes, weights, len(sums)).astype(np.int64)
        return
    present, inverse = np.unique(codes, return_inverse=True)
    sums[present] += np.bincount(inverse, weights).astype(np.int64)


def _split(amounts: Amounts, shares: Sequence[float]) -> Amounts:
    """Split amounts by shares, int64[shares, amounts]: the rule of `proportions.split`."""
    parts = np.stack([(amounts * share).astype(np.int64) for share in shares])
    parts[-1] += amounts - parts.sum(axis=0)
    return parts
