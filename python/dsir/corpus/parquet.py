"""Parquet shards, read by row group."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.batches import MAX_BATCH_ROWS, within
from dsir.corpus.file_shard import FileShard
from dsir.corpus.first_bytes import in_place_of
from dsir.corpus.group_values import GroupValues, find_group_column, values_of
from dsir.corpus.int96 import UNIT
from dsir.corpus.open_parquet import OpenParquet
from dsir.corpus.parquet_footer import (
    OpenedFooter,
    ParquetFooter,
    bytes_by_group,
    opened_footer,
)
from dsir.corpus.parquet_row_group import RowGroup
from dsir.corpus.shard import DamagedGroups, FilePart, OnError, refuse_missing_rows
from dsir.corpus.shard_rows import BadRow, TakenRows, TextBatch
from dsir.corpus.take_rows import take_few
from dsir.corpus.text_column import TextColumn, check_names
from dsir.errors import ShardError, StoreError
from dsir.formats import Kind
from dsir.remote import RemotePath
from dsir.remote.read_errors import first_line, translated


@dataclass(frozen=True, slots=True)
class ParquetShard(FileShard):
    """A Parquet file, or a run of its row groups.

    Attributes:
        damaged: row groups to skip, by their number in the file, and why each cannot be read.
        footer: the file's footer once the shard is `surveyed`; None if it cannot be read.
    """

    damaged: DamagedGroups = ()
    footer: ParquetFooter | None = field(default=None, kw_only=True, compare=False, repr=False)
    kind: ClassVar[Kind] = "parquet"
    kept_as: ClassVar[Literal["lines", "records"] | None] = "records"

    def identity(self) -> dict[str, int | str]:
        """Return the file's identity; a surveyed shard adds a digest of the footer."""
        # Not super(): slots make the dataclass a new class, and super() still names the old one.
        identity = FileShard.identity(self)
        return identity if self.footer is None else {**identity, "footer": self.footer.digest}

    def surveyed(self) -> ParquetShard:
        """Return the same shard with its footer, if the footer can be read; itself with one."""
        if self.footer is not None:
            return self
        try:
            with translated(self._unreadable):
                return replace(self, footer=self._opened(anew=True).remembered())
        except StoreError:
            raise
        except ShardError:  # Reading the shard raises it again.
            return self

    def bounds(self, unit_bytes: int) -> tuple[int, ...]:
        """Return the row groups that begin a part: see `Shard.bounds`."""
        if self.footer is None or self.size <= unit_bytes:
            return ()
        bounds, held = [0], 0
        sizes = bytes_by_group(self._opened().metadata, self.size)
        for row_group, size in enumerate(sizes):
            if held and held + size > unit_bytes:
                bounds.append(row_group)
                held = 0
            held += size
        return (*bounds, len(sizes)) if len(bounds) > 1 else ()

    def parts(self, bounds: tuple[int, ...]) -> tuple[ParquetShard, ...]:
        """Cut the shard at row groups; see `Shard.parts`."""
        if not bounds:
            return (self,)
        metadata = self._opened().metadata
        if bounds[-1] != metadata.num_row_groups:
            raise ShardError(
                f"{self.name}: has {metadata.num_row_groups} row groups, not {bounds[-1]}; "
                "it changed since it was cut",
                path=self.name,
            )
        sizes = bytes_by_group(metadata, self.size)
        parts = []
        before = 0
        for start, stop in itertools.pairwise(bounds):
            rows = sum(int(metadata.row_group(index).num_rows) for index in range(start, stop))
            part = FilePart(start, stop, self.size, before, rows)
            parts.append(replace(self, size=sum(sizes[start:stop]), part=part))
            before += rows
        return tuple(parts)

    def rows_in_metadata(self) -> int:
        """Return the number of rows from the footer."""
        if self.part is not None and self.part.rows is not None:
            return self.part.rows
        if self.footer is not None:
            return self.footer.rows
        self.refuse_empty_file()
        return int(self._opened().metadata.num_rows)

    def schema(self) -> pa.Schema:
        """Return the columns as Arrow types."""
        if self.footer is not None:
            return self.footer.schema
        self.refuse_empty_file()
        opened = self._opened()
        with self._damaged_schema():
            return opened.remembered().schema

    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Read every row's text once, in order; see `Shard.text_batches`."""
        with self._open() as file:
            schema = self._schema_of(file)
            text_column = self.text_column(schema)
            group_columns = [find_group_column(schema, name, self.name) for name in groups]
            projections = [column.projection for column in (text_column, *group_columns)]
            names = list(dict.fromkeys(projections))
            damaged = dict(self.damaged)
            unit_row = 0
            for group in self._row_groups(file):
                reason = damaged.get(group.number)
                if reason is not None:
                    lost = group.rows
                    yield from _lost_rows(unit_row, lost, reason, text_column.type, len(groups))
                    unit_row += lost
                    continue
                for batch in group.batches(names, threads=threads, batch_bytes=batch_bytes):
                    values = tuple(values_of(column.of(batch)) for column in group_columns)
                    text, bad = self.texts_of(text_column, batch, unit_row, on_error)
                    yield TextBatch(unit_row, text, bad, groups=values)
                    unit_row += len(batch)

    def without_damage(self) -> ParquetShard | None:
        """Return the same shard without the row groups whose texts cannot be read.

        A damaged row group is skipped as a whole, even if some of its pages are sound, so that the
        lost rows do not depend on how much is read at a time.
        """
        damaged = dict(self.damaged)
        with self._open() as file:
            column = self.text_column(self._schema_of(file))
            for group in self._row_groups(file):
                if group.number in damaged:
                    continue
                why = group.damage([column.projection])
                if why is not None:
                    group.refuse_incredible(self.file_size, why)
                    damaged[group.number] = f"row group {group.number} cannot be read: {why}"
        found = tuple(sorted(damaged.items()))
        return replace(self, damaged=found) if len(found) > len(self.damaged) else None

    def without(self, damaged: DamagedGroups) -> ParquetShard:
        """Return the same shard, skipping these row groups and no others."""
        return replace(self, damaged=damaged)

    def damaged_of(self, rows: npt.NDArray[np.int64]) -> DamagedGroups:
        """Find damaged row groups among those that hold given rows; see `Shard.damaged_of`."""
        found = []
        with self._open() as file:
            names = self._schema_of(file).names
            unit_row = 0
            for group in self._row_groups(file):
                if len(within(rows, unit_row, group.rows)):
                    why = group.damaged_columns(names)
                    if why is not None:
                        found.append(
                            (group.number, f"row group {group.number} cannot be read: {why}")
                        )
                unit_row += group.rows
        return tuple(found)

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Fetch rows by their number, reading only the row groups that hold them."""
        if not len(rows):
            return
        with self._open() as file:
            counts = (group.rows for group in self._row_groups(file))
            total = int(file.metadata.num_rows) if self.part is None else sum(counts)
            if int(rows[-1]) >= total:
                raise refuse_missing_rows(self, int(rows[-1]), total)
            schema = self._schema_of(file)
            column = self.text_column(schema)
            unit_row = 0
            for group in self._row_groups(file):
                if len(within(rows, unit_row, group.rows)):
                    yield from self._take_from(group, unit_row, rows, column, schema, threads)
                unit_row += group.rows

    def take_beside(self, rows: npt.NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
        """Fetch all columns but the text; see `Shard.take_beside`."""
        with self._open() as file:
            names = [name for name in self._schema_of(file).names if name != self.text]
            if not names:
                struct = pa.array([{}] * len(rows), pa.struct([]))
                yield pa.RecordBatch.from_struct_array(struct)
                return
            unit_row = 0
            for group in self._row_groups(file):
                if len(within(rows, unit_row, group.rows)):
                    at = unit_row
                    for batch in group.batches(names):
                        wanted = within(rows, at, len(batch))
                        if len(wanted):
                            most = self.limits.batch_bytes
                            for _, records in take_few(batch, wanted - at, most):
                                yield records
                        at += len(batch)
                unit_row += group.rows

    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Read all rows with all columns; see `Shard.read_table`."""
        with self._open() as file:
            batches = [
                batch
                for group in self._row_groups(file)
                for batch in group.batches(None, threads=threads)
            ]
            return pa.Table.from_batches(batches, self._schema_of(file))

    def _take_from(
        self,
        group: RowGroup,
        unit_row: int,
        rows: npt.NDArray[np.int64],
        column: TextColumn,
        schema: pa.Schema,
        threads: int,
    ) -> Iterator[TakenRows]:
        for batch in group.batches(None, threads=threads):
            wanted = within(rows, unit_row, len(batch))
            if len(wanted):
                most = self.limits.batch_bytes
                for places, records in take_few(batch, wanted - unit_row, most):
                    # pyarrow's batches lack the schema's metadata.
                    whole = records.replace_schema_metadata(schema.metadata)
                    yield TakenRows(unit_row + places, column.of(whole), records=whole)
            unit_row += len(batch)

    def _row_groups(self, file: OpenParquet) -> Iterator[RowGroup]:
        """Yield the shard's row groups in the file."""
        footer = self._opened()
        for number in self._numbers(file.num_row_groups):
            yield RowGroup(self.name, number, file, footer, self.limits, self._open)

    def _numbers(self, row_groups: int) -> range:
        """Return the numbers of the shard's row groups among the file's."""
        if self.part is None:
            return range(row_groups)
        return range(self.part.start, min(self.part.stop, row_groups))

    def _opened(self, *, anew: bool = False) -> OpenedFooter:
        with translated(self._unreadable):
            return opened_footer(self.path, self.file_size, self.mtime_ns, self.version, anew=anew)

    def _unreadable(self, error: Exception) -> ShardError:
        other = in_place_of("Parquet", self.path)
        what = other or f"cannot be read as Parquet: {first_line(error)}"
        return ShardError(f"{self.name}: {what}", path=self.name)

    def _open(self, int96_unit: str = UNIT) -> OpenParquet:
        self.refuse_empty_file()
        opened = self._opened()
        with translated(self._unreadable):
            return OpenParquet(
                self.path,
                RemotePath(self.path) if self.is_remote else None,
                opened,
                self._numbers(opened.metadata.num_row_groups),
                int96_unit,
            )

    def _damaged_schema(self) -> AbstractContextManager[None]:
        return translated(
            lambda error: ShardError(
                f"{self.name}: the Parquet footer is damaged: {first_line(error)}", path=self.name
            )
        )

    def _schema_of(self, file: OpenParquet) -> pa.Schema:
        with self._damaged_schema():
            schema = file.schema_arrow
            check_names(schema)
        return schema


def _lost_rows(
    unit_row: int, rows: int, reason: str, data_type: pa.DataType, group_columns: int
) -> Iterator[TextBatch]:
    """Yield the rows of a damaged row group: their texts are null, and one BadRow lists them."""
    for start in range(0, rows, MAX_BATCH_ROWS):
        nothing = pa.nulls(min(MAX_BATCH_ROWS, rows - start), data_type)
        bad = () if start else (BadRow(unit_row, reason, rows),)
        values = GroupValues(np.zeros(len(nothing), np.uint32), ["null"])
        yield TextBatch(unit_row + start, nothing, bad, groups=(values,) * group_columns)
