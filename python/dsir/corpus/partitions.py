"""Columns in the names of folders: the `lang=de` of `corpus/lang=de/part-0.parquet`.

Hive, Spark, pandas, polars and others write one folder for each value of a column, and leave the
column out of the files. Here it is a column of strings of every row of the file: quotas and groups
may use it, and it is written with the rows. Lines of JSON are written as they are, without it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.batches import MAX_BATCH_ROWS
from dsir.corpus.file_shard import FileShard
from dsir.corpus.group_values import GroupValues
from dsir.corpus.shard import OnError, Shard
from dsir.corpus.shard_rows import TakenRows, TextBatch
from dsir.corpus.wrapped_shard import WrappedShard
from dsir.remote import Location, RemotePath

IDENTITY_KEY = "partition"
"""What the identity of such a shard adds to that of its file: the names of the folders."""

_FOLDER = re.compile(r"([^\W\d][\w-]*)=(.*)", re.DOTALL)
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def folders_of(file: Location, below: Location | None = None) -> str:
    """Return the folders in the path of a file that name a column and its value.

    Args:
        file: the file as it was named.
        below: the folder that was given, if one was: its own name does not count.

    Returns:
        The names of the folders, with "/" between them; "" if there is none.
    """
    path = PurePosixPath(file.key) if isinstance(file, RemotePath) else file
    parts = path.parts[:-1]
    if below is not None:
        base = PurePosixPath(below.key) if isinstance(below, RemotePath) else below
        parts = parts[len(base.parts) :]
    return "/".join(part for part in parts if _FOLDER.fullmatch(part))


def partitioned(shard: FileShard, folders: object) -> Shard:
    """Return a shard with the columns that folders name; itself if they name none.

    Args:
        shard: the file.
        folders: what `folders_of` gave, or an entry of a manifest.
    """
    if not isinstance(folders, str):
        return shard
    found = (_FOLDER.fullmatch(part) for part in folders.split("/"))
    named = {match[1]: match[2] for match in found if match is not None}
    columns = tuple(
        (name, None if value == _NO_VALUE else unquote(value)) for name, value in named.items()
    )
    return PartitionedShard(shard, columns, folders) if columns else shard


@dataclass(frozen=True, slots=True)
class PartitionedShard(WrappedShard):
    """A shard with columns that have the same value in all rows.

    A column that the file itself has is the file's.

    Attributes:
        columns: names and values; None for null.
        folders: the names of the folders that they come from.
    """

    columns: tuple[tuple[str, str | None], ...]
    folders: str

    @property
    def kept_as(self) -> Literal["lines", "records"] | None:
        """The form of the inner shard."""
        return self.inner.kept_as

    @property
    def folder_columns(self) -> Mapping[str, str | None]:
        """The columns, which lines of JSON do not have themselves."""
        return dict(self.columns)

    @property
    def worth_spooling(self) -> bool:
        """Whether the inner shard is."""
        return self.inner.worth_spooling

    def spooled(self, path: Path) -> PartitionedShard:
        """Return the same columns beside the spooled inner shard."""
        return replace(self, inner=self.inner.spooled(path))

    def identity(self) -> dict[str, int | str]:
        """Return the identity of the file, and the folders that name the columns."""
        return {**self.inner.identity(), IDENTITY_KEY: self.folders}

    def schema(self) -> pa.Schema | None:
        """Return the columns of the file, and after them those of the folders."""
        schema = self.inner.schema()
        if schema is None:
            return None
        for name, _ in self._added_to(schema.names):
            schema = schema.append(pa.field(name, pa.string()))
        return schema

    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Read every row's text once, in order; see `Shard.text_batches`.

        Fields of JSON Lines are those of the folders where both have the name. The text column may
        be one of the folders', for those who group by it.
        """
        ours = dict(self.columns)
        if ours.keys() & {self.text, *groups} and (schema := self.inner.schema()) is not None:
            ours = dict(self._added_to(schema.names))
        if self.text in ours:
            yield from self._one_text(ours[self.text])
            return
        theirs = [name for name in groups if name not in ours]
        batches = self.inner.text_batches(
            on_error=on_error, threads=threads, batch_bytes=batch_bytes, groups=theirs
        )
        if len(theirs) == len(groups):
            yield from batches
            return
        for batch in batches:
            found = iter(batch.groups)
            values = tuple(
                _constant(ours[name], len(batch.text)) if name in ours else next(found)
                for name in groups
            )
            yield replace(batch, groups=values)

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Fetch rows by their number; see `Shard.take`."""
        for taken in self.inner.take(rows, threads=threads):
            if taken.records is None:
                yield taken
            else:
                yield replace(taken, records=self._with_columns(taken.records))

    def take_beside(self, rows: npt.NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
        """Fetch all columns but the text; see `Shard.take_beside`."""
        schema = self.inner.schema()
        names = [] if schema is None else schema.names
        for records in self.inner.take_beside(rows):
            yield self._with_columns(records, names)

    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Read all rows with all columns into memory; see `Shard.read_table`."""
        table = self.inner.read_table(threads=threads)
        for name, value in self._added_to(table.column_names):
            column = pa.repeat(pa.scalar(value, pa.string()), len(table))
            table = table.append_column(pa.field(name, pa.string()), column)
        return table

    def _one_text(self, value: str | None) -> Iterator[TextBatch]:
        """Give the value of a folder as the text of every row."""
        rows = self.inner.rows_in_metadata()
        if rows is None:
            rows = self.inner.read_table().num_rows
        for start in range(0, rows, MAX_BATCH_ROWS):
            count = min(MAX_BATCH_ROWS, rows - start)
            yield TextBatch(start, pa.repeat(pa.scalar(value, pa.string()), count))

    def _added_to(self, names: Sequence[str]) -> list[tuple[str, str | None]]:
        """Return the columns that a file with these columns lacks."""
        return [(name, value) for name, value in self.columns if name not in names]

    def _with_columns(
        self, records: pa.RecordBatch, names: Sequence[str] | None = None
    ) -> pa.RecordBatch:
        added = self._added_to(records.schema.names if names is None else names)
        columns, schema = list(records.columns), records.schema
        for name, value in added:
            columns.append(pa.repeat(pa.scalar(value, pa.string()), len(records)))
            schema = schema.append(pa.field(name, pa.string()))
        return pa.RecordBatch.from_arrays(columns, schema=schema)


def _constant(value: str | None, rows: int) -> GroupValues:
    """Return the values of a quota column that has one value."""
    return GroupValues(np.zeros(rows, np.uint32), [json.dumps(value, ensure_ascii=False)])
