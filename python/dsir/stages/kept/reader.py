"""Fetches rows from a file of kept rows; rows that were not kept come from the input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus import Shard, TakenRows
from dsir.corpus.take_rows import take_rows, take_values
from dsir.primitive_arrays import to_numpy


def take_kept(
    path: Path, shard: Shard, wanted: npt.NDArray[np.int64], threads: int
) -> Iterator[TakenRows]:
    """Fetch rows by their number: kept rows from their file, all others from the shard.

    Args:
        path: the file of kept rows.
        shard: the shard that the rows belong to.
        wanted: ascending row numbers.
        threads: how many threads the reader of the shard may use.
    """
    if shard.kept_as == "lines":
        return _lines(path, shard, wanted, threads)
    return _records(path, shard, wanted, threads)


def kept_texts(
    path: Path, shard: Shard, wanted: npt.NDArray[np.int64]
) -> Iterator[pa.Array] | None:
    """Return the texts of rows, in their order and some at a time; None unless all were kept.

    Args:
        path: the file of kept rows.
        shard: the shard that the rows belong to.
        wanted: ascending row numbers.
    """
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
        names = stream.schema.names
    rows = len(names) - 1
    kept = [numbers for _, numbers in _batches(path, columns=[rows])]
    if not np.isin(wanted, np.concatenate([np.zeros(0, np.int64), *kept])).all():
        return None
    text = 0 if shard.kept_as == "lines" else names.index(shard.text)
    return _texts(path, wanted, [text, rows])


def _texts(path: Path, wanted: npt.NDArray[np.int64], columns: list[int]) -> Iterator[pa.Array]:
    for batch, rows in _batches(path, columns):
        positions = np.flatnonzero(np.isin(rows, wanted, assume_unique=True))
        if len(positions):
            yield take_values(batch.column(0), positions)


def _records(
    path: Path, shard: Shard, wanted: npt.NDArray[np.int64], threads: int
) -> Iterator[TakenRows]:
    done = 0
    schema = shard.schema()
    for batch, rows in _batches(path):
        stop = done + int(np.searchsorted(wanted[done:], rows[-1], side="right"))
        here = wanted[done:stop]
        done = stop
        if not len(here):
            continue
        positions = np.searchsorted(rows, here)
        if not np.array_equal(rows[positions], here):
            yield from shard.take(here, threads=threads)
            continue
        records = take_rows(batch, positions)
        records = pa.RecordBatch.from_arrays(records.columns[:-1], schema=schema)
        yield TakenRows(here, records.column(shard.text), records=records)
    yield from shard.take(wanted[done:], threads=threads)


def _lines(
    path: Path, shard: Shard, wanted: npt.NDArray[np.int64], threads: int
) -> Iterator[TakenRows]:
    # To fetch one line, the whole input before it is read; so unless all wanted lines were kept,
    # all come from the input.
    missing = wanted
    for _, rows in _batches(path, columns=[2]):
        missing = missing[~np.isin(missing, rows, assume_unique=True)]
    if len(missing):
        yield from shard.take(wanted, threads=threads)
        return
    for batch, rows in _batches(path):
        positions = np.flatnonzero(np.isin(rows, wanted, assume_unique=True))
        if len(positions):
            text, lines = (take_values(column, positions) for column in batch.columns[:2])
            yield TakenRows(rows[positions], text, lines=lines)


def _batches(
    path: Path, columns: list[int] | None = None
) -> Iterator[tuple[pa.RecordBatch, npt.NDArray[np.int64]]]:
    """Give the batches of the file, each with its row numbers, which are the last column."""
    options = pa.ipc.IpcReadOptions(included_fields=columns)
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file, options=options) as stream:
        for batch in stream:
            yield batch, to_numpy(batch.column(batch.num_columns - 1))
