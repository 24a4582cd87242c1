"""The write stage: fetches the rows of one output shard from the input, and writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus import TakenRows
from dsir.corpus.cast_columns import cast_column, cast_table
from dsir.corpus.take_rows import take_values
from dsir.engine import Engine, Progress
from dsir.model.features import HashedNgrams
from dsir.model.random_selection import halves
from dsir.output import AddedColumns, open_writer
from dsir.output.folder import part_stem
from dsir.output.row_origins import Origins, OriginsWriter, joined_origins
from dsir.output.writer import FileAccount
from dsir.remote import Location, RemotePath, within
from dsir.stages.plan import OutputShard, Piece
from dsir.stages.selected_rows import SelectedRows
from dsir.stages.sums import load_array, sum_of
from dsir.stages.take import taken_rows
from dsir.storage.marker import Marker, is_whole
from dsir.storage.place import Place
from dsir.storage.sealed_json import path_within
from dsir.storage.workdir import Workdir


@dataclass(frozen=True, slots=True)
class WriteTask:
    """Write one output shard.

    Attributes:
        folder: where the output goes.
        added: the columns that are added to the rows.
        features: the n-grams to count in the selection, for its metrics.
        place: where the result is stored; None to store nothing.
    """

    output: OutputShard
    folder: Location
    added: AddedColumns
    features: HashedNgrams
    threads: int
    place: Place | None


_NOT_HERE = np.zeros((0, 2, 0), dtype=np.int64)
# Of text. Pieces are small, and to start a thread for less costs more than it saves.
_BYTES_A_THREAD = 1 << 20


@dataclass(slots=True)
class Written:
    """What was written: one output shard, or all of them.

    Attributes:
        paths: the files with the rows.
        counts: int64[targets, 2, buckets], n-grams of the rows that each target took, by halves
            (see `dsir.model.random_selection`); of all rows if targets are not separate.
        files: all files that were written, including the files of row origins.
    """

    paths: list[Location]
    rows: int
    counts: npt.NDArray[np.int64]
    files: list[FileAccount]


@dataclass(frozen=True, slots=True)
class GatherTask:
    """Fetch the rows of one output shard into memory."""

    output: OutputShard
    added: AddedColumns
    features: HashedNgrams
    threads: int


@dataclass(slots=True)
class GatheredShard:
    """The rows in memory, with the added columns.

    Attributes:
        counts: as in `Written`.
        origins: where the rows come from.
    """

    table: pa.Table
    counts: npt.NDArray[np.int64]
    origins: Origins


def write_shard(task: WriteTask, progress: Progress) -> Written:
    """Write one output shard.

    Raises:
        InputError: the rows cannot be read again, or differ from the rows that were scored.
        OutputError: the file cannot be written.
    """
    place, output = task.place, task.output
    if place is not None and (marker := place.finished()) is not None:
        done = _load(place, marker, task)
        if done is not None:
            progress(output.rows)
            return done
    counts = _no_counts(task)
    stem = part_stem(task.folder, output.number)
    shard = output.pieces[0].shard
    writer = open_writer(shard.kind, stem, schema=output.schema, added=task.added)
    origins = OriginsWriter(stem, windows=shard.is_windows, targets=bool(task.added.target_names))
    try:
        for piece, taken, selected, rows in taken_rows(output.pieces, task.threads):
            added = task.added.values(selected.log_weight, selected.target)
            writer.write(taken, added, rows)
            origins.write(_origins_of(piece, taken, selected, added, rows))
            _count(taken.text, selected, rows, task, counts)
            progress(len(rows))
        beside = origins.close()
        writer.close()
    except BaseException:
        writer.abort()
        origins.abort()
        raise
    files = [*writer.accounts, beside]
    result = Written([files[0].path], output.rows, counts, files)
    if place is not None:
        with place.file(".npy") as file:
            np.save(file, counts)
        described = {
            within(one.path, task.folder): {
                "state": _state(one.path),
                "rows": one.rows,
                "sha256": one.sha256,
            }
            for one in files
        }
        place.finish({"files": described})
    return result


def _origins_of(
    piece: Piece,
    taken: TakenRows,
    selected: SelectedRows,
    added: list[pa.Array],
    global_rows: npt.NDArray[np.int64],
) -> Origins:
    return Origins(
        np.full(len(taken.rows), piece.source, dtype=np.uint32),
        piece.shard.rows_before() + taken.rows,
        selected.start,
        None if selected.start is None else global_rows,
        selected.log_weight,
        None if selected.target is None else added[-1],
    )


def write_stored(task: WriteTask, progress: Progress) -> Written:
    """Write as `write_shard` does, and return no counts: they are stored in the task's place."""
    return replace(write_shard(task, progress), counts=_NOT_HERE)


