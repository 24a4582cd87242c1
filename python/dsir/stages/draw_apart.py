"""The draw made where the scores are: the threshold of `stages.draw`, and no score is read here.

A corpus of 10^11 documents has 2 TB of scores, which no single process should read. Here tasks read
them, each a range of rows, and send back sums: first a survey, then the number and the cost of the
documents by a digit of their rank (`stages.rank_search`).

With one quota column, tasks find the ranks that close its groups as well (`stages.group_search`).

The result is that of `draw`, to the last bit. Whole numbers may be added in any order. The sums of
the effective sample size may not, so tasks send them run by run, as `runs_of` cuts the corpus, and
they are folded in order.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir.engine import Engine, Progress, Tasks
from dsir.errors import WorkdirError
from dsir.model.metrics import EffectiveSampleSize
from dsir.progress import ignore
from dsir.sampling import NOTHING, KeyRule
from dsir.settings.draw import DrawSettings
from dsir.stages.draw import amounts_of, refuse_too_little
from dsir.stages.drawn import Draw, TargetDraw
from dsir.stages.eligible import eligible_rows
from dsir.stages.group_search.search import GroupDraw
from dsir.stages.group_search.sizes import GroupCounter, GroupCounts
from dsir.stages.merged_groups import Groups
from dsir.stages.pieces import Piece, pieces_of
from dsir.stages.quota_draw import Closing
from dsir.stages.rank_search import DigitTask, Prefix, search
from dsir.stages.score_table import RUN_ROWS
from dsir.stages.shard_scores import ShardScores
from dsir.stages.survey import Survey, weights_of
from dsir.stages.turn import Decided
from dsir.stages.unit_scores import rows_of
from dsir.storage.workdir import Workdir

_MOST_RUNS = 64  # Of a task, so 4 million rows.
_TASKS = 4  # For each task that runs at a time, as long as a task has a run at least.


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


class PieceSurvey(NamedTuple):
    """What there is to draw from in a piece.

    Attributes:
        counts: the counts; their effective sample sizes are empty.
        greatest: for each column and run the greatest log-weight; NaN where none is eligible.
        groups: the counts by group of the quota column; None without quotas.
    """

    counts: Survey
    greatest: list[list[float]]
    groups: GroupCounts | None = None


def survey_piece(task: SurveyTask, progress: Progress) -> PieceSurvey:
    """Count what there is to draw from in a piece."""
    counts = Survey(task.columns, None)
    greatest: list[list[float]] = [[] for _ in range(task.columns)]
    if task.checks:
        for place in task.scores.places():
            if place.finished() is None:
                raise WorkdirError(f"{place.path('.json')}: has gone; start again")
            progress(0)
    groups = GroupCounter(task.scores) if task.settings.quotas else None
    for _, scores in task.scores.runs():
        for column, weights in zip(greatest, counts.count(scores, task.settings), strict=True):
            column.append(float(weights.max()) if len(weights) else math.nan)
        if groups is not None:
            groups.add(scores, task.settings)
        progress(0)
    return PieceSurvey(counts, greatest, None if groups is None else groups.counts())


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


def can_draw_apart(shards: Sequence[ShardScores], settings: DrawSettings) -> bool:
    """Tell whether a draw can be made by `draw_apart`.

    Several quota columns need all rows in one place. Duplicates must be marked in files, because
    tasks are sent.
    """
    in_files = all(
        shard.place is not None and (settings.dedup == "none" or shard.marks is not None)
        for shard in shards
    )
    return in_files and has_one_quota_at_most(settings)


def has_one_quota_at_most(settings: DrawSettings) -> bool:
    """Tell whether tasks can find what the quotas refuse.

    With several columns, a document that one of them refuses does not count for the others, so
    whether a document is taken depends on all documents above it, of all groups.
    """
    return len(settings.quotas.columns) <= 1


def draw_apart(
    shards: Sequence[ShardScores],
    settings: DrawSettings,
    shares: Sequence[float],
    engine: Engine,
    *,
    groups: Groups | None = None,
    folder: Workdir | None = None,
    checks: bool = False,
) -> Draw:
    """Find the thresholds of a corpus by tasks that read the scores; see `stages.draw.draw`.

    Args:
        shards: the scores, stored where tasks see them.
        settings: how to draw, with one quota column at most.
        shares: each target's share of the budget.
        engine: runs the tasks.
        groups: the values of the quota column; None without quotas.
        folder: with quotas, a folder that tasks see, for what they leave for each other.
        checks: whether tasks check the scores against their checksums.

    Raises:
        BudgetError: the budget cannot be met.
    """
    pieces = _pieces(shards, engine.threads)
    survey = _survey(pieces, settings, len(shares), engine, groups, checks=checks)
    amounts = amounts_of(survey, settings, shares)
    by_group = None
    if amounts.plan is not None:
        assert survey.groups is not None
        assert folder is not None, "a draw with quotas needs a folder"
        by_group = GroupDraw(pieces, settings, amounts.plan, survey.groups, engine, folder)
    targets: list[TargetDraw] = []
    for number, part in enumerate(amounts.parts):
        rule = settings.rule.of_target(number)
        threshold = NOTHING
        closings: tuple[Closing, ...] = ()
        if by_group is not None:
            threshold, closings = by_group.draw(number, rule, part, tuple(targets))
        elif part[0]:
            decided = Decided(tuple(targets))

            def tasks(
                prefix: Prefix,
                collects: bool,
                number: int = number,
                rule: KeyRule = rule,
                decided: Decided = decided,
            ) -> Sequence[DigitTask]:
                return Tasks(
                    len(pieces),
                    lambda at: DigitTask(
                        pieces[at], settings, number, rule, decided, prefix, collects
                    ),
                )

            threshold = search(tasks, part[0], survey.eligible, engine)
        targets.append(TargetDraw(rule, threshold, survey.sizes[number].value(), closings))
    refuse_too_little(targets, amounts, settings)
    groups_drawn = amounts.plan.accounts() if amounts.plan is not None else ()
    return survey.draw(tuple(targets), groups_drawn)


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
    groups: Groups | None,
    *,
    checks: bool,
) -> Survey:
    total = Survey(columns, groups)
    greatest: list[list[float]] = [[] for _ in range(columns)]
    by_piece: list[int] = []
    surveys = Tasks(len(pieces), lambda at: SurveyTask(pieces[at], settings, columns, checks))
    for counts, found, by_group in engine.run(survey_piece, surveys, ignore):
        total.merge(counts)
        if total.groups is not None and by_group is not None:
            total.groups.merge(by_group)
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
