"""The writing of a run: selected rows to files, or into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dsir.corpus import Shard
from dsir.model.features import HashedNgrams
from dsir.output import AddedColumns
from dsir.progress import Advance
from dsir.remote import Location
from dsir.run.pipeline import Pipeline
from dsir.settings.output import OutputSettings
from dsir.stages.plan import OutputPlan, OutputShard, plan_output
from dsir.stages.sample import ShardRows
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


def plan_parts(
    shards: Sequence[Shard], rows: Sequence[ShardRows], output: OutputSettings
) -> OutputPlan:
    """Divide the selected rows among output shards."""
    return plan_output(shards, rows, output.shard_size, keep_types=output.keep_types)


def write_parts(
    pipeline: Pipeline,
    outputs: Sequence[OutputShard],
    folder: Location,
    added: AddedColumns,
    features: HashedNgrams,
    workdir: Workdir | None,
) -> Written:
    """Write the output shards, and note finished ones in a work directory."""
    tasks = write_tasks(pipeline, outputs, folder, added, features, workdir)
    with _writing(pipeline, outputs) as advance:
        if workdir is not None and pipeline.engine.needs_workdir:
            parts = pipeline.engine.run(write_stored, tasks, advance)
            return written_apart(pipeline.engine, tasks, parts, workdir)
        return merge_written(pipeline.engine.run(write_shard, tasks, advance))


def write_tasks(
    pipeline: Pipeline,
    outputs: Sequence[OutputShard],
    folder: Location,
    added: AddedColumns,
    features: HashedNgrams,
    workdir: Workdir | None,
) -> list[WriteTask]:
    """Return the tasks that write the output shards."""
    threads = pipeline.threads_inside(len(outputs))
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


def gather_parts(
    pipeline: Pipeline, outputs: Sequence[OutputShard], added: AddedColumns, features: HashedNgrams
) -> list[GatheredShard]:
    """Return the rows of the output shards in memory."""
    threads = pipeline.threads_inside(len(outputs))
    tasks = [GatherTask(output, added, features, threads) for output in outputs]
    with _writing(pipeline, outputs) as advance:
        return list(pipeline.engine.run(gather_shard, tasks, advance))


@contextmanager
def _writing(pipeline: Pipeline, outputs: Sequence[OutputShard]) -> Iterator[Advance]:
    rows = sum(output.rows for output in outputs)
    with pipeline.timed("write") as timed:
        timed.text_bytes = sum(output.text_bytes for output in outputs)
        with pipeline.reporter.stage("write", rows, "rows") as advance:
            yield advance
