"""A folder of tables with a column for each of several models, made unit by unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dsir.corpus import Corpus, Shard
from dsir.errors import OutputError, SettingError
from dsir.model.scorers import Scorers
from dsir.output.folder import (
    DATA_FOLDER,
    SELECTION_FILE,
    UNITS_FOLDER,
    part_stem,
    what_is_in,
)
from dsir.remote import Location, folder_of
from dsir.run.inputs import in_units
from dsir.run.passed_over import warn_of_passed_over
from dsir.run.pipeline import Pipeline, refuse_no_rows
from dsir.stages.damage.bad_tally import BadTally
from dsir.stages.damage.tally import stopping, within_limits
from dsir.stages.score_columns import SOURCE, SOURCE_ROW, ColumnsTask, score_columns
from dsir.stages.shard_scores import ShardScores
from dsir.stages.units import file_numbers, file_ranges, unit_layout
from dsir.storage.atomic import remove_abandoned
from dsir.storage.workdir import Workdir

COLUMNS_STAGE = "score columns"


def score_columns_to_folder(
    pipeline: Pipeline,
    raw: Corpus,
    scorers: Scorers,
    out: Location,
    share: tuple[int, int] = (0, 1),
) -> list[ShardScores]:
    """Write what several models say of the units of a corpus, or of one job's share of them.

    A Parquet file for each unit goes to `data`, a marker that seals it to `_dsir/units`. A unit
    that is done is not read again.

    Args:
        pipeline: what runs the stage.
        raw: the corpus; the same in every job.
        scorers: the models.
        out: the folder; the same in every job.
        share: (i, n) for the units whose number is i modulo n.

    Returns:
        The counts of rows of these units, without scores.

    Raises:
        SettingError: a column of a model has the name of another.
        OutputError: the folder holds something else.
        WorkdirError: the folder belongs to other models or another corpus.
        DsirError: see `Pipeline.score`.
    """
    taken = "a selection" if (out / SELECTION_FILE).is_file() else what_is_in(out)
    if taken is not None:
        raise OutputError(f"{out}: holds {taken}; give an empty or a new folder")
    own = [name for name in scorers.names if name in (SOURCE, SOURCE_ROW)]
    if own:
        raise SettingError(f"--with: the column {own[0]!r} is of the row; give the model a name")
    raw = _placed(in_units(raw, pipeline.machine))
    numbers = range(share[0], len(raw.shards), share[1])
    if not numbers:
        return []
    if isinstance(out, Path):
        (out / DATA_FOLDER).mkdir(parents=True, exist_ok=True)
        remove_abandoned(out / DATA_FOLDER)
    reading = pipeline.reading
    with folder_of(out / UNITS_FOLDER) as folder:
        workdir = Workdir(
            folder,
            {
                "stage": COLUMNS_STAGE,
                "models": scorers.fingerprints,
                "columns": scorers.names,
                "text": raw.shards[0].text,
                "on_error": reading.on_error,
            },
            {"raw": [shard.identity() for shard in raw.first_shards]},
            units={"raw": unit_layout(raw.shards)},
        )
        files = file_numbers(raw.shards)
        tally = BadTally(reading.limits, raw.name, len({files[number] for number in numbers}))
        threads = pipeline.threads_inside(len(numbers))
        tasks = [
            ColumnsTask(
                raw.shards[number],
                scorers,
                reading.on_error,
                threads,
                _table_of(out, number),
                workdir.place(number),
                tally.most_bad_rows,
            )
            for number in numbers
        ]
        size = sum(task.shard.size for task in tasks)
        with (
            pipeline.timed("score"),
            pipeline.reporter.stage("score", size, "bytes") as advance,
            stopping(pipeline.engine.run(score_columns, tasks, advance)) as results,
        ):
            units = [(raw.shards[number], files[number]) for number in numbers]
            scored = list(within_limits(results, units, tally))
        tally.finish()
    skipped = [entry for unit in scored for entry in unit.skipped]
    if share[1] == 1:  # Only a job that has all units can tell that none could be read.
        refuse_no_rows(raw, sum(unit.rows for unit in scored), skipped)
    warn_of_passed_over(skipped)
    return scored


def _table_of(out: Location, number: int) -> Location:
    stem = part_stem(out, number)
    return stem.with_name(f"{stem.name}.parquet")


def _placed(corpus: Corpus) -> Corpus:
    """Return a corpus whose units know the numbers of their rows in the file.

    Files of lines stay whole: to number the rows of a part, all lines before it would be read.
    """
    return replace(corpus, shards=tuple(_units(corpus)))


def _units(corpus: Corpus) -> Iterator[Shard]:
    for first, stop in file_ranges(corpus.shards):
        parts = corpus.shards[first:stop]
        known = (part.part is None or part.part.rows_before is not None for part in parts)
        yield from parts if all(known) else (parts[0].whole(),)
