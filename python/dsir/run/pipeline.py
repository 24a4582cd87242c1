"""The stages of a run: make a task for each unit, let the engine run them, merge the results."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir.corpus import Corpus, Shard
from dsir.corpus.skipped import Skipped
from dsir.engine import Engine, Tasks
from dsir.errors import EmptyCorpusError, SettingError
from dsir.model.estimator import Scoring
from dsir.model.features import HashedNgrams
from dsir.model.relevance import RelevanceModel
from dsir.model.row_filters import RowFilters
from dsir.output import AddedColumns
from dsir.plural import counted
from dsir.progress import Advance, Reporter, ignore
from dsir.remote import Location
from dsir.run.combining import choose_among
from dsir.settings.combine import Combine
from dsir.settings.draw import DrawSettings
from dsir.settings.extra_columns import NO_EXTRA, ExtraColumns
from dsir.settings.machine import Machine
from dsir.settings.output import OutputSettings
from dsir.settings.reading import ReadSettings
from dsir.stages.coverage import draw_coverage
from dsir.stages.coverage_pool import PoolRows
from dsir.stages.damage.bad_tally import BadTally
from dsir.stages.damage.columns import LostGroups
from dsir.stages.damage.tally import stopping, within_limits
from dsir.stages.draw import draw
from dsir.stages.draw_apart import can_draw_apart, draw_apart
from dsir.stages.drawn import Draw
from dsir.stages.extend import EarlierScores
from dsir.stages.kept.apart import KeptApart
from dsir.stages.kept.gate import Keep
from dsir.stages.measure import MeasureTask, measure_shard
from dsir.stages.merged_groups import merge_groups
from dsir.stages.plan import OutputPlan, OutputShard, plan_output
from dsir.stages.pool import PoolTask, ShardPool, pool_shard
from dsir.stages.repeats import find_repeats
from dsir.stages.sample import SampleTask, ShardRows, sample_shard
from dsir.stages.score import ScoreTask, ShardScores, load_shard_scores, score_shard
from dsir.stages.units import file_numbers
from dsir.stages.write import (
    GatheredShard,
    GatherTask,
    WriteTask,
    Written,
    gather_shard,
    merge_written,
    write_shard,
    write_stored,
    written_apart,
)
from dsir.storage.workdir import Workdir

Spooled = Sequence[Path | None]


class Covered(NamedTuple):
    """What method="coverage" needs beside the scores.

    Attributes:
        model: the model that the scores are from.
        units: the units that were scored, without row groups that are lost.
        folder: where the n-grams of the pool are kept for the time of the draw; None for a
            temporary folder.
    """

    model: RelevanceModel
    units: Sequence[Shard]
    folder: Path | None


@dataclass(slots=True)
class StageTime:
    """How long a stage took, and for how many bytes of text (0 if bytes are no measure of it).

    Attributes:
        seconds: the time.
        text_bytes: bytes of text that the results of the stage are of.
        kept_bytes: those whose results an earlier run had left, which were not read again.
    """

    seconds: float = 0.0
    text_bytes: int = 0
    kept_bytes: int = 0

    def describe(self) -> dict[str, float | None]:
        """Return seconds, bytes and MB/s as plain values; `kept_bytes` only if there are some."""
        read = self.text_bytes - self.kept_bytes
        rate = read / self.seconds / 1e6 if read and self.seconds else None
        kept = {"kept_bytes": self.kept_bytes} if self.kept_bytes else {}
        return {
            "seconds": round(self.seconds, 3),
            "text_bytes": self.text_bytes,
            **kept,
            "mb_per_second": None if rate is None else round(rate, 1),
        }


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
    ) -> list[ShardScores]:
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
        tasks = self.score_tasks(
            corpus, model, filters, workdir, chosen, keeps, spooled, extra, earlier, tally, apart
        )
        size = sum(corpus.shards[number].size for number in chosen)
        with self.timed("score") as timed:
            with (
                nullcontext(ignore)
                if noted
                else self.reporter.stage("score", size, "bytes") as advance,
                stopping(
                    _noted(tasks) if noted else self.engine.run(score_shard, tasks, advance)
                ) as results,
            ):
                chosen_units = [(corpus.shards[number], files[number]) for number in chosen]
                scores = list(within_limits(results, chosen_units, tally))
            tally.finish()
            timed.text_bytes = sum(unit.text_bytes for unit in scores)
            timed.kept_bytes = sum(unit.kept_bytes for unit in scores)
        if numbers is None:
            skipped = [entry for unit in scores for entry in unit.skipped]
            refuse_no_rows(corpus, sum(unit.rows for unit in scores), skipped)
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
    ) -> list[ShardScores]:
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
        found = list(scores)
        with self.timed("score"), stopping(self.engine.run(score_shard, tasks, ignore)) as new:
            for number, unit in zip(numbers, new, strict=True):
                found[number] = unit
        tally = BadTally(self.reading.limits, corpus.name, len(corpus.first_shards))
        units = list(zip(corpus.shards, file_numbers(corpus.shards), strict=True))
        found = list(within_limits(found, units, tally))
        tally.finish()
        return found

    def sample(
        self,
        scores: Sequence[ShardScores],
        settings: DrawSettings,
        shares: Sequence[float],
        workdir: Callable[[], Workdir] | None,
        covered: Covered | None = None,
        known: Draw | None = None,
    ) -> tuple[Draw, list[ShardRows]]:
        """Draw from the scores of all units; return the draw and the selected rows by unit.

        Args:
            scores: the scores of every unit, in order.
            settings: how to draw.
            shares: the share of the budget of each target.
            workdir: opens the folder for the rows once the draw has succeeded; None to hold the
                rows in memory.
            covered: what method="coverage" needs beside the scores; None for the other methods.
            known: the draw, if it was made before; None to make it.

        Raises:
            BudgetError: the budget cannot be met.
            SettingError: the method needs what is not there.
        """
        if settings.rule.method == "coverage" and covered is None:
            raise SettingError(
                'method="coverage": reads the texts again, so it cannot draw from scores alone; '
                'use dsir.select, or method="cap"'
            )
        rows = sum(unit.rows for unit in scores)
        with self.timed("sample"), self.reporter.stage("sample", rows, "rows") as advance:
            if settings.dedup == "exact":
                find_repeats(scores, settings, self.machine.memory.hashes)
            columns = settings.quotas.columns
            if known is not None:
                drawn = known
            elif covered is not None:
                with self._pool_folder(covered) as place:
                    drawn = draw_coverage(
                        scores,
                        settings,
                        covered.model,
                        lambda pool: self.pool(
                            covered.units, pool, (covered.model.features,), place
                        ),
                        self.engine.threads_here,
                        self.machine.memory.lists,
                        merge_groups(scores, columns) if columns else None,
                        self.machine.memory.candidates,
                    )
            elif self.engine.needs_workdir and can_draw_apart(scores, settings):
                drawn = draw_apart(scores, settings, shares, self.engine)
            else:
                drawn = draw(
                    scores,
                    settings,
                    shares,
                    self.engine.threads_here,
                    merge_groups(scores, columns) if columns else None,
                    self.machine.memory.candidates,
                )
            tasks = self.sample_tasks(scores, settings, drawn, workdir() if workdir else None)
            return drawn, list(self.engine.run(sample_shard, tasks, advance))

    def sample_tasks(
        self,
        scores: Sequence[ShardScores],
        settings: DrawSettings,
        drawn: Draw,
        folder: Workdir | None,
    ) -> Sequence[SampleTask]:
        """Return the tasks that pick the selected rows of every unit; see `sample`."""
        first_rows = np.concatenate([[0], np.cumsum([unit.rows for unit in scores])])

        def task(number: int) -> SampleTask:
            first = int(first_rows[number])
            return SampleTask(
                scores[number],
                first,
                settings,
                drawn.within(first, scores[number].rows),
                folder.place(number) if folder else None,
            )

        return Tasks(len(scores), task)

    @contextmanager
    def _pool_folder(self, covered: Covered) -> Iterator[Path | None]:
        """Give an empty folder for the n-grams of a pool; None if workers would not see it."""
        if covered.folder is None and not self.engine.shares_files:
            yield None
            return
        if covered.folder is not None:
            covered.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="dsir-pool-", dir=covered.folder) as folder:
            yield Path(folder)

    def pool(
        self,
        units: Sequence[Shard],
        pool: Sequence[PoolRows],
        features: tuple[HashedNgrams, ...],
        folder: Path | None,
    ) -> list[ShardPool]:
        """List the n-grams of some rows, by unit.

        Args:
            units: the units of the corpus.
            pool: the rows, by unit.
            features: the kinds of n-grams to list; all of the same tokens.
            folder: where the lists are kept; None for memory.
        """
        numbers = [number for number, rows in enumerate(pool) if len(rows.rows)]
        threads = self.threads_inside(len(numbers))
        tasks = [
            PoolTask(
                units[number],
                features,
                self.reading.on_error,
                *pool[number],
                threads,
                None if folder is None else folder / f"{number:05d}.arrow",
            )
            for number in numbers
        ]
        found = [ShardPool() for _ in pool]
        size = sum(task.shard.size for task in tasks)
        with (
            self.reporter.stage("pool", size, "bytes") as advance,
            stopping(self.engine.run(pool_shard, tasks, advance)) as results,
        ):
            for number, listed in zip(numbers, results, strict=True):
                found[number] = listed
        return found

    def choose(
        self,
        shards: Sequence[Shard],
        scores: Sequence[ShardScores],
        rows: Sequence[ShardRows],
        drawn: Draw,
        settings: DrawSettings,
        combine: Combine,
    ) -> tuple[Draw, list[ShardRows]]:
        """Choose from candidates by several measures; see `choose_among`."""
        candidates = sum(unit.selected for unit in rows)
        with (
            self.timed("combine"),
            self.reporter.stage("combine", candidates, "rows") as advance,
        ):
            beside = self._measured(shards, rows, combine, advance)
            found = choose_among(
                shards,
                scores,
                rows,
                drawn,
                settings,
                combine,
                beside,
                self.engine.threads_here,
                self.machine.memory.candidates,
            )
            if not len(beside):
                advance(candidates)
        return found

    def _measured(
        self,
        shards: Sequence[Shard],
        rows: Sequence[ShardRows],
        combine: Combine,
        advance: Advance,
    ) -> npt.NDArray[np.float64]:
        """Return the columns and log-weights of candidates, float64[measures, candidates]."""
        models = tuple(model.estimator for model in combine.models)
        measures = len(combine.columns) + len(models)
        with_rows = [
            (shard, unit) for shard, unit in zip(shards, rows, strict=True) if unit.selected
        ]
        threads = self.threads_inside(len(with_rows))
        tasks = [
            MeasureTask(shard, unit, combine.columns, models, threads) for shard, unit in with_rows
        ]
        if not measures:
            return np.zeros((0, 0))
        with stopping(self.engine.run(measure_shard, tasks, advance)) as found:
            return np.concatenate([np.zeros((measures, 0)), *found], axis=1)

    def plan(
        self, shards: Sequence[Shard], rows: Sequence[ShardRows], output: OutputSettings
    ) -> OutputPlan:
        """Divide the selected rows among output shards."""
        return plan_output(shards, rows, output.shard_size, keep_types=output.keep_types)

    def write(
        self,
        outputs: Sequence[OutputShard],
        folder: Location,
        added: AddedColumns,
        features: HashedNgrams,
        workdir: Workdir | None,
    ) -> Written:
        """Write the output shards, and note finished ones in a work directory."""
        tasks = self.write_tasks(outputs, folder, added, features, workdir)
        with self._writing(outputs) as advance:
            if workdir is not None and self.engine.needs_workdir:
                parts = self.engine.run(write_stored, tasks, advance)
                return written_apart(self.engine, tasks, parts, workdir)
            return merge_written(self.engine.run(write_shard, tasks, advance))

    def write_tasks(
        self,
        outputs: Sequence[OutputShard],
        folder: Location,
        added: AddedColumns,
        features: HashedNgrams,
        workdir: Workdir | None,
    ) -> list[WriteTask]:
        """Return the tasks that write the output shards."""
        threads = self.threads_inside(len(outputs))
        return [
            WriteTask(
                output,
                folder,
                added,
                features,
                threads,
                workdir.place(output.number) if workdir else None,
            )
            for output in outputs
        ]

    def gather(
        self, outputs: Sequence[OutputShard], added: AddedColumns, features: HashedNgrams
    ) -> list[GatheredShard]:
        """Return the rows of the output shards in memory."""
        threads = self.threads_inside(len(outputs))
        tasks = [GatherTask(output, added, features, threads) for output in outputs]
        with self._writing(outputs) as advance:
            return list(self.engine.run(gather_shard, tasks, advance))

    @contextmanager
    def _writing(self, outputs: Sequence[OutputShard]) -> Iterator[Advance]:
        rows = sum(output.rows for output in outputs)
        with self.timed("write") as timed:
            timed.text_bytes = sum(output.text_bytes for output in outputs)
            with self.reporter.stage("write", rows, "rows") as advance:
                yield advance

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
    raise EmptyCorpusError(
        f"{corpus.name}: has no rows ({shards}, the first is {first})",
        path=first,
    )
