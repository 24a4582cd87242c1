"""The draw: turns the scores of a corpus into a threshold for each target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dsir.corpus.batches import within
from dsir.errors import BudgetError, WorkdirError
from dsir.model.metrics import EffectiveSampleSize
from dsir.model.proportions import split
from dsir.model.quality import REASONS
from dsir.plural import counted
from dsir.sampling import NOTHING, KeyRule, Run, Threshold, find_threshold, selected_positions
from dsir.settings.draw import DrawSettings
from dsir.stages.eligible import cost_of_rows, eligible_rows, rules, within_rules
from dsir.stages.merged_groups import Groups
from dsir.stages.quota_draw import (
    Closing,
    GroupAccounts,
    GroupSizes,
    QuotaPlan,
    open_positions,
)
from dsir.stages.score import ShardScores
from dsir.stages.score_table import Scores, in_runs


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


def draw(
    shards: Sequence[ShardScores],
    settings: DrawSettings,
    shares: Sequence[float],
    threads: int,
    groups: Groups | None = None,
    candidates: int = 1 << 20,
) -> Draw:
    """Find the thresholds of a corpus, from the scores of its shards in order.

    Separate targets take their shares of the budget one after the other. Each target has noise of
    its own, and cannot take what an earlier target has taken (docs/algorithms.md, section 5).

    Args:
        shards: the scores.
        settings: how to draw.
        shares: each target's share of the budget, one for each column of log-weights; they add up
            to 1.
        threads: how many threads to use; the result does not depend on them.
        groups: the values of the quota columns; None without quotas.
        candidates: how many documents each pass decides on, if there are quotas.

    Raises:
        BudgetError: the budget cannot be met.
    """
    survey = survey_of(shards, settings, len(shares), groups)
    amounts = amounts_of(survey, settings, shares)
    targets: list[TargetDraw] = []
    for number, amount in enumerate(amounts.parts):
        rule = settings.rule.of_target(number)

        def runs(number: int = number, rule: KeyRule = rule) -> Iterable[Run]:
            for corpus_row, scores in runs_of(shards):
                yield run_for(number, rule, corpus_row, scores, settings, targets)

        closings: tuple[Closing, ...] = ()
        if amounts.plan is not None:
            threshold, closings = amounts.plan.draw(runs, rule, amount, threads, candidates)
        elif amount[0]:
            threshold = find_threshold(runs, rule, amount[0], threads, survey.rows)
        else:
            threshold = NOTHING
        size = survey.sizes[number].value()
        targets.append(TargetDraw(rule, threshold, size, closings))
    refuse_too_little(targets, amounts, settings)
    groups_drawn = amounts.plan.accounts() if amounts.plan is not None else ()
    return survey.draw(tuple(targets), groups_drawn)


def run_for(
    number: int,
    rule: KeyRule,
    corpus_row: int,
    scores: Scores,
    settings: DrawSettings,
    earlier: Sequence[TargetDraw],
) -> Run:
    """Return what a target may take of a run of scores: nothing that an earlier target took.

    Args:
        number: the target.
        rule: how its keys are made.
        corpus_row: global row number of the run's first row.
        scores: the run.
        settings: how to draw.
        earlier: the targets before it.
    """
    run = Run(
        corpus_row,
        rule.in_keys(scores.log_weight[number]),
        eligible_rows(scores, settings),
        cost_of_rows(scores, settings),
        scores.group_codes,
    )
    for before, target in enumerate(earlier):
        weights = target.rule.in_keys(scores.log_weight[before])
        assert run.eligible is not None
        run.eligible[target.positions(run._replace(log_weight=weights))] = 0
    return run


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much to take, in the budget's unit: in all, and for each target.

    Attributes:
        parts: for each target its amount, and the amount of every group if groups have budgets.
        plan: how much each group may take; None without quotas.
    """

    total: int
    parts: list[tuple[int, npt.NDArray[np.int64] | None]]
    plan: QuotaPlan | None


