"""The draw made where the scores are: the threshold of `stages.draw`, and no score is read here.

A corpus of 10^11 documents has 2 TB of scores, which no single process should read. Here tasks read
them, each a range of rows, and send back sums: first a survey, then the number and the cost of the
documents by a digit of their rank, as the radix search of the core has them, digit after digit
until a few candidates are left. Those are sent back and sorted.

The result is that of `draw`, to the last bit. Whole numbers may be added in any order. The sums of
the effective sample size may not, so tasks send them run by run, as `runs_of` cuts the corpus, and
they are folded in order.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.engine import Engine, Progress, Tasks
from dsir.errors import WorkdirError
from dsir.model.metrics import EffectiveSampleSize
from dsir.model.proportions import split
from dsir.progress import ignore
from dsir.sampling import NOTHING, KeyRule, Run, Threshold
from dsir.settings.draw import DrawSettings
from dsir.stages.draw import Amounts, refuse_too_little, run_for
from dsir.stages.drawn import Draw, TargetDraw
from dsir.stages.eligible import eligible_rows
from dsir.stages.pieces import Piece, pieces_of
from dsir.stages.score import ShardScores
from dsir.stages.score_table import RUN_ROWS
from dsir.stages.survey import Survey, weights_of
from dsir.stages.unit_scores import rows_of

_MOST_RUNS = 64  # Of a task, so 4 million rows.
_TASKS = 4  # For each task that runs at a time, as long as a task has a run at least.
_FEW = 1 << 14  # Candidates that are sent back and sorted.

U64 = npt.NDArray[np.uint64]


class Level(NamedTuple):
    """A digit of a rank: `bits` bits of the key, or of the row, from bit `shift` up."""

    of_key: bool
    shift: int
    bits: int


# Keys lie close together in their first 16 bits (sign, exponent, 4 bits), so tasks send few bins.
LEVELS = (
    Level(True, 48, 16),
    *(Level(True, shift, 12) for shift in (36, 24, 12, 0)),
    *(Level(False, shift, 16) for shift in (48, 32, 16, 0)),
)


@dataclass(frozen=True, slots=True)
class SurveyTask:
    """Count what there is to draw from in a piece.

    Attributes:
        checks: read the scores against the checksums in their markers, which nobody has done yet.
    """

    scores: Piece
    settings: DrawSettings
    columns: int
    checks: bool = False


@dataclass(frozen=True, slots=True)
class SizeTask:
    """Add up the weights of a piece, run by run.

    Attributes:
        greatest: by column, for each run the log-weight that its weights are relative to; NaN for a
            run without weights.
    """

    scores: Piece
    settings: DrawSettings
    greatest: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """The digits of the threshold's rank that are known.

    Attributes:
        level: how many.
        key, not_row: the digits; 0 where they are not known.
    """

    level: int = 0
    key: int = 0
    not_row: int = 0

    def extended(self, digit: int) -> Prefix:
        """Return the prefix with one digit more."""
        level = LEVELS[self.level]
        more = digit << level.shift
        if level.of_key:
            return Prefix(self.level + 1, self.key | more, self.not_row)
        return Prefix(self.level + 1, self.key, self.not_row | more)

    def has(self, keys: U64, not_rows: U64) -> npt.NDArray[np.bool_]:
        """Tell which ranks begin with the prefix."""
        if self.level == 0:
            return np.ones(len(keys), dtype=bool)
        last = LEVELS[self.level - 1]
        shift = np.uint64(last.shift)
        if last.of_key:
            same: npt.NDArray[np.bool_] = (keys >> shift) == np.uint64(self.key >> last.shift)
            return same
        same = (not_rows >> shift) == np.uint64(self.not_row >> last.shift)
        same &= keys == np.uint64(self.key)
        return same


@dataclass(frozen=True, slots=True)
class DigitTask:
    """Count the documents of a piece by the next digit of their ranks.

    Attributes:
        number: the target that draws.
        rule: how its keys are made.
        earlier: the targets that have drawn before.
        prefix: the documents whose ranks begin with it are counted.
        collects: send back these documents, and do not count them.
    """

    scores: Piece
    settings: DrawSettings
    number: int
    rule: KeyRule
    earlier: tuple[TargetDraw, ...]
    prefix: Prefix
    collects: bool = False


@dataclass(frozen=True, slots=True)
class Bins:
    """Documents by a digit of their ranks; bins without documents are left out.

    Attributes:
        digits: uint64, ascending.
        documents: uint64, how many there are.
        costs: uint64, their cost.
    """

    digits: U64
    documents: U64
    costs: U64


class Candidates(NamedTuple):
    """Documents with their ranks: uint64 each."""

    keys: U64
    not_rows: U64
    costs: U64


class PieceSurvey(NamedTuple):
    """What there is to draw from in a piece.

    Attributes:
        counts: the counts; their effective sample sizes are empty.
        greatest: for each column and run the greatest log-weight; NaN where none is eligible.
    """

    counts: Survey
    greatest: list[list[float]]


def survey_piece(task: SurveyTask, progress: Progress) -> PieceSurvey:
    """Count what there is to draw from in a piece."""
    counts = Survey(task.columns, None)
    greatest: list[list[float]] = [[] for _ in range(task.columns)]
    if task.checks:
        for place in task.scores.places():
            if place.finished() is None:
                raise WorkdirError(f"{place.path('.json')}: has gone; start again")
            progress(0)
    for _, scores in task.scores.runs():
        for column, weights in zip(greatest, counts.count(scores, task.settings), strict=True):
            column.append(float(weights.max()) if len(weights) else math.nan)
        progress(0)
    return PieceSurvey(counts, greatest)


def sizes_in_piece(task: SizeTask, progress: Progress) -> npt.NDArray[np.float64]:
    """Return float64[columns, runs, 2]: for each run Σw and Σw², relative to `greatest`."""
    found = np.zeros((len(task.greatest), len(task.greatest[0]), 2))
    for run, (_, scores) in enumerate(task.scores.runs()):
        chosen = eligible_rows(scores, task.settings).astype(bool)
        for column, greatest in enumerate(task.greatest):
            if not math.isnan(greatest[run]):
                values = weights_of(scores, chosen, task.settings, column)
                found[column, run] = EffectiveSampleSize.sums(values, greatest[run])
        progress(0)
    return found


def digits_in_piece(task: DigitTask, progress: Progress) -> Bins | Candidates:
    """Count the documents of a piece by a digit, or return them."""
    level = LEVELS[min(task.prefix.level, len(LEVELS) - 1)]
    documents = np.zeros(1 << level.bits, dtype=np.uint64)
    costs = np.zeros(1 << level.bits, dtype=np.uint64)
    collected = []
    for row, scores in task.scores.runs():
        run = run_for(task.number, task.rule, row, scores, task.settings, task.earlier)
        ranked = _ranked(run, task.rule)
        inside = task.prefix.has(ranked.keys, ranked.not_rows)
        found = Candidates._make(column[inside] for column in ranked)
        if task.collects:
            collected.append(found)
        else:
            values = found.keys if level.of_key else found.not_rows
            mask = np.uint64((1 << level.bits) - 1)
            digits = ((values >> np.uint64(level.shift)) & mask).astype(np.int64)
            documents += np.bincount(digits, minlength=len(documents)).astype(np.uint64)
            np.add.at(costs, digits, found.costs)
        progress(0)
    if task.collects:
        nothing = np.zeros(0, dtype=np.uint64)
        columns = zip(Candidates(nothing, nothing, nothing), *collected, strict=True)
        return Candidates._make(np.concatenate(column) for column in columns)
    filled = np.flatnonzero(documents)
    return Bins(filled.astype(np.uint64), documents[filled], costs[filled])


def _ranked(run: Run, rule: KeyRule) -> Candidates:
    """Return the eligible documents of a run with their ranks (cpp/sampling/keys.hpp)."""
    assert run.eligible is not None
    chosen = np.flatnonzero(run.eligible)
    keys = _core.keys(rule.core, np.ascontiguousarray(run.log_weight), run.first_row)[chosen]
    bits = (keys + 0.0).view(np.uint64)
    top = np.uint64(1 << 63)
    ordered = np.where(bits & top != 0, ~bits, bits | top)
    rows = (chosen + run.first_row).astype(np.uint64)
    costs = np.ones(len(chosen), np.uint64) if run.cost is None else run.cost[chosen]
    return Candidates(ordered, ~rows, costs.astype(np.uint64))


def can_draw_apart(shards: Sequence[ShardScores], settings: DrawSettings) -> bool:
    """Tell whether a draw can be made by `draw_apart`.

    Quotas need all rows in one place. Duplicates must be marked in files, because tasks are sent.
    """
    in_files = all(
        shard.place is not None and (settings.dedup == "none" or shard.marks is not None)
        for shard in shards
    )
    return in_files and not settings.quotas.columns


def draw_apart(
    shards: Sequence[ShardScores],
    settings: DrawSettings,
    shares: Sequence[float],
    engine: Engine,
    *,
    checks: bool = False,
) -> Draw:
    """Find the thresholds of a corpus by tasks that read the scores; see `stages.draw.draw`.

    Args:
        shards: the scores, stored where tasks see them.
        settings: how to draw, without quotas.
        shares: each target's share of the budget.
        engine: runs the tasks.
        checks: whether tasks check the scores against their checksums.

    Raises:
        BudgetError: the budget cannot be met.
    """
    pieces = _pieces(shards, engine.threads)
    survey = _survey(pieces, settings, len(shares), engine, checks=checks)
    survey.refuse_nothing(settings)
    total = survey.amount(settings)
    parts = split(total, shares)
    targets: list[TargetDraw] = []
    for number, amount in enumerate(parts):
        rule = settings.rule.of_target(number)
        threshold = NOTHING
        if amount:
            earlier = tuple(targets)

            def tasks(
                prefix: Prefix,
                collects: bool,
                number: int = number,
                rule: KeyRule = rule,
                earlier: tuple[TargetDraw, ...] = earlier,
            ) -> Sequence[DigitTask]:
                return Tasks(
                    len(pieces),
                    lambda at: DigitTask(
                        pieces[at], settings, number, rule, earlier, prefix, collects
                    ),
                )

            threshold = search(tasks, amount, survey.eligible, engine)
        targets.append(TargetDraw(rule, threshold, survey.sizes[number].value()))
    refuse_too_little(targets, Amounts(total, [(part, None) for part in parts], None), settings)
    return survey.draw(tuple(targets))


def _pieces(shards: Sequence[ShardScores], threads: int) -> Sequence[Piece]:
    """Cut a corpus into ranges of whole runs."""
    runs = -(-int(rows_of(shards).sum()) // RUN_ROWS)
    of_a_task = min(_MOST_RUNS, max(1, runs // max(1, _TASKS * threads)))
    return pieces_of(shards, of_a_task * RUN_ROWS)


def _survey(
    pieces: Sequence[Piece],
    settings: DrawSettings,
    columns: int,
    engine: Engine,
    *,
    checks: bool,
) -> Survey:
    total = Survey(columns, None)
    greatest: list[list[float]] = [[] for _ in range(columns)]
    by_piece: list[int] = []
    surveys = Tasks(len(pieces), lambda at: SurveyTask(pieces[at], settings, columns, checks))
    for counts, found in engine.run(survey_piece, surveys, ignore):
        total.merge(counts)
        for so_far, of_piece in zip(greatest, found, strict=True):
            so_far.extend(of_piece)
        by_piece.append(len(found[0]))
    relative = [EffectiveSampleSize.relative_to(column) for column in greatest]
    ends = list(itertools.accumulate(by_piece))

    def size_task(number: int) -> SizeTask:
        stop = ends[number]
        mine = tuple(tuple(column[stop - by_piece[number] : stop]) for column in relative)
        return SizeTask(pieces[number], settings, mine)

    tasks = Tasks(len(pieces), size_task)
    at = 0
    for sums in engine.run(sizes_in_piece, tasks, ignore):
        for column, size in enumerate(total.sizes):
            for run, (weights, squares) in enumerate(sums[column].tolist(), at):
                size.fold(relative[column][run], weights, squares)
        at += sums.shape[1]
    return total


def search(
    tasks: Callable[[Prefix, bool], Sequence[DigitTask]],
    budget: int,
    documents: int,
    engine: Engine,
) -> Threshold:
    """Return the threshold that spends a budget.

    Args:
        tasks: makes the tasks for a prefix, which count or collect.
        budget: documents are taken by descending rank until the next would exceed it.
        documents: how many there are, at most.
        engine: runs the tasks.
    """
    prefix = Prefix()
    selected = cost = 0
    while documents > _FEW and prefix.level < len(LEVELS):
        width = 1 << LEVELS[prefix.level].bits
        counts, costs = np.zeros(width, np.uint64), np.zeros(width, np.uint64)
        for bins in engine.run(digits_in_piece, tasks(prefix, False), ignore):
            assert isinstance(bins, Bins)
            digits = bins.digits.astype(np.int64)
            counts[digits] += bins.documents
            costs[digits] += bins.costs
        for digit in range(width - 1, -1, -1):
            if int(costs[digit]) > budget - cost:
                break
            cost += int(costs[digit])
            selected += int(counts[digit])
        else:  # Everything fits.
            return Threshold(0, 0, selected, cost, 0)
        documents = int(counts[digit])
        prefix = prefix.extended(digit)
    found = engine.run(digits_in_piece, tasks(prefix, True), ignore)
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    order = np.lexsort((columns[1], columns[0]))[::-1]
    for key, not_row, one in zip(*(column[order].tolist() for column in columns), strict=True):
        if one > budget - cost:
            # The next greater rank. Ranks are distinct, so no document lies in between.
            rank = ((key << 64) | not_row) + 1
            return Threshold(rank >> 64, rank & ((1 << 64) - 1), selected, cost, one)
        cost += one
        selected += 1
    return Threshold(0, 0, selected, cost, 0)
