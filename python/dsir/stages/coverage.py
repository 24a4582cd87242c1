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

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.errors import BudgetError
from dsir.model.relevance import RelevanceModel
from dsir.sampling import KeyRule, Run, find_threshold, selected_positions
from dsir.settings.draw import DrawSettings
from dsir.stages.coverage_pool import Pool, PoolRows, bar_of, bar_of_quotas, pool_of
from dsir.stages.draw import amounts_of
from dsir.stages.drawn import CoverageDraw, Draw, Rounds
from dsir.stages.merged_groups import Groups
from dsir.stages.pool import Lists, ShardPool
from dsir.stages.pool_size import pool_sizes
from dsir.stages.quota_draw import Closing, QuotaPlan, open_positions
from dsir.stages.shard_scores import ShardScores
from dsir.stages.survey import survey_of

ROUNDS = 10

LARGEST_GAIN = 10.0

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
    sizes = pool_sizes([amount for amount, _ in amounts.parts])
    for number, ((amount, _), wanted) in enumerate(zip(amounts.parts, sizes, strict=True)):
        if amounts.plan is None:
            bars.append(bar_of(shards, settings, number, amount, wanted, threads))
        else:
            plan = survey.quota_plan(settings.widened(wanted / amounts.total))
            bars.append(bar_of_quotas(shards, settings, number, amount, plan, threads, candidates))
    pool = pool_of(shards, settings, bars)
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
        self, covering: _core.Covering, wanted: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.float64]:
        """Return the mean of what the n-grams of each wanted document pay; else 0."""
        gains = np.zeros(len(wanted))
        for where, lists in self._wanted(wanted):
            gains[where] = covering.mean_gains(
                *lists, wanted[where].view(np.uint8), threads=self._threads
            )
        return gains

    def add(self, wanted: npt.NDArray[np.bool_], covering: _core.Covering) -> None:
        """Count the n-grams of the wanted documents as selected."""
        for where, lists in self._wanted(wanted):
            covering.add(*lists, wanted[where].view(np.uint8))

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


def covering_of(model: RelevanceModel, number: int, weight: float) -> _core.Covering:
    """Return how much each n-gram pays while nothing is selected.

    That is the share that the target has over the share that is selected. The model of what is
    selected is smoothed with as many n-grams as the budget has tokens.

    Args:
        model: the model.
        number: the target.
        weight: the tokens of the budget.
    """
    return _core.Covering(
        weight * model.target_shares(number), weight * model.raw_shares, largest=LARGEST_GAIN
    )


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
        pool: Pool,
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
    pool: Pool,
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
    covering = covering_of(model, number, rounds.weight)
    found = []
    spent = 0
    for turn in range(ROUNDS):
        limit = amount * (turn + 1) // ROUNDS - spent
        open_rows &= pool.cost <= amount - spent
        if not (open_rows & (pool.cost <= limit)).any():
            found.append((0, 0))
            continue
        gains = lists.gains(covering, open_rows)
        chosen, cost = one_round.take(turn, limit, gains, open_rows)
        lists.add(chosen, covering)
        taken |= chosen
        open_rows &= ~chosen
        spent += cost
        found.append((int(np.count_nonzero(chosen)), cost))
    return taken, rounds._replace(taken=tuple(found))