def amounts_of(survey: Survey, settings: DrawSettings, shares: Sequence[float]) -> Amounts:
    """Return how much each target takes, and how much each group may take.

    Args:
        survey: what there is to draw from.
        settings: how to draw.
        shares: each target's share of the budget; they add up to 1.

    Raises:
        BudgetError: the budget cannot be met.
    """
    survey.refuse_nothing(settings)
    if survey.groups is None:
        total = survey.amount(settings)
        return Amounts(total, [(part, None) for part in split(total, shares)], None)
    plan = survey.quota_plan(settings)
    return Amounts(plan.amount, plan.parts(shares), plan)


def refuse_too_little(
    targets: Sequence[TargetDraw], amounts: Amounts, settings: DrawSettings
) -> None:
    """Raise BudgetError if the targets took nothing, or too little for the quotas."""
    selected = sum(target.threshold.selected for target in targets)
    if amounts.plan is not None:
        amounts.plan.refuse_shortfall(selected)
    if selected:
        return
    unit = settings.budget.unit
    left_out = [t.threshold.next_cost for t in targets if t.threshold.next_cost]
    if not left_out:
        raise BudgetError(
            f"{settings.quotas} of {unit}={amounts.total:,}: every document is larger than what "
            "its value may take; ask for more, or allow more of a value"
        )
    raise BudgetError(
        f"{unit}={amounts.total:,} is less than the {min(left_out):,} {unit} of the first "
        "document; ask for more"
    )


def weights_of(
    scores: Scores, chosen: npt.NDArray[np.bool_], settings: DrawSettings, number: int
) -> npt.NDArray[np.float64]:
    """Return the logarithms of the weights that a target draws some rows by."""
    log_weight = scores.log_weight[number][chosen]
    if settings.rule.method == "cap":
        rule = settings.rule.of_target(number)
        log_weight = rule.in_keys(log_weight)
        divisor = rule.divisor
    else:
        divisor = float(settings.rule.temperature)
    divided: npt.NDArray[np.float64] = log_weight / divisor
    return divided


