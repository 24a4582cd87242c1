"""Parquet shards, read by row group."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.batches import MAX_BATCH_ROWS, rows_per_batch, within
from dsir.corpus.buffers import check_dictionaries
from dsir.corpus.file_shard import FileShard
from dsir.corpus.first_bytes import in_place_of
from dsir.corpus.group_values import GroupValues, find_group_column, values_of
from dsir.corpus.int96 import CHECKING_UNITS, UNIT, among, refuse_inexact
from dsir.corpus.open_parquet import OpenParquet
from dsir.corpus.parquet_footer import (
    OpenedFooter,
    ParquetFooter,
    bytes_by_group,
    opened_footer,
)
from dsir.corpus.shard import DamagedGroups, FilePart, OnError, refuse_missing_rows
from dsir.corpus.shard_rows import BadRow, TakenRows, TextBatch
from dsir.corpus.take_rows import take_few
from dsir.corpus.text_column import TextColumn, check_names
from dsir.errors import ShardError, StoreError
from dsir.formats import Kind
from dsir.remote import RemotePath
from dsir.remote.read_errors import first_line, translated

if TYPE_CHECKING:
    import pyarrow.parquet as pq

# The size of a dictionary-encoded chunk says nothing about the size of its texts: a million rows
# may share one text of a megabyte. Reading few rows at a time bounds the texts as well.
_MAX_ROWS = 4096

# Rows that are equal take next to nothing, but if they are lost it takes some trust to count them.
_ROWS_OF_A_BYTE = 100


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
            for row_group in self._row_groups(file):
                if row_group in damaged:
                    rows = file.metadata.row_group(row_group).num_rows
                    reason = damaged[row_group]
                    yield from _lost_rows(unit_row, rows, reason, text_column.type, len(groups))
                    unit_row += rows
                    continue
                for batch in self._batches(file, row_group, names, threads, batch_bytes):
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
            for row_group in self._row_groups(file):
                if row_group in damaged:
                    continue
                why = self._damage_in(file, row_group, [column.projection])
                if why is not None:
                    self._refuse_incredible(file, row_group, why)
                    damaged[row_group] = f"row group {row_group} cannot be read: {why}"
        found = tuple(sorted(damaged.items()))
        return replace(self, damaged=found) if len(found) > len(self.damaged) else None

    def _refuse_incredible(self, file: OpenParquet, row_group: int, why: str) -> None:
        """Raise ShardError if a damaged row group has more rows than its file can be believed.

        Nobody can count the rows of a damaged row group, and every lost row takes a place in the
        results: a few bytes that say 2^31 rows would fill the disk.
        """
        rows = file.metadata.row_group(row_group).num_rows
        if rows > _ROWS_OF_A_BYTE * self.file_size:
            raise ShardError(
                f"{self.name}: row group {row_group} cannot be read, and the footer says that its "
                f"{rows:,} rows are in a file of {self.file_size:,} bytes: {why}",
                path=self.name,
            )

    def without(self, damaged: DamagedGroups) -> ParquetShard:
        """Return the same shard, skipping these row groups and no others."""
        return replace(self, damaged=damaged)

    def damaged_of(self, rows: npt.NDArray[np.int64]) -> DamagedGroups:
        """Find damaged row groups among those that hold given rows; see `Shard.damaged_of`."""
        found = []
        with self._open() as file:
            names = self._schema_of(file).names
            unit_row = 0
            for row_group in self._row_groups(file):
                group_rows = file.metadata.row_group(row_group).num_rows
                if len(within(rows, unit_row, group_rows)):
                    why = self._damage_in(file, row_group, None)
                    if why is not None:
                        by_column = ((n, self._damage_in(file, row_group, [n])) for n in names)
                        damaged_columns = (
                            f"column {name!r}: {damage}"
                            for name, damage in by_column
                            if damage is not None
                        )
                        why = next(damaged_columns, why)
                        found.append((row_group, f"row group {row_group} cannot be read: {why}"))
                unit_row += group_rows
        return tuple(found)

    def _damage_in(
        self, file: OpenParquet, row_group: int, columns: list[str] | None
    ) -> str | None:
        """Return why columns of a row group cannot be read; None if they can."""
        try:
            for _ in self._batches(file, row_group, columns, 1):
                pass
        except StoreError:
            raise
        except ShardError as error:
            return _why(error)
        return None

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Fetch rows by their number, reading only the row groups that hold them."""
        if not len(rows):
            return
        with self._open() as file:
            counts = (
                int(file.metadata.row_group(row_group).num_rows)
                for row_group in self._row_groups(file)
            )
            total = int(file.metadata.num_rows) if self.part is None else sum(counts)
            if int(rows[-1]) >= total:
                raise refuse_missing_rows(self, int(rows[-1]), total)
            schema = self._schema_of(file)
            column = self.text_column(schema)
            unit_row = 0
            for row_group in self._row_groups(file):
                group_rows = file.metadata.row_group(row_group).num_rows
                if len(within(rows, unit_row, group_rows)):
                    yield from self._take_from_row_group(
                        file, row_group, unit_row, rows, column, schema, threads
                    )
                unit_row += group_rows

    def take_beside(self, rows: npt.NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
        """Fetch all columns but the text; see `Shard.take_beside`."""
        with self._open() as file:
            names = [name for name in self._schema_of(file).names if name != self.text]
            if not names:
                struct = pa.array([{}] * len(rows), pa.struct([]))
                yield pa.RecordBatch.from_struct_array(struct)
                return
            unit_row = 0
            for row_group in self._row_groups(file):
                group_rows = file.metadata.row_group(row_group).num_rows
                if len(within(rows, unit_row, group_rows)):
                    at = unit_row
                    for batch in self._batches(file, row_group, names, 1):
                        wanted = within(rows, at, len(batch))
                        if len(wanted):
                            most = self.limits.batch_bytes
                            for _, records in take_few(batch, wanted - at, most):
                                yield records
                        at += len(batch)
                unit_row += group_rows

    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Read all rows with all columns; see `Shard.read_table`."""
        with self._open() as file:
            batches = [
                batch
                for row_group in self._row_groups(file)
                for batch in self._batches(file, row_group, None, threads)
            ]
            return pa.Table.from_batches(batches, self._schema_of(file))

    def _take_from_row_group(
        self,
        file: OpenParquet,
        row_group: int,
        unit_row: int,
        rows: npt.NDArray[np.int64],
        column: TextColumn,
        schema: pa.Schema,
        threads: int,
    ) -> Iterator[TakenRows]:
        for batch in self._batches(file, row_group, None, threads):
            wanted = within(rows, unit_row, len(batch))
            if len(wanted):
                most = self.limits.batch_bytes
                for places, records in take_few(batch, wanted - unit_row, most):
                    # pyarrow's batches lack the schema's metadata.
                    whole = records.replace_schema_metadata(schema.metadata)
                    yield TakenRows(unit_row + places, column.of(whole), records=whole)
            unit_row += len(batch)

    def _row_groups(self, file: OpenParquet | pq.FileMetaData) -> range:
        """Return the numbers of the shard's row groups in the file."""
        if self.part is None:
            return range(file.num_row_groups)
        return range(self.part.start, min(self.part.stop, file.num_row_groups))

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
                self._row_groups(opened.metadata),
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

    def _batches(
        self,
        file: OpenParquet,
        row_group: int,
        columns: list[str] | None,
        threads: int,
        batch_bytes: int | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Read columns of a row group (None: all), and check that no row is missing."""
        rows_read = 0
        with translated(
            lambda error: ShardError(
                f"{self.name}: row group {row_group} cannot be read after "
                f"{rows_read:,} of its rows: {first_line(error)}",
                path=self.name,
                row_group=row_group,
            )
        ):
            metadata = file.metadata.row_group(row_group)
            expected = metadata.num_rows
            rows = self._batch_size(metadata, row_group, batch_bytes)
            places = None if columns is None else _places(file.schema_arrow.names, columns)
            pages = file.pages_of(row_group, places)
            if pages is not None:
                rows = self._opened().sizes.rows_at_a_time(
                    pages, row_group, expected, places, rows, self.limits
                )
            batches = file.iter_batches(row_group, rows, columns, use_threads=threads > 1)
            checked = self._exact_times(row_group, rows, columns)
            for batch in batches:
                for array in batch.columns:
                    check_dictionaries(array)
                next(checked, None)
                rows_read += len(batch)
                yield batch
        if rows_read != expected:
            raise ShardError(
                f"{self.name}: row group {row_group} holds {rows_read:,} rows, "
                f"but the footer says {expected:,}; the file is damaged",
                path=self.name,
                row_group=row_group,
            )

    def _exact_times(self, row_group: int, rows: int, columns: list[str] | None) -> Iterator[None]:
        """Check the INT96 times of a row group, if there are any: one batch at each step.

        Raises:
            ValueError: a time cannot be read as it is.
        """
        found = among(self._opened().int96, columns)
        if not found:
            return
        with self._open(CHECKING_UNITS[0]) as one, self._open(CHECKING_UNITS[1]) as other:
            places = _places(one.schema_arrow.names, found)
            for file in (one, other):
                file.pages_of(row_group, places)
            batches = (
                file.iter_batches(row_group, rows, found, use_threads=True) for file in (one, other)
            )
            for pair in zip(*batches, strict=True):
                refuse_inexact(*pair)
                yield

    def _batch_size(
        self, metadata: pq.RowGroupMetaData, row_group: int, batch_bytes: int | None
    ) -> int:
        """Return how many rows of a row group to read at a time.

        The size of whole rows decides; it is an upper bound for the size of their texts. The footer
        has the size of each column too, but pyarrow ends the process when that size is damaged.
        """
        limits = self.limits
        if metadata.total_byte_size > limits.row_bytes * max(1, metadata.num_rows):
            raise ShardError(
                f"{self.name}: the rows of row group {row_group} have "
                f"{metadata.total_byte_size // metadata.num_rows:,} bytes on average, more than "
                f"fits in memory ({limits.row_bytes:,}); give more memory, or use fewer threads",
                path=self.name,
                row_group=row_group,
            )
        return rows_per_batch(
            metadata.total_byte_size,
            metadata.num_rows,
            most=_MAX_ROWS,
            batch_bytes=batch_bytes or limits.batch_bytes,
        )


def _places(names: list[str], columns: list[str]) -> list[int]:
    """Return the numbers of the columns that are read; dots lead into nested columns."""
    return [
        place
        for place, name in enumerate(names)
        if any(column == name or column.startswith(f"{name}.") for column in columns)
    ]


def _lost_rows(
    unit_row: int, rows: int, reason: str, data_type: pa.DataType, group_columns: int
) -> Iterator[TextBatch]:
    """Yield the rows of a damaged row group: their texts are null, and one BadRow lists them."""
    for start in range(0, rows, MAX_BATCH_ROWS):
        nothing = pa.nulls(min(MAX_BATCH_ROWS, rows - start), data_type)
        bad = () if start else (BadRow(unit_row, reason, rows),)
        values = GroupValues(np.zeros(len(nothing), np.uint32), ["null"])
        yield TextBatch(unit_row + start, nothing, bad, groups=(values,) * group_columns)


def _why(error: ShardError) -> str:
    """Return why a row group cannot be read, without the name of file and row group."""
    cause = error.__cause__
    return "other rows than its footer says" if cause is None else first_line(cause)
