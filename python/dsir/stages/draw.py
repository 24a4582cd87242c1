"""The draw: turns the scores of a corpus into a threshold for each target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir.errors import BudgetError, WorkdirError
from dsir.model.metrics import EffectiveSampleSize
from dsir.model.proportions import split
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

    def positions(self, run: Run) -> npt.NDArray[np.int64]:
        """Return the positions of the documents of a run that this target takes, ascending."""
        found = selected_positions(run, self.rule, self.threshold)
        return open_positions(run, self.rule, self.closings, found) if self.closings else found


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
    targets: tuple[TargetDraw, ...]
    groups: tuple[GroupAccounts, ...] = ()
    total: int = 0

    @property
    def selected(self) -> int:
        """How many documents are selected."""
        return sum(target.threshold.selected for target in self.targets)


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
    survey = _Survey(len(shares), groups)
    for _, scores in _runs(shards):
        survey.add(scores, settings)
    amounts = _amounts(survey, settings, shares)
    targets: list[TargetDraw] = []
    for number, amount in enumerate(amounts.parts):
        rule = settings.rule.of_target(number)

        def runs(number: int = number) -> Iterable[Run]:
            for corpus_row, scores in _runs(shards):
                run = Run(
                    corpus_row,
                    settings.rule.in_keys(scores.log_weight[number]),
                    eligible_rows(scores, settings),
                    cost_of_rows(scores, settings),
                    scores.group_codes,
                )
                for before, target in enumerate(targets):
                    weights = settings.rule.in_keys(scores.log_weight[before])
                    earlier = run._replace(log_weight=weights)
                    assert run.eligible is not None
                    run.eligible[target.positions(earlier)] = 0
                yield run

        closings: tuple[Closing, ...] = ()
        if amounts.plan is not None:
            threshold, closings = amounts.plan.draw(runs, rule, amount, threads, candidates)
        elif amount[0]:
            threshold = find_threshold(runs, rule, amount[0], threads, survey.rows)
        else:
            threshold = NOTHING
        size = survey.sizes[number].value()
        targets.append(TargetDraw(rule, threshold, size, closings))
    _refuse_too_little(targets, amounts, settings)
    return Draw(
        survey.rows,
        survey.eligible,
        survey.eligible_tokens,
        survey.eligible_bytes,
        survey.duplicates,
        survey.passed_over,
        tuple(survey.filtered.tolist()),
        tuple(targets),
        amounts.plan.accounts() if amounts.plan is not None else (),
        survey.total,
    )


@dataclass(frozen=True, slots=True)
class _Amounts:
    """How much to take, in the budget's unit: in all, and for each target.

    Attributes:
        parts: for each target its amount, and the amount of every group if groups have budgets.
        plan: how much each group may take; None without quotas.
    """

    total: int
    parts: list[tuple[int, npt.NDArray[np.int64] | None]]
    plan: QuotaPlan | None


def _amounts(survey: _Survey, settings: DrawSettings, shares: Sequence[float]) -> _Amounts:
    available = {
        "documents": survey.eligible,
        "tokens": survey.eligible_tokens,
        "bytes": survey.eligible_bytes,
    }[settings.budget.unit]
    if survey.groups is None:
        total = settings.budget.resolve(
            rows=survey.rows,
            total=survey.total,
            eligible=survey.eligible,
            available=available,
            min_tokens=settings.min_tokens,
            allow_fewer=settings.allow_fewer,
        )
        return _Amounts(total, [(part, None) for part in split(total, shares)], None)
    plan = QuotaPlan(
        settings,
        survey.groups,
        rows=survey.rows,
        total=survey.total,
        eligible=survey.eligible,
        available=available,
    )
    return _Amounts(plan.amount, plan.parts(shares), plan)


def _refuse_too_little(
    targets: Sequence[TargetDraw], amounts: _Amounts, settings: DrawSettings
) -> None:
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


class _Survey:
    """Counts what there is to draw from."""

    def __init__(self, columns: int, groups: Groups | None) -> None:
        self.rows = self.eligible = self.eligible_tokens = self.eligible_bytes = 0
        self.total = 0  # The rows, in the budget's unit.
        self.duplicates = 0
        self.passed_over: dict[str, int] = {}
        self.groups = None if groups is None else GroupSizes(groups)
        self.filtered = np.zeros(255, dtype=np.int64)
        self.sizes = [EffectiveSampleSize() for _ in range(columns)]

    def add(self, scores: Scores, settings: DrawSettings) -> None:
        """Count the rows of a run."""
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
        for account, meets in rules(scores, settings):
            within &= meets
            before, left = left, int(np.count_nonzero(within))
            self.passed_over[account] = self.passed_over.get(account, 0) + before - left
        if self.groups is not None:
            self.groups.add(scores, chosen, settings)
        if scores.reason is not None:
            failed = scores.reason[within_rules(scores, settings)]
            self.filtered += np.bincount(failed, minlength=256)[1:]
        for size, log_weight in zip(self.sizes, scores.log_weight, strict=True):
            size.add(log_weight[chosen] / settings.rule.temperature)


def _runs(shards: Sequence[ShardScores]) -> Iterator[tuple[int, Scores]]:
    """Give all scores in runs, each with the global row number of its first row.

    Runs cross shards, so that sums over runs do not depend on how the corpus was cut into shards.
    """
    if not shards:
        return
    corpus_row = 0
    for scores in in_runs(_checked(shards), shards[0].drawn_form):
        yield corpus_row, scores
        corpus_row += scores.rows


def _checked(shards: Sequence[ShardScores]) -> Iterator[Scores]:
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
