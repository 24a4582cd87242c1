"""Parquet shards, read by row group."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.batches import MAX_BATCH_ROWS, rows_per_batch, within
from dsir.corpus.buffers import check_dictionaries
from dsir.corpus.file_shard import FileShard
from dsir.corpus.group_values import GroupValues, find_group_column, values_of
from dsir.corpus.parquet_footer import ParquetFooter, bytes_by_group, metadata_of, read_footer
from dsir.corpus.shard import (
    BadRow,
    DamagedGroups,
    FilePart,
    OnError,
    TakenRows,
    TextBatch,
    refuse_missing_rows,
)
from dsir.corpus.take_rows import take_rows
from dsir.corpus.text_column import TextColumn, check_names, find_text_column
from dsir.errors import ShardError, StoreError
from dsir.formats import Kind
from dsir.remote.read_errors import first_line, translated
from dsir.remote.reading import open_source
from dsir.remote.remote_file import WINDOW_BYTES

if TYPE_CHECKING:
    import pyarrow.parquet as pq

# Column chunks are read through a buffer of this size instead of whole: a row group may hold
# gigabytes.
_READ_BUFFER_BYTES = 1 << 20

# Row groups of a store up to this size (decoded, about) are fetched before they are decoded.
_WHOLE_GROUP_BYTES = 256 << 20

# The size of a dictionary-encoded chunk says nothing about the size of its texts: a million rows
# may share one text of a megabyte. Few rows at a time keep that bounded too.
_MAX_ROWS = 4096


@dataclass(frozen=True, slots=True)
class ParquetShard(FileShard):
    """A Parquet file, or row groups of one.

    Attributes:
        damaged: row groups (by their number in the file) that are passed over, and why each cannot
            be read.
        footer: what its footer says, once it was `surveyed`; None where it cannot be read.
    """

    damaged: DamagedGroups = ()
    footer: ParquetFooter | None = field(default=None, kw_only=True, compare=False, repr=False)
    kind: ClassVar[Kind] = "parquet"
    kept_as: ClassVar[Literal["lines", "records"] | None] = "records"

    def identity(self) -> dict[str, int | str]:
        """Return that of the file; a surveyed one has a digest of the footer too."""
        # Not super(): a dataclass with slots is another class than the one that super() names.
        identity = FileShard.identity(self)
        return identity if self.footer is None else {**identity, "footer": self.footer.digest}

    def surveyed(self) -> ParquetShard:
        """Return the same with its footer, where that can be read."""
        try:
            with translated(self._unreadable):
                return replace(self, footer=read_footer(self.path))
        except StoreError:
            raise
        except ShardError:  # Whoever reads it deals with that.
            return self

    def bounds(self, unit_bytes: int) -> tuple[int, ...]:
        """Say which row groups begin a part: see `Shard.bounds`."""
        if self.footer is None or self.size <= unit_bytes:
            return ()
        bounds, held = [0], 0
        sizes = bytes_by_group(self._metadata(), self.size)
        for group, size in enumerate(sizes):
            if held and held + size > unit_bytes:
                bounds.append(group)
                held = 0
            held += size
        return (*bounds, len(sizes)) if len(bounds) > 1 else ()

    def parts(self, bounds: tuple[int, ...]) -> tuple[ParquetShard, ...]:
        """Cut it at row groups; see `Shard.parts`."""
        if not bounds:
            return (self,)
        metadata = self._metadata()
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
            rows = sum(int(metadata.row_group(group).num_rows) for group in range(start, stop))
            part = FilePart(start, stop, self.size, before, rows)
            parts.append(replace(self, size=sum(sizes[start:stop]), part=part))
            before += rows
        return tuple(parts)

    def rows_in_metadata(self) -> int:
        """Return the number of rows that the footer gives."""
        if self.part is not None and self.part.rows is not None:
            return self.part.rows
        if self.footer is not None:
            return self.footer.rows
        with self._open() as file:
            return int(file.metadata.num_rows)

    def schema(self) -> pa.Schema:
        """Return the columns as Arrow types."""
        if self.footer is not None:
            return self.footer.schema
        with self._open() as file:
            return self._schema_of(file)

    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Read every row's text once, in order; see `Shard.text_batches`."""
        del on_error  # No row of a Parquet file can be bad on its own at this stage.
        with self._open() as file:
            schema = self._schema_of(file)
            column = find_text_column(schema, self.text, self.name)
            beside = [find_group_column(schema, name, self.name) for name in groups]
            names = list(dict.fromkeys(one.projection for one in (column, *beside)))
            damaged = dict(self.damaged)
            unit_row = 0
            for group in self._groups(file):
                if group in damaged:
                    rows = file.metadata.row_group(group).num_rows
                    yield from _lost_rows(unit_row, rows, damaged[group], column.type, len(groups))
                    unit_row += rows
                    continue
                batches = self._batches(file, group, names, threads, batch_bytes)
                for batch in batches:
                    values = tuple(values_of(one.of(batch)) for one in beside)
                    yield TextBatch(unit_row, column.of(batch), groups=values)
                    unit_row += len(batch)

    def without_damage(self) -> ParquetShard | None:
        """Return the same without the row groups whose texts cannot be read.

        A row group goes as a whole, however many of its pages are sound, so that what is lost does
        not depend on how much is read at a time.
        """
        damaged = dict(self.damaged)
        with self._open() as file:
            column = find_text_column(self._schema_of(file), self.text, self.name)
            for group in self._groups(file):
                if group in damaged:
                    continue
                try:
                    for _ in self._batches(file, group, [column.projection], 1):
                        pass
                except StoreError:
                    raise
                except ShardError as error:
                    damaged[group] = f"row group {group} cannot be read: {_why(error)}"
        found = tuple(sorted(damaged.items()))
        return replace(self, damaged=found) if len(found) > len(self.damaged) else None

    def without(self, damaged: DamagedGroups) -> ParquetShard:
        """Return the same with these row groups passed over, and no others."""
        return replace(self, damaged=damaged)

    def damaged_of(self, rows: npt.NDArray[np.int64]) -> DamagedGroups:
        """Find damaged row groups among those that hold some rows; see `Shard.damaged_of`."""
        found = []
        with self._open() as file:
            names = self._schema_of(file).names
            unit_row = 0
            for group in self._groups(file):
                group_rows = file.metadata.row_group(group).num_rows
                if len(within(rows, unit_row, group_rows)):
                    why = self._damage_in(file, group, None)
                    if why is not None:
                        columns = ((name, self._damage_in(file, group, [name])) for name in names)
                        of_column = (
                            f"column {name!r}: {w}" for name, w in columns if w is not None
                        )
                        why = next(of_column, why)
                        found.append((group, f"row group {group} cannot be read: {why}"))
                unit_row += group_rows
        return tuple(found)

    def _damage_in(self, file: pq.ParquetFile, group: int, columns: list[str] | None) -> str | None:
        try:
            for _ in self._batches(file, group, columns, 1):
                pass
        except StoreError:
            raise
        except ShardError as error:
            return _why(error)
        return None

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Fetch rows by their number, reading only the row groups that hold any."""
        if not len(rows):
            return
        with self._open() as file:
            counts = (int(file.metadata.row_group(group).num_rows) for group in self._groups(file))
            total = int(file.metadata.num_rows) if self.part is None else sum(counts)
            if int(rows[-1]) >= total:
                raise refuse_missing_rows(self, int(rows[-1]), total)
            schema = self._schema_of(file)
            column = find_text_column(schema, self.text, self.name)
            unit_row = 0
            for group in self._groups(file):
                group_rows = file.metadata.row_group(group).num_rows
                if len(within(rows, unit_row, group_rows)):
                    yield from self._take_from_group(
                        file, group, unit_row, rows, column, schema, threads
                    )
                unit_row += group_rows

    def take_beside(self, rows: npt.NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
        """Fetch what stands beside the text; see `Shard.take_beside`."""
        with self._open() as file:
            names = [name for name in self._schema_of(file).names if name != self.text]
            if not names:
                struct = pa.array([{}] * len(rows), pa.struct([]))
                yield pa.RecordBatch.from_struct_array(struct)
                return
            unit_row = 0
            for group in self._groups(file):
                group_rows = file.metadata.row_group(group).num_rows
                if len(within(rows, unit_row, group_rows)):
                    at = unit_row
                    for batch in self._batches(file, group, names, 1):
                        wanted = within(rows, at, len(batch))
                        if len(wanted):
                            yield take_rows(batch, wanted - at)
                        at += len(batch)
                unit_row += group_rows

    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Read all rows with all columns; see `Shard.read_table`."""
        with self._open() as file:
            batches = [
                batch
                for group in self._groups(file)
                for batch in self._batches(file, group, None, threads)
            ]
            return pa.Table.from_batches(batches, self._schema_of(file))

    def _take_from_group(
        self,
        file: pq.ParquetFile,
        group: int,
        unit_row: int,
        rows: npt.NDArray[np.int64],
        column: TextColumn,
        schema: pa.Schema,
        threads: int,
    ) -> Iterator[TakenRows]:
        for batch in self._batches(file, group, None, threads):
            wanted = within(rows, unit_row, len(batch))
            if len(wanted):
                records = take_rows(batch, wanted - unit_row)
                # Batches come without the schema's metadata.
                records = records.replace_schema_metadata(schema.metadata)
                yield TakenRows(wanted, column.of(records), records=records)
            unit_row += len(batch)

    def _groups(self, file: pq.ParquetFile) -> range:
        """The row groups that it is made of."""
        if self.part is None:
            return range(file.num_row_groups)
        return range(self.part.start, min(self.part.stop, file.num_row_groups))

    def _metadata(self) -> pq.FileMetaData:
        with translated(self._unreadable):
            return metadata_of(self.path, self.file_size, self.mtime_ns, self.version)

    def _unreadable(self, error: Exception) -> ShardError:
        return ShardError(
            f"{self.name}: cannot be read as Parquet: {first_line(error)}", path=self.name
        )

    def _open(self) -> pq.ParquetFile:
        import pyarrow.parquet as pq  # Here: long to import.

        self.refuse_empty_file()
        # The footer of a file of many row groups takes a while to parse: once for many parts.
        metadata = None if self.part is None else self._metadata()
        with translated(self._unreadable):
            if self.is_remote:
                return self._open_remote(metadata)
            return pq.ParquetFile(
                self.path,
                metadata=metadata,
                memory_map=False,
                pre_buffer=False,
                buffer_size=_READ_BUFFER_BYTES,
                page_checksum_verification=True,
            )

    def _open_remote(self, metadata: pq.FileMetaData | None) -> pq.ParquetFile:
        """Open a file of a store: column chunks come whole, near ones in one request."""
        import pyarrow.parquet as pq  # Here: long to import.

        source = open_source(self.path, window=0)
        metadata = pq.read_metadata(source) if metadata is None else metadata
        groups = range(metadata.num_row_groups)
        if self.part is not None:
            groups = groups[self.part.start : self.part.stop]
        largest = max((metadata.row_group(i).total_byte_size for i in groups), default=0)
        # Of a large row group, a window at a time.
        whole = largest <= _WHOLE_GROUP_BYTES
        return pq.ParquetFile(
            source,
            metadata=metadata,
            pre_buffer=whole,
            buffer_size=0 if whole else WINDOW_BYTES,
            page_checksum_verification=True,
        )

    def _schema_of(self, file: pq.ParquetFile) -> pa.Schema:
        with translated(
            lambda error: ShardError(
                f"{self.name}: the Parquet footer is damaged: {first_line(error)}", path=self.name
            )
        ):
            schema = file.schema_arrow
            check_names(schema)
        return schema

    def _batches(
        self,
        file: pq.ParquetFile,
        group: int,
        columns: list[str] | None,
        threads: int,
        batch_bytes: int | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Read a row group, some columns or all, and make sure that it is all there."""
        rows_read = 0
        with translated(
            lambda error: ShardError(
                f"{self.name}: row group {group} cannot be read after "
                f"{rows_read:,} of its rows: {first_line(error)}",
                path=self.name,
                row_group=group,
            )
        ):
            expected = file.metadata.row_group(group).num_rows
            batches = file.iter_batches(
                batch_size=self._batch_size(file.metadata.row_group(group), group, batch_bytes),
                row_groups=[group],
                columns=columns,
                use_threads=threads > 1,
            )
            for batch in batches:
                for array in batch.columns:
                    check_dictionaries(array)
                rows_read += len(batch)
                yield batch
        if rows_read != expected:
            raise ShardError(
                f"{self.name}: row group {group} holds {rows_read:,} rows, "
                f"but the footer says {expected:,}; the file is damaged",
                path=self.name,
                row_group=group,
            )

    def _batch_size(self, group: pq.RowGroupMetaData, number: int, batch_bytes: int | None) -> int:
        """Return how many rows of a row group to read at a time.

        By the size of whole rows, which is an upper bound for their texts. The sizes of the single
        columns stand in the footer too, but pyarrow ends the process over damaged ones.
        """
        limits = self.limits
        if group.total_byte_size > limits.row_bytes * max(1, group.num_rows):
            raise ShardError(
                f"{self.name}: the rows of row group {number} have "
                f"{group.total_byte_size // group.num_rows:,} bytes on average, for which there is "
                f"no room (at most {limits.row_bytes:,}); give more memory, or use fewer threads",
                path=self.name,
                row_group=number,
            )
        return rows_per_batch(
            group.total_byte_size,
            group.num_rows,
            most=_MAX_ROWS,
            batch_bytes=batch_bytes or limits.batch_bytes,
        )


def _lost_rows(
    unit_row: int, rows: int, reason: str, data_type: pa.DataType, groups: int
) -> Iterator[TextBatch]:
    """Give the rows of a damaged row group: without texts, listed as bad once."""
    for start in range(0, rows, MAX_BATCH_ROWS):
        nothing = pa.nulls(min(MAX_BATCH_ROWS, rows - start), data_type)
        bad = () if start else (BadRow(unit_row, reason, rows),)
        values = GroupValues(np.zeros(len(nothing), np.uint32), ["null"])
        yield TextBatch(unit_row + start, nothing, bad, groups=(values,) * groups)


def _why(error: ShardError) -> str:
    """Say why a row group cannot be read."""
    cause = error.__cause__
    return "other rows than its footer says" if cause is None else first_line(cause)
