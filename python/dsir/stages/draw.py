"""The draw: turns the scores of a corpus into a threshold for each target."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir.errors import BudgetError
from dsir.model.proportions import split
from dsir.sampling import NOTHING, KeyRule, Run, find_threshold
from dsir.settings.draw import DrawSettings
from dsir.stages.drawn import Draw, TargetDraw
from dsir.stages.eligible import cost_of_rows, eligible_rows
from dsir.stages.merged_groups import Groups
from dsir.stages.quota_draw import (
    Closing,
    QuotaPlan,
)
from dsir.stages.score_table import Scores
from dsir.stages.shard_scores import ShardScores
from dsir.stages.survey import Survey, runs_of, survey_of


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