def written_apart(
    engine: Engine, tasks: Sequence[WriteTask], parts: Iterable[Written], workdir: Workdir
) -> Written:
    """Return the sum of what `write_stored` wrote; the counts are added up where they are.

    Args:
        engine: adds up.
        tasks: the tasks, each with a place.
        parts: their results, taken one by one.
        workdir: the folder of these places.
    """
    every = [replace(part, counts=_NOT_HERE) for part in parts]
    places = [task.place for task in tasks if task.place is not None]
    return Written(
        [path for part in every for path in part.paths],
        sum(part.rows for part in every),
        sum_of(engine, places, _shape(tasks[0]), workdir.place),
        [file for part in every for file in part.files],
    )


def merge_written(parts: Iterable[Written]) -> Written:
    """Return the sum of what was written (one output shard at least), taken one by one."""
    every = iter(parts)
    first = next(every)
    # An engine may hand over arrays that are read-only.
    total = replace(first, counts=first.counts.copy())
    for part in every:
        total.paths += part.paths
        total.rows += part.rows
        total.counts += part.counts
        total.files += part.files
    return total


def gather_shard(task: GatherTask, progress: Progress) -> GatheredShard:
    """Fetch the rows of one output shard into a table.

    JSON Lines become the columns `text` and `line`; all other inputs keep their columns.

    Raises:
        InputError: the rows cannot be read again, or differ from the rows that were scored.
    """
    counts = _no_counts(task)
    tables, origins = [], []
    for piece, taken, selected, rows in taken_rows(task.output.pieces, task.threads):
        _count(taken.text, selected, rows, task, counts)
        if taken.records is None:
            # Lines that were put aside have wider texts than lines that are read again.
            text = cast_column(taken.text, pa.large_string())
            table = pa.table({"text": text, "line": taken.lines})
        else:
            table = pa.Table.from_batches([taken.records])
            if task.output.schema is not None:
                table = cast_table(table, task.output.schema)
        values = task.added.values(selected.log_weight, selected.target)
        for column, value in zip(task.added.fields, values, strict=True):
            table = table.append_column(column, value)
        tables.append(table)
        origins.append(_origins_of(piece, taken, selected, values, rows))
        progress(len(rows))
    return GatheredShard(pa.concat_tables(tables), counts, joined_origins(origins))


def _no_counts(task: WriteTask | GatherTask) -> npt.NDArray[np.int64]:
    return np.zeros(_shape(task), dtype=np.int64)


def _shape(task: WriteTask | GatherTask) -> tuple[int, ...]:
    return (max(1, len(task.added.target_names)), 2, task.features.buckets)


def _count(
    text: pa.Array,
    selected: SelectedRows,
    rows: npt.NDArray[np.int64],
    task: WriteTask | GatherTask,
    counts: npt.NDArray[np.int64],
) -> None:
    """Add the n-grams of rows to the counts, by half, and by target if targets are separate."""
    text = task.features.prepared(text)
    for half, positions in enumerate(halves(rows)):
        if selected.target is None:
            by_target = [(0, positions)]
        else:
            targets = selected.target[positions]
            by_target = [(t, positions[targets == t]) for t in np.unique(targets).tolist()]
        for target, chosen in by_target:
            texts = take_values(text, chosen)
            threads = min(task.threads, 1 + texts.nbytes // _BYTES_A_THREAD)
            _core.count(texts, task.features.spec, counts[target, half], threads=threads)


def _load(place: Place, marker: Marker, task: WriteTask) -> Written | None:
    """Return the finished result, or None if its files are gone or changed since."""
    files = []
    for name, state, rows, sha256 in marker.named("files", _described):
        path = path_within(task.folder, name)
        if path is None:
            raise marker.damaged(f"it names {name!r}, which is not an output")
        if not path.is_file() or _state(path) != state:
            return None
        files.append(FileAccount(path, state[0], rows, sha256))
    if not files:
        raise marker.damaged("it names no output")
    counts = load_array(place, _shape(task))
    return Written([files[0].path], task.output.rows, counts, files)


def _described(name: str, described: Any) -> tuple[str, list[Any], int, str]:
    """Return the name, state, rows and checksum of an output, as the marker has them."""
    state, rows, sha256 = described["state"], described["rows"], described["sha256"]
    if not (isinstance(state, list) and is_whole(rows) and isinstance(sha256, str)):
        raise TypeError("is no account of a file")
    return name, state, rows, sha256


def written_files(workdir: Workdir, stage: str, folder: Location) -> set[Location]:
    """Return the files in an output folder that are as the markers of a stage say.

    Args:
        workdir: the work directory of the run.
        stage: the folder of the stage in it.
        folder: the output folder.
    """
    found = set()
    for marker in workdir.results(stage):
        files = marker.get("files")
        for name, described in files.items() if isinstance(files, dict) else ():
            state = described.get("state") if isinstance(described, dict) else None
            path = path_within(folder, name)
            if path is not None and path.is_file() and _state(path) == state:
                found.add(path)
    return found


def _state(path: Location) -> list[int | str]:
    """Return what tells a file apart from another that a later run put in its place."""
    if isinstance(path, RemotePath):
        state = path.state()
        return [] if state is None else [state.size, state.version]
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
