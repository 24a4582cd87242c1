"""The write stage: one output shard, its rows fetched from the input again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus import TakenRows
from dsir.engine import Progress
from dsir.errors import ShardError
from dsir.features import HashedNgrams
from dsir.output import open_writer
from dsir.primitive_arrays import to_arrow
from dsir.stages.plan import OutputShard, Piece
from dsir.workdir import Place


@dataclass(frozen=True, slots=True)
class WriteTask:
    """Write one output shard.

    Attributes:
        folder: where the output goes.
        features: what to count the selection in, for its metrics.
        place: where the result is kept; None to keep none.
    """

    output: OutputShard
    folder: Path
    weight_column: str
    features: HashedNgrams
    threads: int
    place: Place | None


@dataclass(slots=True)
class Written:
    """What was written: one output shard, or all.

    Attributes:
        paths: the files with the rows.
        counts: int64[buckets], n-grams of the rows.
    """

    paths: list[Path]
    rows: int
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class GatherTask:
    """Fetch the rows of one output shard into memory."""

    output: OutputShard
    weight_column: str
    features: HashedNgrams
    threads: int


@dataclass(slots=True)
class GatheredShard:
    """The rows in memory, with their log-weights.

    Attributes:
        counts: int64[buckets], n-grams of the rows.
    """

    table: pa.Table
    counts: npt.NDArray[np.int64]


def write_shard(task: WriteTask, progress: Progress) -> Written:
    """Write one output shard.

    Raises:
        InputError: the rows cannot be read again as they were scored.
        OutputError: the file cannot be written.
    """
    place, output = task.place, task.output
    if place is not None and (marker := place.finished()) is not None:
        done = _load(place, marker, task)
        if done is not None:
            progress(output.rows)
            return done
    counts = np.zeros(task.features.buckets, dtype=np.int64)
    stem = task.folder / f"part-{output.number:05d}"
    kind = output.pieces[0].shard.kind
    writer = open_writer(kind, stem, schema=output.schema, weight_column=task.weight_column)
    try:
        for taken, log_weight, rows in _taken(output.pieces, task.threads):
            writer.write(taken, log_weight, rows)
            text = task.features.prepared(taken.text)
            _core.count(text, task.features.spec, counts, threads=task.threads)
            progress(len(rows))
        paths = writer.close()
    except BaseException:
        writer.abort()
        raise
    result = Written(paths[:1], output.rows, counts)
    if place is not None:
        with place.file(".npy") as file:
            np.save(file, counts)
        states = {str(path.relative_to(task.folder)): _state(path) for path in paths}
        place.finish({"files": states})
    return result


def merge_written(features: HashedNgrams, parts: Iterable[Written]) -> Written:
    """Add up what was written, without holding the parts."""
    total = Written([], 0, np.zeros(features.buckets, dtype=np.int64))
    for part in parts:
        total.paths += part.paths
        total.rows += part.rows
        total.counts += part.counts
    return total


def gather_shard(task: GatherTask, progress: Progress) -> GatheredShard:
    """Fetch the rows of one output shard into a table.

    JSON Lines become columns `text` and `line`; everything else keeps its columns.

    Raises:
        InputError: the rows cannot be read again as they were scored.
    """
    counts = np.zeros(task.features.buckets, dtype=np.int64)
    tables = []
    for taken, log_weight, rows in _taken(task.output.pieces, task.threads):
        text = task.features.prepared(taken.text)
        _core.count(text, task.features.spec, counts, threads=task.threads)
        if taken.records is None:
            table = pa.table({"text": taken.text, "line": taken.lines})
        else:
            table = pa.Table.from_batches([taken.records])
        tables.append(table.append_column(task.weight_column, to_arrow(log_weight)))
        progress(len(rows))
    return GatheredShard(pa.concat_tables(tables), counts)


def _taken(
    pieces: tuple[Piece, ...], threads: int
) -> Iterator[tuple[TakenRows, npt.NDArray[np.float64], npt.NDArray[np.int64]]]:
    """Fetch the rows of pieces, with their log-weights and global row numbers."""
    for piece in pieces:
        shard = piece.shard
        shard.check_unchanged()
        selected = piece.rows.load()
        wanted = selected.shard_row[piece.start : piece.stop]
        log_weight = selected.log_weight[piece.start : piece.stop]
        at = 0
        for taken in shard.take(wanted, threads=threads):
            end = at + len(taken.rows)
            if not np.array_equal(taken.rows, wanted[at:end]):
                raise ShardError(
                    f"{shard.name}: other rows came back than were asked for; it changed while "
                    "the run was going on",
                    path=shard.name,
                )
            yield taken, log_weight[at:end], taken.rows + piece.rows.first_row
            at = end
        if at != len(wanted):
            raise ShardError(
                f"{shard.name}: {len(wanted) - at:,} selected rows are gone; it changed while the "
                "run was going on",
                path=shard.name,
            )


def _load(place: Place, marker: dict[str, Any], task: WriteTask) -> Written | None:
    """Return the finished result if its files are still there, as they were written."""
    paths = []
    for name, state in marker["files"].items():
        path = task.folder / name
        if not path.is_file() or _state(path) != state:
            return None
        paths.append(path)
    file = place.path(".npy")
    try:
        counts = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise place.damaged(file, str(error)) from error
    if counts.shape != (task.features.buckets,) or counts.dtype != np.int64:
        raise place.damaged(file, "it does not hold the counts of an output shard")
    return Written(paths[:1], task.output.rows, counts)


def _state(path: Path) -> list[int]:
    """Return what tells a file from one that another run put in its place."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
