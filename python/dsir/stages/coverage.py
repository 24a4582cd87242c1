"""The draw of method="coverage": rounds that take what the selection still lacks of the target.

First a pool is made of the documents that are as relevant as the target's own, and of as many more
as a round may need. Then ten rounds each take a tenth of the budget: the documents whose n-grams
raise the likelihood of the target most, under a smoothed model of what is selected so far. The
method is ours; docs/algorithms.md, section 14. With quotas, the pool is what a draw by relevance
takes whose budget and quotas are as much larger, and a round takes no more of a group than is left
of its quota.

All sums are of integers, and all other numbers come from them in a fixed order, so nothing depends
on threads, on the engine, or on how the corpus is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.errors import BudgetError
from dsir.model.relevance import RelevanceModel
from dsir.sampling import KeyRule, Run, Threshold, find_threshold, selected_positions
from dsir.settings.draw import DrawSettings
from dsir.stages.draw import CoverageDraw, Draw, Rounds, amounts_of, runs_of, survey_of
from dsir.stages.eligible import cost_of_rows, eligible_rows
from dsir.stages.merged_groups import Groups
from dsir.stages.pool import Lists, ShardPool
from dsir.stages.quota_draw import Closing, QuotaPlan, open_positions
from dsir.stages.score import ShardScores
from dsir.stages.score_table import Scores

ROUNDS = 10

POOL = (3, 2)
"""A pool holds at least this many budgets, as a fraction, if there are so many documents."""

LARGEST_GAIN = 10.0


class PoolRows(NamedTuple):
    """The rows of one shard that are in the pool.

    Attributes:
        rows: int64, rows of the shard, ascending.
        tokens: uint32, their tokens.
    """

    rows: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.uint32]


ListPool = Callable[[Sequence[PoolRows]], Sequence[ShardPool]]
"""Lists the n-grams of the rows of every shard."""


def draw_coverage(
    shards: Sequence[ShardScores],
    settings: DrawSettings,
    model: RelevanceModel,
    list_pool: ListPool,
    threads: int,
    held_bytes: int = 0,
    groups: Groups | None = None,
    candidates: int = 1 << 20,
) -> Draw:
    """Select the documents of a corpus that cover the target.

    Separate targets take their shares of the budget one after the other, each from a pool of its
    own, and none takes what an earlier target has taken.

    Args:
        shards: the scores.
        settings: how to draw.
        model: the model that the scores are from.
        list_pool: lists the n-grams of the pool, which means reading its texts.
        threads: how many threads to use; the result does not depend on them.
        held_bytes: a pool of at most so many bytes is read into memory.
        groups: the values of the quota columns; None without quotas.
        candidates: how many documents each pass of a draw with quotas decides on.

    Raises:
        BudgetError: the budget cannot be met.
    """
    survey = survey_of(shards, settings, model.columns, groups)
    amounts = amounts_of(survey, settings, model.column_shares)
    bars = []
    before = 0
    for number, (amount, _) in enumerate(amounts.parts):
        wanted = before - (-amount * POOL[0] // POOL[1])  # Rounded up.
        if amounts.plan is None:
            bars.append(_bar(shards, settings, number, amount, wanted, threads))
        else:
            plan = survey.quota_plan(settings.widened(wanted / amounts.total))
            bars.append(_bar_of_quotas(shards, settings, number, amount, plan, threads, candidates))
        before += amount
    pool = _pool_of(shards, settings, bars)
    lists = PoolLists(list_pool(pool.of_shards), pool.lengths, threads, held_bytes)
    taken = np.zeros(len(pool.rows), dtype=bool)
    targets = []
    for number, (part, bar) in enumerate(zip(amounts.parts, bars, strict=True)):
        take = _Round(pool, part, amounts.plan, threads, candidates)
        mine, rounds = _take(pool, lists, model, number, part[0], ~taken, take)
        taken |= mine
        targets.append(CoverageDraw(bar.rule, pool.rows[mine], rounds))
    if amounts.plan is not None:
        amounts.plan.refuse_shortfall(int(np.count_nonzero(taken)))
    if not taken.any():
        unit = settings.budget.unit
        raise BudgetError(
            f"{unit}={amounts.total:,} is less than the {unit} of every document; ask for more"
        )
    groups_drawn = amounts.plan.accounts() if amounts.plan is not None else ()
    return survey.draw(tuple(targets), groups_drawn)


@dataclass(frozen=True, slots=True)
class _Bar:
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


def _bar(
    shards: Sequence[ShardScores],
    settings: DrawSettings,
    number: int,
    amount: int,
    wanted: int,
    threads: int,
) -> _Bar:
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
        return _Bar(rule, amount, None, least)
    threshold = find_threshold(runs, rule, wanted, threads, rows)
    if threshold.cost < wanted and threshold.next_cost:  # One more, to hold all that is wanted.
        wanted = threshold.cost + threshold.next_cost
        threshold = find_threshold(runs, rule, wanted, threads, rows)
    return _Bar(rule, amount, threshold, least)


def _bar_of_quotas(
    shards: Sequence[ShardScores],
    settings: DrawSettings,
    number: int,
    amount: int,
    plan: QuotaPlan,
    threads: int,
    candidates: int,
) -> _Bar:
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
        return _Bar(rule, amount, None, least)

    def runs() -> Iterator[Run]:
        for corpus_row, scores in runs_of(shards):
            yield _run(corpus_row, scores, settings, number, amount)

    [part] = plan.parts([1.0])
    threshold, closings = plan.draw(runs, rule, part, threads, candidates)
    return _Bar(rule, amount, threshold, least, closings)


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
class _Pool:
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


def _pool_of(shards: Sequence[ShardScores], settings: DrawSettings, bars: Sequence[_Bar]) -> _Pool:
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
    return _Pool(
        np.concatenate(rows),
        np.concatenate(cost),
        np.concatenate(tokens),
        np.concatenate(members, axis=1),
        np.concatenate(groups, axis=1) if groups else None,
        of_shards,
    )


class PoolLists:
    """The n-grams of the pool, which are gone over several times.

    Args:
        shards: the n-grams of each shard's rows.
        lengths: the number of rows of each shard.
        threads: how many threads to use.
        held_bytes: they are read into memory if they are no more than this.
    """

    def __init__(
        self, shards: Sequence[ShardPool], lengths: Sequence[int], threads: int, held_bytes: int
    ) -> None:
        self._shards: Sequence[ShardPool] = shards
        if sum(one.size for one in shards) <= held_bytes:
            self._shards = [ShardPool(lists=list(one.batches())) for one in shards]
        self._ends = np.cumsum(lengths).tolist()
        self._lengths = lengths
        self._threads = threads

    def gains(
        self, table: npt.NDArray[np.float64], wanted: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.float64]:
        """Return the mean of a table's entries over the n-grams of each wanted document; else 0."""
        entries = _core.LogRatioTable(table.reshape(1, -1))
        gains = np.zeros(len(wanted))
        for where, lists in self._wanted(wanted):
            gains[where] = _core.mean_entries(
                lists.offsets,
                lists.buckets,
                entries,
                wanted[where].view(np.uint8),
                threads=self._threads,
            )
        return gains

    def add(self, wanted: npt.NDArray[np.bool_], counts: npt.NDArray[np.int64]) -> None:
        """Add the n-grams of the wanted documents to int64[buckets]."""
        for where, lists in self._wanted(wanted):
            _core.add_counts(lists.offsets, lists.buckets, wanted[where].view(np.uint8), counts)

    def _wanted(self, wanted: npt.NDArray[np.bool_]) -> Iterator[tuple[slice, Lists]]:
        """Give the batches that hold wanted documents, and where these documents are."""
        for shard, length, end in zip(self._shards, self._lengths, self._ends, strict=True):
            at = end - length
            if not wanted[at:end].any():
                continue
            for (lists,) in shard.batches():
                where = slice(at, at + len(lists.offsets) - 1)
                at = where.stop
                if wanted[where].any():
                    yield where, lists