class Survey:
    """Counts what there is to draw from."""

    def __init__(self, columns: int, groups: Groups | None) -> None:
        self.rows = self.eligible = self.eligible_tokens = self.eligible_bytes = 0
        self.total = 0  # The rows, in the budget's unit.
        self.duplicates = 0
        self.empty = 0  # Rows without a token, also because they cannot be read.
        self.passed_over: dict[str, int] = {}
        self.groups = None if groups is None else GroupSizes(groups)
        self.filtered = np.zeros(255, dtype=np.int64)
        self.sizes = [EffectiveSampleSize() for _ in range(columns)]

    def add(self, scores: Scores, settings: DrawSettings) -> None:
        """Count the rows of a run, and add them to the effective sample sizes."""
        for size, weights in zip(self.sizes, self.count(scores, settings), strict=True):
            size.add(weights)

    def count(self, scores: Scores, settings: DrawSettings) -> list[npt.NDArray[np.float64]]:
        """Count the rows of a run; return the log-weights of the eligible ones, by column."""
        chosen = eligible_rows(scores, settings).astype(bool)
        self.rows += scores.rows
        cost = cost_of_rows(scores, settings)
        self.total += scores.rows if cost is None else int(cost.sum(dtype=np.int64))
        self.eligible += int(np.count_nonzero(chosen))
        self.eligible_tokens += int(scores.tokens[chosen].sum(dtype=np.int64))
        self.eligible_bytes += int(scores.bytes[chosen].sum(dtype=np.int64))
        if scores.repeated is not None:
            self.duplicates += int(np.count_nonzero(scores.repeated))
        within = scores.tokens > 0
        left = int(np.count_nonzero(within))
        self.empty += scores.rows - left
        for account, meets in rules(scores, settings):
            within &= meets
            before, left = left, int(np.count_nonzero(within))
            self.passed_over[account] = self.passed_over.get(account, 0) + before - left
        if self.groups is not None:
            self.groups.add(scores, chosen, settings)
        if scores.reason is not None:
            failed = scores.reason[within_rules(scores, settings)]
            self.filtered += np.bincount(failed, minlength=256)[1:]
        return [weights_of(scores, chosen, settings, number) for number in range(len(self.sizes))]

    def merge(self, other: Survey) -> None:
        """Add the counts of rows that follow; not the effective sample sizes."""
        for name in ("rows", "eligible", "eligible_tokens", "eligible_bytes", "total"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.duplicates += other.duplicates
        self.empty += other.empty
        for account, count in other.passed_over.items():
            self.passed_over[account] = self.passed_over.get(account, 0) + count
        self.filtered += other.filtered

    def refuse_nothing(self, settings: DrawSettings) -> None:
        """Raise BudgetError if no document is eligible, saying what refused how many."""
        if self.eligible or not self.filtered.any():
            settings.budget.refuse_nothing(
                rows=self.rows, eligible=self.eligible, min_tokens=settings.min_tokens
            )
            return
        refused = [
            f"{count:,} fail the filter {REASONS[number]}"
            for number, count in enumerate(self.filtered.tolist())
            if count
        ]
        for account, count in self.passed_over.items():
            limit = f" (min_tokens={settings.min_tokens})" if account == "too_short" else ""
            if count:
                refused.append(f"{count:,} are {account.replace('_', ' ')}{limit}")
        if self.empty:
            refused.append(f"{self.empty:,} are empty or cannot be read")
        raise BudgetError(
            f"none of the {counted(self.rows, 'row')} can be selected: {', '.join(refused)}; "
            "loosen the filters"
        )

    def available(self, settings: DrawSettings) -> int:
        """Return the size of the eligible documents, in the budget's unit."""
        return {
            "documents": self.eligible,
            "tokens": self.eligible_tokens,
            "bytes": self.eligible_bytes,
        }[settings.budget.unit]

    def quota_plan(self, settings: DrawSettings) -> QuotaPlan:
        """Return how much each group may take; for surveys with groups.

        Raises:
            BudgetError: the budget cannot be met within the quotas.
        """
        assert self.groups is not None, "the survey counted no groups"
        return QuotaPlan(
            settings,
            self.groups,
            rows=self.rows,
            total=self.total,
            eligible=self.eligible,
            available=self.available(settings),
        )

    def amount(self, settings: DrawSettings) -> int:
        """Return how much to take, in the budget's unit.

        Raises:
            BudgetError: the budget cannot be met.
        """
        return settings.budget.resolve(
            rows=self.rows,
            total=self.total,
            eligible=self.eligible,
            available=self.available(settings),
            min_tokens=settings.min_tokens,
            allow_fewer=settings.allow_fewer,
        )

    def draw(
        self,
        targets: tuple[TargetDraw | CoverageDraw, ...],
        groups: tuple[GroupAccounts, ...] = (),
    ) -> Draw:
        """Return the draw in which the targets take these documents."""
        return Draw(
            self.rows,
            self.eligible,
            self.eligible_tokens,
            self.eligible_bytes,
            self.duplicates,
            self.passed_over,
            tuple(self.filtered.tolist()),
            targets,
            groups,
            self.total,
        )


def survey_of(
    shards: Sequence[ShardScores],
    settings: DrawSettings,
    columns: int,
    groups: Groups | None = None,
) -> Survey:
    """Count what there is to draw from, by the scores of all shards.

    Args:
        shards: the scores.
        settings: how to draw.
        columns: log-weights of each document.
        groups: the values of the quota columns; None without quotas.
    """
    survey = Survey(columns, groups)
    for _, scores in runs_of(shards):
        survey.add(scores, settings)
    return survey


def runs_of(shards: Sequence[ShardScores]) -> Iterator[tuple[int, Scores]]:
    """Give all scores in runs, each with the global row number of its first row.

    Runs cross shards, so that sums over runs do not depend on how the corpus was cut into shards.
    """
    if not shards:
        return
    corpus_row = 0
    for scores in in_runs(checked_scores(shards), shards[0].drawn_form):
        yield corpus_row, scores
        corpus_row += scores.rows


def checked_scores(shards: Sequence[ShardScores]) -> Iterator[Scores]:
    """Give all scores, and check that each shard has as many as its marker says."""
    for shard in shards:
        rows = 0
        for scores in shard.batches():
            yield scores
            rows += scores.rows
        if rows != shard.rows:
            where = shard.place.path(".arrow") if shard.place else "a shard in memory"
            raise WorkdirError(
                f"{where}: holds {rows:,} scores, its marker says {shard.rows:,}; "
                "remove both to score it again"
            )
