"""The example stage: the documents of one shard that a classifier learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dsir.corpus import OnError, Shard
from dsir.corpus.shard_progress import ShardProgress
from dsir.engine import Progress
from dsir.model.examples import Examples, examples_in
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
    """

    shard: Shard
    rows: int | None
    features: HashedNgrams
    bound: int
    on_error: OnError
    threads: int


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


def _list(task: ExampleTask, progress: Progress) -> Examples:
    travel = ShardProgress(task.shard, progress)
    task.shard.check_unchanged()
    found = []
    left = task.rows
    for batch in task.shard.text_batches(on_error=task.on_error, threads=task.threads):
        texts = batch.text if left is None else batch.text[:left]
        found.append(examples_in(texts, task.features, task.bound, threads=task.threads))
        travel.to(batch)
        if left is not None:
            left -= len(texts)
            if left <= 0:
                break
    travel.arrive()
    return Examples.joined(found)


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