class Covering:
    """How much each n-gram pays, by what is selected so far.

    The model of what is selected is smoothed with as many n-grams as the budget has tokens.

    Args:
        model: the model.
        number: the target.
        weight: the tokens of the budget.

    Attributes:
        counts: int64[buckets], the n-grams of what is selected so far.
    """

    def __init__(self, model: RelevanceModel, number: int, weight: float) -> None:
        self._wanted = weight * model.target_shares(number)
        self._smoothing = weight * model.raw_shares
        self.counts = np.zeros(model.features.buckets, dtype=np.int64)

    @property
    def gains(self) -> npt.NDArray[np.float64]:
        """float64[buckets], the share that the target has over the share that is selected."""
        found: npt.NDArray[np.float64] = np.minimum(
            self._wanted / (self.counts + self._smoothing), LARGEST_GAIN
        )
        return found


class _Round:
    """Decides what one round of a target takes, within what is left of budget and quotas.

    Args:
        pool: the pool.
        part: what the target takes in the budget's unit, and of each group if groups have budgets.
        plan: how much each group may take; None without quotas.
        threads: how many threads to use.
        candidates: how many documents each pass decides on, if there are quotas.
    """

    def __init__(
        self,
        pool: _Pool,
        part: tuple[int, npt.NDArray[np.int64] | None],
        plan: QuotaPlan | None,
        threads: int,
        candidates: int,
    ) -> None:
        self._pool = pool
        self._plan = plan
        self._of_groups = part[1]
        self._spent = np.zeros_like(part[1]) if part[1] is not None else None
        self._threads = threads
        self._candidates = candidates

    def take(
        self,
        turn: int,
        limit: int,
        gains: npt.NDArray[np.float64],
        open_rows: npt.NDArray[np.bool_],
    ) -> tuple[npt.NDArray[np.bool_], int]:
        """Return which documents the round takes, and their size in the budget's unit.

        Args:
            turn: the round, from 0.
            limit: the most that it takes.
            gains: float64[rows].
            open_rows: bool[rows], the documents that it may take.
        """
        pool, rule = self._pool, KeyRule(method="top-k")
        run = Run(0, gains, open_rows.astype(np.uint8), pool.cost, pool.groups)

        def runs() -> Iterable[Run]:
            return [run]

        closings: tuple[Closing, ...] = ()
        if self._plan is None:
            threshold = find_threshold(runs, rule, limit, self._threads, len(gains))
        else:
            part = (limit, self._share_of_groups(turn))
            threshold, closings = self._plan.draw(runs, rule, part, self._threads, self._candidates)
        found = selected_positions(run, rule, threshold, self._threads)
        chosen = np.zeros(len(open_rows), dtype=bool)
        chosen[open_positions(run, rule, closings, found)] = True
        if self._spent is not None:
            assert pool.groups is not None
            size = np.bincount(pool.groups[0][chosen], pool.cost[chosen], len(self._spent))
            self._spent += size.astype(np.int64)
        return chosen, threshold.cost

    def _share_of_groups(self, turn: int) -> npt.NDArray[np.int64] | None:
        if self._of_groups is None or self._spent is None:
            return None
        found: npt.NDArray[np.int64] = self._of_groups * (turn + 1) // ROUNDS - self._spent
        return found


