"""The stage that writes a table of what several models say of one shard's texts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus import OnError, Shard
from dsir.corpus.bad_text import bad_text_error
from dsir.corpus.failing_rows import naming_row
from dsir.corpus.shard_progress import ShardProgress
from dsir.corpus.skipped import Skipped, bad_rows_of, skipped_rows
from dsir.engine import Progress
from dsir.model.scorers import Scorers
from dsir.remote import Location
from dsir.stages.damage.row_groups import or_skipped
from dsir.stages.score_table import ScoreForm
from dsir.stages.shard_scores import ShardScores, load_shard_scores, marker_of
from dsir.storage.atomic import atomic_file
from dsir.storage.place import Place
from dsir.storage.sealed_json import file_checksum

SOURCE, SOURCE_ROW = "source", "source_row"
_CHECKSUM = "table"

Save = Callable[[pa.RecordBatch], None]


@dataclass(frozen=True, slots=True)
class ColumnsTask:
    """Score one shard by several models.

    Attributes:
        shard: a whole file, or a part that knows how many rows are before it.
        file: the Parquet file to write.
        place: where the marker goes, which says that the file is whole.
        most_bad: stop after the batch that takes the bad rows above this number; None for no limit.
    """

    shard: Shard
    scorers: Scorers
    on_error: OnError
    threads: int
    file: Location
    place: Place
    most_bad: int | None = None

    @property
    def schema(self) -> pa.Schema:
        """The columns of the file; those of a row that could not be read are null."""
        types = map(pa.from_numpy_dtype, self.scorers.dtypes)
        return pa.schema(
            [
                pa.field(SOURCE, pa.dictionary(pa.int32(), pa.string()), nullable=False),
                pa.field(SOURCE_ROW, pa.int64(), nullable=False),
                *map(pa.field, self.scorers.names, types),
            ]
        )


def score_columns(task: ColumnsTask, progress: Progress) -> ShardScores:
    """Write the table of one shard.

    Returns:
        The counts of its rows, without scores.

    Raises:
        InputError: the shard, or with on_error="raise" one of its rows, cannot be read.
    """
    marker = task.place.finished()
    if marker is not None and marker.get(_CHECKSUM) == _checksum(task.file):
        progress(task.shard.size)
        return load_shard_scores(task.place, marker, ScoreForm())

    def run(shard: Shard, progress: Progress) -> ShardScores:
        return _written(replace(task, shard=shard), progress)

    def skipped(entry: Skipped) -> ShardScores:
        nothing = ShardScores(skipped=[entry])
        _write(task, lambda _: nothing)
        return nothing

    result = or_skipped(task.shard, task.on_error, progress, run, skipped)
    if not result.given_up:  # An incomplete table gets no marker.
        task.place.finish({**marker_of(result), _CHECKSUM: _checksum(task.file)})
    return result


def _checksum(file: Location) -> str | None:
    """Return the SHA-256 of a file; None if there is none."""
    if not file.is_file():
        return None
    if isinstance(file, Path):
        return file_checksum(file)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _written(task: ColumnsTask, progress: Progress) -> ShardScores:
    return _write(task, lambda save: _score(task, progress, save))


def _write(task: ColumnsTask, rows: Callable[[Save], ShardScores]) -> ShardScores:
    import pyarrow.parquet as pq  # Here: long to import.

    with (
        atomic_file(task.file, durable=task.place.durable) as file,
        pq.ParquetWriter(file, task.schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        return rows(writer.write_batch)


def _score(task: ColumnsTask, progress: Progress, save: Save) -> ShardScores:
    shard, schema = task.shard, task.schema
    shard.check_unchanged()
    result = ShardScores()
    travel = ShardProgress(shard, progress)
    rows_before = shard.rows_before()
    for batch in shard.text_batches(on_error=task.on_error, threads=task.threads):
        with naming_row(shard, batch, task.scorers.score_batch):
            columns, refused = task.scorers.score_batch(batch.text, threads=task.threads)
        first = rows_before + batch.unit_row
        if len(refused) and task.on_error == "raise":
            raise bad_text_error(shard.name, first, batch.text, int(refused[0]))
        bad = bad_rows_of(batch, refused.tolist())
        result.skipped += skipped_rows(shard.name, bad)
        result.rows += len(batch.text)
        result.documents += len(batch.text)
        result.bad += sum(one.rows for one in bad)
        result.blank_lines += batch.blank_lines
        unread = np.zeros(len(batch.text), dtype=bool)
        for one in bad:
            at = one.row - batch.unit_row
            unread[at : at + one.rows] = True
        save(_batch(shard.name, first, columns, unread, schema))
        if task.most_bad is not None and result.bad > task.most_bad:
            result.given_up = True
            return result
        travel.to(batch)
    travel.arrive()
    return result


def _batch(
    name: str, first: int, columns: list[Any], unread: npt.NDArray[np.bool_], schema: pa.Schema
) -> pa.RecordBatch:
    rows = len(unread)
    source = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([name]))
    mask = unread if unread.any() else None
    arrays = [pa.array(column, mask=mask) for column in columns]
    numbers = pa.array(np.arange(first, first + rows, dtype=np.int64))
    return pa.record_batch([source, numbers, *arrays], schema=schema)
