"""Read the rows of a written selection: where each comes from, and its columns."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa

from dsir.check.row_merge import Rows
from dsir.corpus.batches import READ_LIMITS, ReadLimits
from dsir.corpus.encoded_text import encoding_of
from dsir.corpus.files import open_file
from dsir.errors import OutputError
from dsir.output.folder import ORIGINS_FOLDER, WEIGHTS_FOLDER
from dsir.output.manifest import Manifest
from dsir.output.row_origins import Origins, joined_origins, read_origins
from dsir.output.side_table import read_side_table
from dsir.plural import counted
from dsir.remote import Location, RemotePath


def own_file(manifest: Manifest, name: str) -> Location:
    """Return the path of a file of the output.

    Raises:
        OutputError: the manifest does not list the file, or it is a link, which may lead anywhere.
    """
    path = manifest.folder / name
    if name not in manifest.files:
        raise OutputError(f"{path}: the manifest does not list this file")
    if isinstance(path, RemotePath):
        return path
    inside = itertools.takewhile(lambda parent: parent != manifest.folder, path.parents)
    if any(one.is_symlink() for one in (path, *inside)):
        raise OutputError(f"{path}: is a link, but a selection has only files")
    return path


def origins_of(manifest: Manifest, part: str) -> Iterator[Origins]:
    """Give where the rows of a part come from.

    Raises:
        OutputError: the file beside the part cannot be read.
    """
    return read_origins(own_file(manifest, beside_part(part, ORIGINS_FOLDER)))


def part_rows(
    manifest: Manifest, part: str, text: str, limits: ReadLimits = READ_LIMITS
) -> Iterator[Rows]:
    """Give the rows of a part with all of their columns, in bounded batches.

    The columns of JSON Lines are the line and the columns of its file in `_dsir/weights`.

    Args:
        manifest: the manifest of the selection.
        part: the name of the part.
        text: the text column.
        limits: how much to read at a time.

    Raises:
        OutputError: the part or a file beside it cannot be read, or their rows do not match.
        InputError: the part cannot be read.
    """
    path = own_file(manifest, part)
    told = (one.get("text_encoding") for one in manifest.sources)
    encoding = next((encoding_of(one) for one in told if one is not None), None)
    shard = replace(open_file(path, text, encoding), limits=limits)
    count = sum(len(some.source) for some in origins_of(manifest, part))
    if manifest.files[part].rows != count:
        raise OutputError(
            f"{path}: has {counted(manifest.files[part].rows, 'row')}, but the file in "
            f"{ORIGINS_FOLDER} beside it has {count:,}"
        )
    origins = _OriginsFeed(origins_of(manifest, part))
    weights = None
    if shard.schema() is None:
        weights = _BatchFeed(read_side_table(own_file(manifest, beside_part(part, WEIGHTS_FOLDER))))
    for taken in shard.take(np.arange(count)):
        content = taken.records
        if content is None:
            content = pa.RecordBatch.from_arrays([taken.lines], ["line"])
        if weights is not None:
            for field, column in weights.columns(len(content)):
                content = content.append_column(field, column)
        yield Rows(origins.next_rows(len(content)), content)


def beside_part(part: str, side: str) -> str:
    """Return the name of the file in the folder `side` that goes with a part."""
    return f"{side}/{PurePosixPath(part).stem}.arrow"


class _OriginsFeed:
    """Gives origins in portions of any size."""

    def __init__(self, stream: Iterator[Origins]) -> None:
        self._stream = stream
        self._held: Origins | None = None

    def next_rows(self, count: int) -> Origins:
        portions: list[Origins] = []
        while count:
            held = self._held or next(self._stream, None)
            if held is None:
                raise OutputError(
                    "a part has more rows than the file beside it that says where they come from"
                )
            portions.append(held.part(slice(count)))
            rest = held.part(slice(count, None))
            count -= len(portions[-1].source)
            self._held = rest if len(rest.source) else None
        return joined_origins(portions)


class _BatchFeed:
    """Gives columns in portions of any size."""

    def __init__(self, stream: Iterator[pa.RecordBatch]) -> None:
        self._stream = stream
        self._held: pa.RecordBatch | None = None

    def columns(self, count: int) -> list[tuple[pa.Field, pa.Array]]:
        portions = []
        while count:
            held = next(self._stream, None) if self._held is None else self._held
            if held is None:
                raise OutputError("a part has more lines than the file of log-weights beside it")
            portions.append(held.slice(0, count))
            rest = held.slice(len(portions[-1]))
            count -= len(portions[-1])
            self._held = rest if len(rest) else None
        batch = pa.concat_batches(portions)
        return list(zip(batch.schema, batch.columns, strict=True))