def _take(
    pool: _Pool,
    lists: PoolLists,
    model: RelevanceModel,
    number: int,
    amount: int,
    left: npt.NDArray[np.bool_],
    one_round: _Round,
) -> tuple[npt.NDArray[np.bool_], Rounds]:
    """Return which documents of the pool a target takes, and what its rounds took.

    Args:
        pool: the pool.
        lists: the n-grams of its documents.
        model: the model.
        number: the target.
        amount: what the target takes, in the budget's unit.
        left: bool[rows], which documents no earlier target has taken.
        one_round: decides what a round takes.
    """
    open_rows = pool.members[number] & left
    taken = np.zeros(len(open_rows), dtype=bool)
    rounds = Rounds(
        amount,
        int(pool.tokens[open_rows].sum(dtype=np.int64)),
        int(pool.cost[open_rows].sum(dtype=np.int64)),
        (),
    )
    if not amount or not open_rows.any():
        return taken, rounds
    covering = Covering(model, number, rounds.weight)
    found = []
    spent = 0
    for turn in range(ROUNDS):
        limit = amount * (turn + 1) // ROUNDS - spent
        open_rows &= pool.cost <= amount - spent
        if not (open_rows & (pool.cost <= limit)).any():
            found.append((0, 0))
            continue
        gains = lists.gains(covering.gains, open_rows)
        chosen, cost = one_round.take(turn, limit, gains, open_rows)
        lists.add(chosen, covering.counts)
        taken |= chosen
        open_rows &= ~chosen
        spent += cost
        found.append((int(np.count_nonzero(chosen)), cost))
    return taken, rounds._replace(taken=tuple(found))
