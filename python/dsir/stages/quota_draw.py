"""Draws with quotas: how much each group has, how much it may take, and the rank that closes it.

A group is a value of a quota column. Documents are taken by descending key. The first document that
would take a group above its quota closes the group, which then takes no more. The draw ends at the
first document of open groups that would pass the budget. See `cpp/sampling/quota_search.hpp`.
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
from dsir.settings.budget import LeftOut
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
    """The ranks that close the groups of one column, by group code.

    Attributes:
        key, not_row: uint64, the rank of each group; documents of lower ranks are refused.
        taken: uint64, documents of each group that the draw takes.
    """

    key: npt.NDArray[np.uint64]
    not_row: npt.NDArray[np.uint64]
    taken: npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class GroupAccounts:
    """How much was drawn of the values of one column.

    Attributes:
        values: how many values there are.
        most: the values with the most selected documents, at most twenty: the value, its eligible
            documents, its selected documents.
    """

    column: str
    values: int
    most: tuple[tuple[Any, int, int], ...]

    def describe(self) -> dict[str, Any]:
        """Return the accounts as JSON values."""
        named = [
            {"value": value, "eligible": eligible, "selected": selected}
            for value, eligible, selected in self.most
        ]
        return {"values": self.values, "most": named}


class GroupSizes:
    """Counts rows and eligible documents by group, for every quota column.

    Args:
        groups: the columns and their values.
    """

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        # Per column and value: the size of its rows, its eligible rows, and the size of these.
        self.total, self.eligible, self.cost = (
            [np.zeros(len(names), dtype=np.int64) for names in groups.names] for _ in range(3)
        )

    def add(self, scores: Scores, eligible: npt.NDArray[np.bool_], settings: DrawSettings) -> None:
        """Count the rows of a run."""
        assert scores.group_codes is not None, "these scores were made with quota columns"
        cost = cost_of_rows(scores, settings)
        for column, codes in enumerate(scores.group_codes):
            chosen = codes[eligible]
            _add_at(self.total[column], codes, cost)
            _add_at(self.eligible[column], chosen, None)
            _add_at(self.cost[column], chosen, None if cost is None else cost[eligible])

    def merge(self, counts: tuple[npt.NDArray[np.uint64], ...]) -> None:
        """Add what there is in other rows of the groups of the only column.

        Args:
            counts: the groups, and for each the size of its rows, its eligible rows and their size.
        """
        codes, *numbers = (one.astype(np.int64) for one in counts)
        sums = self.total[0], self.eligible[0], self.cost[0]
        for total, more in zip(sums, numbers, strict=True):
            total[codes] += more

    def accounts(self, closings: Sequence[tuple[Closing, ...]]) -> tuple[GroupAccounts, ...]:
        """Return what was drawn of each group.

        Args:
            closings: for each target, the closings by column.
        """
        found = []
        for number, (column, names) in enumerate(
            zip(self.groups.columns, self.groups.names, strict=True)
        ):
            selected = np.zeros(len(names), dtype=np.int64)
            for by_column in closings:
                selected += by_column[number].taken.astype(np.int64)
            eligible = self.eligible[number]
            # All that tie with the last named value, so that ties can be ordered by name.
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
        sizes: how much each group has.
        rows: rows of the corpus.
        total: the size of the rows, in the budget's unit.
        eligible: documents that may be selected.
        available: the size of the eligible documents, in the budget's unit.
        left_out: why other documents are not eligible; for messages.

    Raises:
        BudgetError: the budget cannot be met within the quotas.

    Attributes:
        amount: how much to select, in the budget's unit.
    """

    def __init__(
        self,
        settings: DrawSettings,
        sizes: GroupSizes,
        *,
        rows: int,
        total: int,
        eligible: int,
        available: int,
        left_out: LeftOut,
    ) -> None:
        self._settings = settings
        self._sizes = sizes
        budget, quotas = settings.budget, settings.quotas
        budget.refuse_nothing(rows=rows, eligible=eligible, min_tokens=settings.min_tokens)
        self._group_budgets: Amounts | None = None
        if quotas.group_by is None:
            self.amount = budget.resolve(
                rows=rows,
                total=total,
                eligible=eligible,
                available=available,
                left_out=left_out,
                min_tokens=settings.min_tokens,
                allow_fewer=settings.allow_fewer,
            )
        else:
            self._group_budgets = self._budgets_by_group()
            self.amount = int(self._group_budgets.sum())
        self._fit_caps()
        first = len(quotas.columns) - len(quotas.max_per)
        # What earlier targets have left of every cap.
        self._left = [
            np.full(len(sizes.groups.names[first + i]), cap.of(self.amount), dtype=np.uint64)
            for i, cap in enumerate(quotas.max_per)
        ]
        self._closings: list[tuple[Closing, ...]] = []

    def parts(self, shares: Sequence[float]) -> list[tuple[int, Amounts | None]]:
        """Return how much each target takes, and how much of each group if groups have budgets."""
        if self._group_budgets is None:
            return [(part, None) for part in _split(np.array([self.amount]), shares)[:, 0].tolist()]
        return [(int(part.sum()), part) for part in _split(self._group_budgets, shares)]

    def draw(
        self,
        runs: Callable[[], Iterable[Run]],
        rule: KeyRule,
        part: tuple[int, Amounts | None],
        threads: int,
        candidates: int,
    ) -> tuple[Threshold, tuple[Closing, ...]]:
        """Return the threshold of one target, and the closings of the groups of every column.

        Args:
            runs: gives all documents with their groups; called once for each pass.
            rule: how keys are made.
            part: how much the target takes, as `parts` returns it.
            threads: how many threads to use; the result does not depend on them.
            candidates: how many documents each pass decides on; the result does not depend on it.
        """
        quotas = self.quotas_of(part)
        search = _core.QuotaSearch(
            rule.core, _UNLIMITED if part[1] is not None else part[0], quotas, capacity=candidates
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
        closings = tuple(Closing(*outcome[:3]) for outcome in outcomes)
        self.close(closings, [outcome[3] for outcome in outcomes])
        rank = search.threshold
        threshold = Threshold(
            rank.key, rank.not_row, search.selected, search.cost, search.next_cost
        )
        return threshold, closings

    def quotas_of(
        self, part: tuple[int, Amounts | None]
    ) -> list[tuple[npt.NDArray[np.uint64], bool]]:
        """Return for each quota column how much a target may take of each group.

        Args:
            part: how much the target takes, as `parts` returns it.

        Returns:
            By column: uint64 by group, and whether these are documents; if not, they are amounts of
            the budget.
        """
        quotas = [(left, cap.in_rows) for left, cap in zip(self._left, self._caps, strict=True)]
        if part[1] is not None:
            # The budget is spent group by group.
            in_documents = self._settings.budget.unit == "documents"
            quotas.insert(0, (part[1].astype(np.uint64), in_documents))
        return quotas

    def close(self, closings: tuple[Closing, ...], left: Sequence[npt.NDArray[np.uint64]]) -> None:
        """Note what a target has drawn.

        Args:
            closings: by quota column.
            left: by quota column, what is left of what `quotas_of` returned.
        """
        self._left = list(left[len(left) - len(self._left) :])
        self._closings.append(closings)

    def refuse_shortfall(self, selected: int) -> None:
        """Raise BudgetError if fewer documents were drawn than were asked for."""
        settings = self._settings
        if settings.budget.unit != "documents" or settings.allow_fewer or selected >= self.amount:
            return
        raise BudgetError(
            f"{settings.quotas} leaves room for {selected:,} of the {self.amount:,} documents that "
            f"{settings.budget} asks for; ask for less, allow more of a value, or give "
            "allow_fewer=True to take what there is"
        )

    def accounts(self) -> tuple[GroupAccounts, ...]:
        """Return what was drawn of each group."""
        return self._sizes.accounts(self._closings)

    @property
    def _caps(self) -> tuple[Cap, ...]:
        return self._settings.quotas.max_per

    def _budgets_by_group(self) -> Amounts:
        """Return the budget of every group of `group_by`, in the budget's unit."""
        budget, sizes = self._settings.budget, self._sizes
        available = sizes.cost[0]
        if budget.amount is not None:
            wanted = np.full(len(available), budget.amount, dtype=np.int64)
        else:
            wanted = np.array([budget.of(size) for size in sizes.total[0].tolist()], dtype=np.int64)
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
        """Check that the budget can be spent within the caps, or lower it until it can.

        A cap that is a share of the budget falls with the budget, so the budget is lowered until it
        fits. The room in any one column grows with the budget, so no greater budget fits.
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
            if self._group_budgets is not None:
                return  # Each group has its own budget; others do not make up for what caps refuse.
            self.amount = room

    def _room(self, number: int) -> int:
        """Return how much of the budget all values of a capped column together may take."""
        cap = self._caps[number]
        column = len(self._settings.quotas.columns) - len(self._caps) + number
        in_documents = self._settings.budget.unit == "documents"
        if cap.in_rows and not in_documents:
            return self.amount  # A cap in documents does not limit tokens or bytes.
        return int(np.minimum(self._sizes.cost[column], cap.of(self.amount)).sum())


def open_positions(
    run: Run,
    rule: KeyRule,
    closings: Sequence[Closing],
    positions: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Return the given positions of a run whose documents are in groups still open at their rank.

    Args:
        run: the documents, with their groups.
        rule: how keys are made.
        closings: for each quota column, the ranks that close its groups.
        positions: ascending positions in the run.
    """
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
    """Add 1 for each code to that code's sum, or weights, whose sums in a run fit float64."""
    if not len(codes):
        return
    if len(sums) <= len(codes):
        sums += np.bincount(codes, weights, len(sums)).astype(np.int64)
        return
    present, inverse = np.unique(codes, return_inverse=True)
    sums[present] += np.bincount(inverse, weights).astype(np.int64)


def _split(amounts: Amounts, shares: Sequence[float]) -> Amounts:
    """Split amounts by shares as `proportions.split` does, int64[shares, amounts]."""
    parts = np.stack([(amounts * share).astype(np.int64) for share in shares])
    parts[-1] += amounts - parts.sum(axis=0)
    return parts
