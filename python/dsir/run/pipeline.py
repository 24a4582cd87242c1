"""The stages of a run: make a task for each unit, let the engine run them, merge the results.

The stages that go over all units are here, and what they need of the machine. The fit is in
`run.fitting`, a draw by coverage in `run.covering`, the writing in `run.writing`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dsir.corpus import Corpus
from dsir.corpus.skipped import Skipped
from dsir.corpus.units import sizes_of
from dsir.engine import Engine, Tasks
from dsir.errors import EmptyCorpusError, SettingError
from dsir.model.estimator import Scoring
from dsir.model.row_filters import RowFilters
from dsir.plural import counted
from dsir.progress import Reporter, ignore
from dsir.run.covering import Covered, draw_covered
from dsir.run.duplicates import OpenSearch, find_duplicates
from dsir.run.stage_time import StageTime
from dsir.settings.draw import DrawSettings
from dsir.settings.extra_columns import NO_EXTRA, ExtraColumns
from dsir.settings.machine import Machine
from dsir.settings.reading import ReadSettings
from dsir.stages.damage.bad_tally import BadTally
from dsir.stages.damage.columns import LostGroups
from dsir.stages.damage.tally import stopping, within_limits
from dsir.stages.draw import draw
from dsir.stages.draw_apart import can_draw_apart, draw_apart
from dsir.stages.drawn import Draw
from dsir.stages.extend import EarlierScores
from dsir.stages.kept.apart import KeptApart
from dsir.stages.kept.gate import Keep
from dsir.stages.merged_groups import merge_groups
from dsir.stages.sample import SampleTask, ShardRows, sample_shard
from dsir.stages.score import ScoreTask, score_shard
from dsir.stages.shard_scores import ShardScores, load_shard_scores
from dsir.stages.unit_rows import UnitRows
from dsir.stages.unit_scores import ChangeableScores, UnitScores, rows_of
from dsir.stages.units import file_numbers
from dsir.storage.workdir import Workdir

# The driver of a cluster draws from fewer rows itself (half a second, 64 MB of scores), before four
# stages or more of short tasks would have gone through them.
_APART_ROWS = 1 << 22

Spooled = Sequence[Path | None]


@dataclass(slots=True)
class Pipeline:
    """Runs the stages of one run.

    Attributes:
        machine: what the run may use.
        reading: how inputs are read, and how many rows and shards may be bad.
        times: how long each stage took, by stage, filled in as stages run.
    """

    machine: Machine
    reading: ReadSettings = field(default_factory=ReadSettings)
    times: dict[str, StageTime] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        """The engine that runs the tasks."""
        return self.machine.engine

    @property
    def reporter(self) -> Reporter:
        """The reporter that shows progress."""
        return self.machine.reporter

    def score(
        self,
        corpus: Corpus,
        model: Scoring,
        filters: RowFilters | None,
        workdir: Workdir | None,
        numbers: Sequence[int] | None = None,
        keeps: Sequence[Keep | None] = (),
        spooled: Spooled = (),
        extra: ExtraColumns = NO_EXTRA,
        earlier: EarlierScores | None = None,
        apart: KeptApart | None = None,
        *,
        noted: bool = False,
    ) -> UnitScores:
        """Return the scores of the units of a corpus.

        Args:
            corpus: the corpus to score.
            model: the model that gives log-weights.
            filters: what rows must pass to be selected; None for no filters.
            workdir: the folder for the scores; None to hold them in memory.
            numbers: the numbers of the units to score; None for all.
            keeps: by unit, which rows to store as they are scored; empty for none.
            spooled: by unit, the file with its decompressed lines; empty for none.
            extra: the columns to store beside the log-weights.
            earlier: scores in `workdir` that lack some of these columns; None for none.
            apart: says which rows to store if other processes write them; None for `keeps`.
            noted: all scores are there, and whoever reads them checks them; so nothing is shown of
                this stage.

        Raises:
            EmptyCorpusError: all units were to be scored and none could be read.
            BadDataError: more rows or shards are bad than the limits allow.
        """
        chosen = range(len(corpus.shards)) if numbers is None else numbers
        files = file_numbers(corpus.shards)
        tally = BadTally(
            self.reading.limits, corpus.name, len({files[number] for number in chosen})
        )
        sizes = sizes_of(corpus.shards)
        tasks = self.score_tasks(
            corpus, model, filters, workdir, chosen, keeps, spooled, extra, earlier, tally, apart
        )
        size = int(sizes[chosen].sum()) if len(chosen) else 0
        with self.timed("score") as timed:
            with (
                nullcontext(ignore)
                if noted
                else self.reporter.stage("score", size, "bytes") as advance,
                stopping(
                    _noted(tasks) if noted else self.engine.run(score_shard, tasks, advance)
                ) as results,
            ):
                chosen_units = ((corpus.shards[number], files[number]) for number in chosen)
                scores = UnitScores(within_limits(results, chosen_units, tally))
            tally.finish()
            timed.text_bytes = int(scores.column("text_bytes").sum())
            timed.kept_bytes = int(scores.column("kept_bytes").sum())
        if numbers is None and not (rows := int(scores.column("rows").sum())):
            skipped = [entry for unit in scores for entry in unit.skipped]
            refuse_no_rows(corpus, rows, skipped)
        return scores

    def score_tasks(
        self,
        corpus: Corpus,
        model: Scoring,
        filters: RowFilters | None,
        workdir: Workdir | None,
        numbers: Sequence[int],
        keeps: Sequence[Keep | None] = (),
        spooled: Spooled = (),
        extra: ExtraColumns = NO_EXTRA,
        earlier: EarlierScores | None = None,
        tally: BadTally | None = None,
        apart: KeptApart | None = None,
    ) -> Sequence[ScoreTask]:
        """Return the tasks that score units; see `score` for the arguments."""
        threads = self.threads_inside(len(numbers))

        def task(at: int) -> ScoreTask:
            number = numbers[at]
            return ScoreTask(
                corpus.shards[number],
                model,
                filters,
                self.reading.on_error,
                threads,
                workdir.place(number) if workdir else None,
                keeps[number] if keeps else None,
                spooled[number] if spooled else None,
                None if tally is None else tally.most_bad_rows,
                extra,
                earlier,
                apart,
            )

        return Tasks(len(numbers), task)

    def score_again(
        self,
        corpus: Corpus,
        scores: Sequence[ShardScores],
        lost: LostGroups,
        model: Scoring,
        filters: RowFilters | None,
        workdir: Workdir | None,
        extra: ExtraColumns = NO_EXTRA,
    ) -> UnitScores:
        """Return scores with the damaged units scored again, without their lost row groups.

        Bad rows and shards are counted again as well.

        Args:
            corpus: the corpus that was scored.
            scores: the scores of every unit.
            lost: the damaged row groups.
            model: the model that gives log-weights.
            filters: what rows must pass to be selected; None for no filters.
            workdir: the folder for the scores; None to hold them in memory.
            extra: the columns to store beside the log-weights.

        Raises:
            BadDataError: more rows or shards are bad than the limits allow.
        """
        numbers = sorted(lost.by_unit)
        threads = self.threads_inside(len(numbers))
        folder = None
        if workdir is not None:
            folder = workdir.stage(lost.stage("damaged"), workdir.manifest["settings"])
        tasks = [
            ScoreTask(
                lost.unit(corpus.shards[number], number),
                model,
                filters,
                self.reading.on_error,
                threads,
                folder.place(number) if folder else None,
                extra=extra,
            )
            for number in numbers
        ]
        found = UnitScores(scores)
        with self.timed("score"), stopping(self.engine.run(score_shard, tasks, ignore)) as new:
            for number, unit in zip(numbers, new, strict=True):
                found[number] = unit
        tally = BadTally(self.reading.limits, corpus.name, len(corpus.first_shards))
        units = zip(corpus.shards, file_numbers(corpus.shards), strict=True)
        again = UnitScores(within_limits(found, units, tally))
        tally.finish()
        return again

    def sample(
        self,
        scores: ChangeableScores,
        settings: DrawSettings,
        shares: Sequence[float],
        workdir: Callable[[], Workdir] | None,
        covered: Covered | None = None,
        known: Draw | None = None,
        search: OpenSearch | None = None,
        apart: Callable[[], Workdir] | None = None,
    ) -> tuple[Draw, Sequence[ShardRows]]:
        """Draw from the scores of all units; return the draw and the selected rows by unit.

        Args:
            scores: the scores of every unit, in order.
            settings: how to draw.
            shares: the share of the budget of each target.
            workdir: opens the folder for the rows once the draw has succeeded; None to hold the
                rows in memory.
            covered: what method="coverage" needs beside the scores; None for the other methods.
            known: the draw, if it was made before; None to make it.
            search: opens the folder for a search for duplicates by tasks; None for none.
            apart: opens the folder for what tasks of a draw with quotas leave for each other; None
                if there is none that all see.

        Raises:
            BudgetError: the budget cannot be met.
            SettingError: the method needs what is not there.
        """
        if settings.rule.method == "coverage" and covered is None:
            raise SettingError(
                'method="coverage": reads the texts again, so it cannot draw from scores alone; '
                'use dsir.select, or method="cap"'
            )
        rows = int(rows_of(scores).sum())
        with self.timed("sample"), self.reporter.stage("sample", rows, "rows") as advance:
            if settings.dedup != "none":
                find_duplicates(scores, settings, self.machine, search)
            columns = settings.quotas.columns
            groups = merge_groups(scores, columns) if columns else None
            if known is not None:
                drawn = known
            elif covered is not None:
                drawn = draw_covered(
                    scores, settings, covered, groups, self.machine, self.reading.on_error
                )
            elif (
                self.engine.needs_workdir
                and can_draw_apart(scores, settings)
                and rows >= _APART_ROWS
                and (groups is None or apart is not None)
            ):
                drawn = draw_apart(
                    scores,
                    settings,
                    shares,
                    self.engine,
                    groups=groups,
                    folder=None if groups is None or apart is None else apart(),
                )
            else:
                drawn = draw(
                    scores,
                    settings,
                    shares,
                    self.engine.threads_here,
                    groups,
                    self.machine.memory.candidates,
                )
            tasks = self.sample_tasks(scores, settings, drawn, workdir() if workdir else None)
            return drawn, UnitRows(self.engine.run(sample_shard, tasks, advance))

    def sample_tasks(
        self,
        scores: Sequence[ShardScores],
        settings: DrawSettings,
        drawn: Draw,
        folder: Workdir | None,
    ) -> Sequence[SampleTask]:
        """Return the tasks that pick the selected rows of every unit; see `sample`."""
        first_rows = np.concatenate([[0], np.cumsum(rows_of(scores))])

        def task(number: int) -> SampleTask:
            first, unit = int(first_rows[number]), scores[number]
            return SampleTask(
                unit,
                first,
                settings,
                drawn.within(first, unit.rows),
                folder.place(number) if folder else None,
            )

        return Tasks(len(scores), task)

    @contextmanager
    def timed(self, name: str) -> Iterator[StageTime]:
        """Add the time of a block to that of a stage, and give the stage's `StageTime`."""
        timed = self.times.setdefault(name, StageTime())
        begun = time.monotonic()
        yield timed
        timed.seconds += time.monotonic() - begun

    def threads_inside(self, tasks: int) -> int:
        """Return how many threads each task may use if there are more threads than tasks."""
        return self.engine.threads_inside(tasks)


def _noted(tasks: Sequence[ScoreTask]) -> Iterator[ShardScores]:
    """Give the results of finished tasks, from their markers alone."""
    for task in tasks:
        marker = None if task.place is None else task.place.noted()
        if task.place is None or marker is None:  # Somebody has removed it.
            yield score_shard(task, ignore)
        else:
            yield load_shard_scores(task.place, marker, task.form)


def refuse_no_rows(corpus: Corpus, rows: int, skipped: Sequence[Skipped]) -> None:
    """Raise EmptyCorpusError when a corpus has no rows, or none that could be read."""
    if rows:
        return
    first = corpus.shards[0].name
    shards = counted(len(corpus.first_shards), "shard")
    whole = [entry for entry in skipped if entry.row is None]
    if whole:
        raise EmptyCorpusError(
            f"{corpus.name}: none of the {shards} could be read; the first: {whole[0].reason}",
            path=first,
        )
    where = f"({shards}, the first is {first})"
    if corpus.in_memory:
        where = "(it is in memory; an iterator or a stream gives its rows once: make it again)"
    raise EmptyCorpusError(f"{corpus.name}: has no rows {where}", path=first)
