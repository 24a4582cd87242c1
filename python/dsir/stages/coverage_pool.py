"""The pool of method="coverage": the documents that its rounds choose among.

These are the documents that are as relevant as the target's own, and as many more as a round may
need. docs/algorithms.md, section 14.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir.sampling import KeyRule, Run, Threshold, find_threshold, selected_positions
from dsir.settings.draw import DrawSettings
from dsir.stages.eligible import cost_of_rows, eligible_rows
from dsir.stages.quota_draw import Closing, QuotaPlan, open_positions
from dsir.stages.score_table import Scores
from dsir.stages.shard_scores import ShardScores
from dsir.stages.survey import runs_of


class PoolRows(NamedTuple):
    """The rows of one shard that are in the pool.

    Attributes:
        rows: int64, rows of the shard, ascending.
        tokens: uint32, their tokens.
    """

    rows: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Bar:
    """Which documents are in the pool of a target.

    Attributes:
        rule: how their keys are made.
        amount: what the target takes; larger documents cannot be taken.
        threshold: the lowest rank in the pool; None for all documents of at least `least`.
        least: the relevance that documents of the target reach themselves.
        closings: with quotas, the ranks at which the groups of each column are closed for the pool.
            It then also has every document that reaches `least`.
    """

    rule: KeyRule
    amount: int
    threshold: Threshold | None
    least: float
    closings: tuple[Closing, ...] = ()

    def members(self, run: Run) -> npt.NDArray[np.bool_]:
        """Return which documents of a run are in the pool."""
        if self.threshold is None:
            return _reaching(run, self.least)
        members = _reaching(run, self.least) if self.closings else np.zeros_like(run.eligible, bool)
        found = selected_positions(run, self.rule, self.threshold)
        members[open_positions(run, self.rule, self.closings, found)] = True
        return members


def bar_of(
    shards: Sequence[ShardScores],
    settings: DrawSettings,
    number: int,
    amount: int,
    wanted: int,
    threads: int,
) -> Bar:
    """Return the bar of a target's pool.

    Args:
        shards: the scores.
        settings: how to draw.
        number: the target.
        amount: what the target takes, in the budget's unit.
        wanted: how much the pool has to hold; earlier targets may take from the same documents.
        threads: how many threads to use.
    """
    rule = settings.rule.of_target(number)
    least = rule.calibration.threshold

    def runs() -> Iterator[Run]:
        for corpus_row, scores in runs_of(shards):
            yield _run(corpus_row, scores, settings, number, amount)

    relevant = rows = 0
    for run in runs():
        relevant += _cost(run, _reaching(run, least))
        rows += len(run.log_weight)
    if relevant >= wanted or not amount:
        return Bar(rule, amount, None, least)
    threshold = find_threshold(runs, rule, wanted, threads, rows)
    if threshold.cost < wanted and threshold.next_cost:  # One more, to hold all that is wanted.
        wanted = threshold.cost + threshold.next_cost
        threshold = find_threshold(runs, rule, wanted, threads, rows)
    return Bar(rule, amount, threshold, least)


def bar_of_quotas(
    shards: Sequence[ShardScores],
    settings: DrawSettings,
    number: int,
    amount: int,
    plan: QuotaPlan,
    threads: int,
    candidates: int,
) -> Bar:
    """Return the bar of a target's pool, where groups have quotas.

    A subset within the quotas is as large as the budget: of every group, the pool has at most as
    many times its quota as it has times the budget, or all of it.

    Args:
        shards: the scores.
        settings: how to draw.
        number: the target.
        amount: what the target takes, in the budget's unit.
        plan: how much of each group the pool may hold.
        threads: how many threads to use.
        candidates: how many documents each pass decides on.
    """
    rule = settings.rule.of_target(number)
    least = rule.calibration.threshold
    if not amount:
        return Bar(rule, amount, None, least)

    def runs() -> Iterator[Run]:
        for corpus_row, scores in runs_of(shards):
            yield _run(corpus_row, scores, settings, number, amount)

    [part] = plan.parts([1.0])
    threshold, closings = plan.draw(runs, rule, part, threads, candidates)
    return Bar(rule, amount, threshold, least, closings)


def _run(corpus_row: int, scores: Scores, settings: DrawSettings, number: int, amount: int) -> Run:
    """Return a run of documents, in which those that are larger than an amount are ineligible."""
    eligible = eligible_rows(scores, settings)
    cost = cost_of_rows(scores, settings)
    if cost is None:
        cost = np.ones(scores.rows, dtype=np.uint32)
    eligible &= (cost <= amount).astype(np.uint8)
    return Run(corpus_row, scores.log_weight[number], eligible, cost, scores.group_codes)


def _reaching(run: Run, least: float) -> npt.NDArray[np.bool_]:
    """Return which eligible documents have at least a relevance."""
    assert run.eligible is not None
    found: npt.NDArray[np.bool_] = (run.log_weight >= least) & (run.eligible > 0)
    return found


def _cost(run: Run, inside: npt.NDArray[np.bool_]) -> int:
    assert run.cost is not None
    return int(run.cost[inside].sum(dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Pool:
    """The documents of the pools of all targets.

    Attributes:
        rows: int64, global row numbers, ascending.
        cost: uint32, in the budget's unit.
        tokens: uint32.
        members: bool[targets, rows], which documents are in the pool of each target.
        groups: uint32[columns, rows], the codes of the quota columns; None without quotas.
        of_shards: the same rows by shard.
    """

    rows: npt.NDArray[np.int64]
    cost: npt.NDArray[np.uint32]
    tokens: npt.NDArray[np.uint32]
    members: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.uint32] | None
    of_shards: list[PoolRows]

    @property
    def lengths(self) -> list[int]:
        """How many rows of each shard are in a pool."""
        return [len(one.rows) for one in self.of_shards]


def pool_of(shards: Sequence[ShardScores], settings: DrawSettings, bars: Sequence[Bar]) -> Pool:
    """Return the documents that are in the pool of any target.

    Args:
        shards: the scores.
        settings: how to draw.
        bars: which documents are in the pool of each target.
    """
    rows = [np.zeros(0, np.int64)]
    cost = [np.zeros(0, np.uint32)]
    tokens = [np.zeros(0, np.uint32)]
    members = [np.zeros((len(bars), 0), dtype=bool)]
    groups: list[npt.NDArray[np.uint32]] = []
    of_shards = []
    first_row = 0
    for shard in shards:
        mine = [np.zeros(0, np.int64)]
        lengths = [np.zeros(0, np.uint32)]
        at = 0
        for scores in shard.runs():
            runs = [
                _run(first_row + at, scores, settings, number, bar.amount)
                for number, bar in enumerate(bars)
            ]
            inside = np.stack([bar.members(run) for bar, run in zip(bars, runs, strict=True)])
            found = np.flatnonzero(inside.any(axis=0))
            assert runs[0].cost is not None
            cost.append(runs[0].cost[found])
            members.append(inside[:, found])
            if scores.group_codes is not None:
                groups.append(scores.group_codes[:, found])
            mine.append(found + at)
            lengths.append(scores.tokens[found])
            at += scores.rows
        of_shards.append(PoolRows(np.concatenate(mine), np.concatenate(lengths)))
        rows.append(of_shards[-1].rows + first_row)
        tokens.append(of_shards[-1].tokens)
        first_row += shard.rows
    return Pool(
        np.concatenate(rows),
        np.concatenate(cost),
        np.concatenate(tokens),
        np.concatenate(members, axis=1),
        np.concatenate(groups, axis=1) if groups else None,
        of_shards,
    )
