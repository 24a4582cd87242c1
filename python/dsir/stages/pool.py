"""A pool of rows as the buckets of their n-grams, without texts.

The rounds of `dsir.stages.coverage` go over their candidates many times, and a comparison goes over
what was selected. The texts of these rows are read once more, and the buckets of all their n-grams
are stored: 4 bytes an n-gram, in a file for each shard, so that memory holds only a batch of them
at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus import OnError, Shard
from dsir.corpus.batches import within
from dsir.corpus.shard_progress import ShardProgress
from dsir.engine import Progress
from dsir.errors import ShardError, WorkdirError
from dsir.model.features import HashedNgrams
from dsir.primitive_arrays import to_arrow, to_numpy
from dsir.remote.read_errors import translated
from dsir.stages.damage.row_groups import despite_damage
from dsir.stages.kept.named import is_whole
from dsir.stages.kept.reader import kept_texts


class Lists(NamedTuple):
    """The buckets of the n-grams of consecutive documents of the pool.

    Attributes:
        offsets: int64[documents + 1], where each document begins and ends in `buckets`.
        buckets: uint32, of every n-gram.
    """

    offsets: npt.NDArray[np.int64]
    buckets: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class PoolTask:
    """List the n-grams of the rows of one shard that are in the pool.

    Attributes:
        features: the kinds of n-grams to list; all of the same tokens.
        rows: int64, rows of the shard, ascending.
        tokens: uint32, the tokens of each of these rows, as they were scored.
        path: the file that the lists are written to; None to hold them in memory.
        kept: the file of rows that were kept while scoring; None if there is none.
    """

    shard: Shard
    features: tuple[HashedNgrams, ...]
    on_error: OnError
    rows: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.uint32]
    threads: int
    path: Path | None
    kept: Path | None = None


@dataclass(slots=True)
class ShardPool:
    """The rows of one shard that are in the pool.

    Attributes:
        path: the file with their n-grams; None if they are in memory.
        lists: their n-grams, if they are in memory; in each batch one of each kind.
        size: bytes of the file; 0 if there is none.
    """

    path: Path | None = None
    lists: list[tuple[Lists, ...]] = field(default_factory=list, repr=False)
    size: int = 0

    def batches(self) -> Iterator[tuple[Lists, ...]]:
        """Give the n-grams of each kind, in the order of the rows, some documents at a time.

        Raises:
            WorkdirError: the file is missing or damaged.
        """
        if self.path is None:
            yield from self.lists
            return
        path = self.path
        with (
            translated(lambda error: WorkdirError(f"{path}: cannot be read: {error}; run again")),
            pa.OSFile(str(path)) as file,
            pa.ipc.open_file(file) as reader,
        ):
            for number in range(reader.num_record_batches):
                yield tuple(
                    Lists(to_numpy(column.offsets), to_numpy(column.values))
                    for column in reader.get_batch(number).columns
                )


def pool_shard(task: PoolTask, progress: Progress) -> ShardPool:
    """List the n-grams of the rows of one shard.

    Raises:
        InputError: the shard cannot be read, or has changed since it was scored.
        OSError: the file cannot be written.
    """

    def run(shard: Shard, progress: Progress) -> ShardPool:
        if task.path is None:
            lists: list[tuple[Lists, ...]] = []
            _list_rows(task, shard, progress, lists.append)
            return ShardPool(lists=lists)
        return written_pool(
            task.path,
            len(task.features),
            lambda save: _list_rows(task, shard, progress, save),
        )

    return despite_damage(task.shard, task.on_error, progress, run)


def written_pool(
    path: Path, kinds: int, list_rows: Callable[[Callable[[tuple[Lists, ...]], None]], None]
) -> ShardPool:
    """Write the n-grams that a function gives, batch by batch, to a file.

    Args:
        path: the file.
        kinds: how many kinds of n-grams there are.
        list_rows: calls its argument with the lists of each batch, one of each kind.
    """
    kind = pa.large_list(pa.uint32())
    schema = pa.schema([pa.field(f"buckets_{i}", kind, nullable=False) for i in range(kinds)])
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        list_rows(
            lambda one: writer.write_batch(pa.record_batch([*map(_array, one)], schema=schema))
        )
    return ShardPool(path, size=path.stat().st_size)


def _array(lists: Lists) -> pa.Array:
    return pa.LargeListArray.from_arrays(to_arrow(lists.offsets), to_arrow(lists.buckets))


def _list_rows(
    task: PoolTask,
    shard: Shard,
    progress: Progress,
    save: Callable[[tuple[Lists, ...]], None],
) -> None:
    shard.check_unchanged()
    done = 0
    for texts, wanted in _texts(task, shard, ShardProgress(shard, progress)):
        prepared = task.features[0].prepared(texts)
        tokens = task.tokens[done : done + len(wanted)].astype(np.int64)
        found = []
        for one in task.features:
            lists = Lists(*_core.bucket_lists(prepared, one.spec, wanted, threads=task.threads))
            found.append(lists)
            counted = one
            if one.extractor is not None:
                # How many features a kernel makes of so many tokens, nobody knows beforehand.
                counted = replace(one, extractor=None)
                lists = Lists(
                    *_core.bucket_lists(prepared, counted.spec, wanted, threads=task.threads)
                )
            expected = sum(np.maximum(tokens - order, 0) for order in range(counted.n))
            if not np.array_equal(np.diff(lists.offsets), expected):
                _refuse_changed(shard)
        done += len(wanted)
        save(tuple(found))
    if done < len(task.rows):
        _refuse_changed(shard)


def _texts(
    task: PoolTask, shard: Shard, travel: ShardProgress
) -> Iterator[tuple[pa.Array, npt.NDArray[np.int64]]]:
    """Give texts of a shard, and the positions among them of rows of the pool, in order."""
    kept = None
    if task.kept is not None and not shard.is_windows and is_whole(task.kept):
        kept = kept_texts(task.kept, shard, task.rows)
    if kept is not None:
        for texts in kept:
            yield texts, np.arange(len(texts), dtype=np.int64)
    else:
        at = done = 0
        for batch in shard.text_batches(on_error=task.on_error, threads=task.threads):
            wanted = within(task.rows, at, len(batch.text)) - at
            at += len(batch.text)
            if len(wanted):
                yield batch.text, wanted
            done += len(wanted)
            travel.to(batch)
            if done == len(task.rows):
                break
    travel.arrive()


def _refuse_changed(shard: Shard) -> None:
    raise ShardError(
        f"{shard.name}: changed while the run was going on: its texts are not those that were "
        "scored; run again when the file no longer changes",
        path=shard.name,
    )
