"""The example stage: the documents of one shard that a classifier learns from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dsir.arguments.values import shown
from dsir.corpus import OnError, Shard, TextBatch
from dsir.corpus.failing_rows import naming_row
from dsir.corpus.number_column import find_number_column, number_in
from dsir.corpus.shard_progress import ShardProgress
from dsir.engine import Progress
from dsir.errors import ModelError, ShardError
from dsir.model.examples import Examples, GradedExamples, examples_in, graded_in
from dsir.model.features import HashedNgrams
from dsir.stages.count import ShardCounts
from dsir.stages.damage.row_groups import passing_over
from dsir.stages.units import file_ranges


@dataclass(frozen=True, slots=True)
class ExampleTask:
    """List documents of one shard.

    Attributes:
        rows: how many rows to look at; None for all.
        bound: of the keys of the documents to list; see `dsir.model.examples`.
        grades: the column of the documents' grades, for `list_graded`.
    """

    shard: Shard
    rows: int | None
    features: HashedNgrams
    bound: int
    on_error: OnError
    threads: int
    grades: str = ""


def list_examples(task: ExampleTask, progress: Progress) -> Examples:
    """Return the documents of one shard.

    Raises:
        InputError: see `passing_over`.
    """
    return passing_over(
        task.shard,
        task.on_error,
        progress,
        lambda shard, progress: _list(replace(task, shard=shard), progress),
        Examples.joined([]),
    )


def list_graded(task: ExampleTask, progress: Progress) -> GradedExamples:
    """Return the documents of one shard, and their grades.

    Raises:
        InputError: see `passing_over`.
        ModelError: the shard has no such column, or a document no grade.
    """
    return passing_over(
        task.shard,
        task.on_error,
        progress,
        lambda shard, progress: _list_graded(replace(task, shard=shard), progress),
        GradedExamples.joined([]),
    )


def _list(task: ExampleTask, progress: Progress) -> Examples:
    found = []
    for batch in _batches(task, progress):
        with naming_row(task.shard, batch, task.features.attempt):
            found.append(examples_in(batch.text, task.features, task.bound, threads=task.threads))
    return Examples.joined(found)


def _list_graded(task: ExampleTask, progress: Progress) -> GradedExamples:
    schema = task.shard.schema()
    if schema is not None:
        try:
            find_number_column(schema, task.grades, task.shard.name, "grades")
        except ShardError as error:  # Nothing to pass over: the fit cannot do without grades.
            raise ModelError(str(error)) from error
    found = []
    for batch in _batches(task, progress):
        grades = _grades_of(batch, task)
        with naming_row(task.shard, batch, task.features.attempt):
            found.append(
                graded_in(batch.text, grades, task.features, task.bound, threads=task.threads)
            )
    return GradedExamples.joined(found)


def _grades_of(batch: TextBatch, task: ExampleTask) -> npt.NDArray[np.float64]:
    """Return the grade of each row, float64[rows]; NaN for rows without a text.

    Raises:
        ModelError: a text has no grade, or one that is no finite number.
    """
    [values] = batch.groups
    numbers = np.array([_number(name) for name in values.names] or [math.nan])
    grades: npt.NDArray[np.float64] = numbers[values.codes]
    texts = np.asarray(batch.text.is_valid())
    wrong = np.flatnonzero(texts & ~np.isfinite(grades))
    if len(wrong):
        place = int(wrong[0])
        row = task.shard.rows_before() + batch.unit_row + place
        said = json.loads(values.names[values.codes[place]])
        raise ModelError(
            f"{task.shard.name}: row {row:,}: column {task.grades!r} is "
            f"{'null' if said is None else shown(said)}, and grades are finite numbers; fill the "
            "column in, or leave the row out of the target"
        )
    return grades


def _number(name: str) -> float:
    """Return a value of a column, which is JSON, as a number; NaN if it is none."""
    found = number_in(json.loads(name))
    return math.nan if found is None else found


def _batches(task: ExampleTask, progress: Progress) -> Iterator[TextBatch]:
    """Give the rows to look at, with their grades if a column has some."""
    travel = ShardProgress(task.shard, progress)
    task.shard.check_unchanged()
    left = task.rows
    groups = (task.grades,) if task.grades else ()
    for batch in task.shard.text_batches(
        on_error=task.on_error, threads=task.threads, groups=groups
    ):
        if left is None or left >= len(batch.text):
            yield batch
        else:
            first = slice(0, left)
            groups_of_first = tuple(one.of(first) for one in batch.groups)
            yield replace(batch, text=batch.text[first], groups=groups_of_first)
        travel.to(batch)
        if left is not None:
            left -= len(batch.text)
            if left <= 0:
                break
    travel.arrive()


def counted_parts(units: Sequence[Shard], counts: ShardCounts) -> list[tuple[Shard, int | None]]:
    """Return the shards that a corpus was counted in, and how many rows of each; None for all.

    A file whose count stopped at its share of the fit budget is one shard, of its first rows.

    Args:
        units: the units of the corpus.
        counts: what was counted in them.
    """
    found: list[tuple[Shard, int | None]] = []
    for (first, stop), rows in zip(file_ranges(units), counts.file_rows, strict=True):
        of_units = [0 if one is None else one for one in counts.unit_rows[first:stop]]
        if None in counts.unit_rows[first:stop] or sum(of_units) != rows:
            found.append((units[first].whole(), rows))
        else:
            found += [(unit, None) for unit in units[first:stop]]
    return found
