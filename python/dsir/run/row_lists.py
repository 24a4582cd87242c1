"""Lists of the selected rows for other readers: a table of files and rows, or arrays of indices.

A corpus that is tokenized already often lies a second time in files that dsir does not read, such
as the `.bin` and `.idx` of Megatron or the shards of MosaicML Streaming, with the same documents in
the same order. A list of rows selects from these without a copy of the texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from dsir.arguments.values import shown
from dsir.errors import OutputError, SettingError
from dsir.output.folder import ORIGINS_FOLDER, SELECTION_FILE, beside, check_writable
from dsir.output.manifest import Manifest, read_selection_file
from dsir.output.row_origins import Origins, joined_origins, read_origins
from dsir.primitive_arrays import to_arrow
from dsir.remote import Location, location_of
from dsir.storage.atomic import atomic_file

TABLE_SUFFIX = ".parquet"
FILES, CORPUS = "files.json", "corpus.npy"


def check_row_list(out: object) -> Path:
    """Return where a list of rows is to be written.

    Args:
        out: the path of a Parquet file, or of a folder that is empty or does not exist.

    Raises:
        SettingError: it is no such path, or a URL.
        OutputError: the folder has files, or the path is another kind of file.
    """
    place = location_of(out) if isinstance(out, str | Path) and str(out) else None
    if not isinstance(place, Path):
        raise SettingError(
            f"rows_out={shown(out)}: expected a file such as rows{TABLE_SUFFIX}, or a folder, on "
            "this machine"
        )
    is_table = place.suffix == TABLE_SUFFIX
    try:
        if is_table:
            if place.is_dir():
                raise OutputError(f"{place}: is a folder; give the name of a file")
        elif place.exists() and not place.is_dir():
            raise OutputError(f"{place}: is a file; give a folder, or a name with {TABLE_SUFFIX}")
        elif place.is_dir() and any(place.iterdir()):
            raise OutputError(f"{place}: is not empty; give another folder")
        folder = place.parent if is_table else place
        check_writable(folder, file=place)
    except OSError as error:
        raise OutputError(f"{place}: cannot be written: {error.strerror or error}") from error
    return place


def write_row_list(folder: Location, out: str | Path) -> Path:
    """Write which rows of which inputs a selection has; see `Selection.write_row_list`.

    Args:
        folder: the folder of the selection.
        out: where to write; see `check_row_list`.

    Raises:
        SettingError, OutputError: see `check_row_list`; or the folder is damaged.
    """
    place = check_row_list(out)
    manifest = read_selection_file(folder)
    if manifest.problems:
        raise OutputError(f"{folder / SELECTION_FILE}: {manifest.problems[0]}")
    origins = _in_order(_origins_of(manifest))
    inputs = manifest.content["inputs"]["raw"]
    try:
        if place.suffix == TABLE_SUFFIX:
            place.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(place, named=True) as file:
                pq.write_table(_table(origins, inputs), file, compression="zstd")
            return place
        place.mkdir(parents=True, exist_ok=True)
        for name, content in _arrays(origins, inputs):
            with atomic_file(place / name, named=True) as file:
                if isinstance(content, np.ndarray):
                    np.save(file, content, allow_pickle=False)
                else:
                    file.write(json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n")
    except OSError as error:
        raise OutputError(f"{place}: cannot be written: {error.strerror or error}") from error
    return place


def _origins_of(manifest: Manifest) -> Origins:
    parts = [(manifest.folder / part) for part in manifest.parts]
    stems = [part.with_name(part.name.partition(".")[0]) for part in parts]
    runs = [run for stem in stems for run in read_origins(beside(stem, ORIGINS_FOLDER))]
    if not runs:
        raise OutputError(f"{manifest.folder / SELECTION_FILE}: names no part")
    return joined_origins(runs)


def _in_order(origins: Origins) -> Origins:
    """Return the rows in the order of the corpus, also if parts have several schemas."""
    starts = origins.source_row * 0 if origins.start is None else origins.start
    order = np.lexsort((starts, origins.source_row, origins.source))
    return Origins._make(
        None
        if column is None
        else column.take(to_arrow(order))
        if isinstance(column, pa.Array)
        else column[order]
        for column in origins
    )


def _name_of(described: dict[str, Any]) -> str:
    return str(described.get("path", described.get("name", "")))


def _table(origins: Origins, inputs: list[dict[str, Any]]) -> pa.Table:
    names = pa.array([_name_of(one) for one in inputs], pa.string())
    columns = {
        "file": pa.DictionaryArray.from_arrays(to_arrow(origins.source.astype(np.uint32)), names),
        "row": to_arrow(origins.source_row),
    }
    if origins.start is not None:
        columns["start"] = to_arrow(origins.start)
    columns["log_weight"] = to_arrow(origins.log_weight)
    if origins.target is not None:
        columns["target"] = origins.target
    return pa.table(columns)


def _arrays(
    origins: Origins, inputs: list[dict[str, Any]]
) -> Iterator[tuple[str, npt.NDArray[np.int64] | list[dict[str, Any]]]]:
    """Give the files of a folder of indices: their names and what they hold."""
    ends = np.searchsorted(origins.source, np.arange(len(inputs)), side="right")
    files, before, in_corpus = [], 0, []
    for number, (one, end) in enumerate(zip(inputs, ends.tolist(), strict=True)):
        begin = int(ends[number - 1]) if number else 0
        rows = np.unique(origins.source_row[begin:end])  # Windows of a document are one document.
        name = f"{number:05d}.npy"
        yield name, rows
        files.append({"indices": name, "path": _name_of(one), "selected": len(rows)})
        if origins.start is None:  # Of windows, the manifest does not count the documents.
            files[-1]["rows"] = one["rows"]
            in_corpus.append(before + rows)
            before += int(one["rows"])
    if origins.start is None:
        yield CORPUS, np.concatenate(in_corpus)
    yield FILES, files
