"""Arrow IPC shards (files and streams), read by record batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.arrow_blocks import FILE_MAGIC, check_blocks
from dsir.corpus.batches import cut_text, within
from dsir.corpus.buffers import check_buffers
from dsir.corpus.file_shard import FileShard
from dsir.corpus.first_bytes import in_place_of
from dsir.corpus.group_values import find_group_column, values_of
from dsir.corpus.shard import OnError, refuse_missing_rows
from dsir.corpus.shard_rows import TakenRows, TextBatch, bad_among
from dsir.corpus.take_rows import take_few
from dsir.corpus.text_column import check_names
from dsir.errors import ShardError
from dsir.formats import Kind
from dsir.remote.read_errors import first_line, translated
from dsir.remote.reading import open_source

_FEATHER_V1_MAGIC = b"FEA1"


@dataclass(frozen=True, slots=True)
class ArrowShard(FileShard):
    """An Arrow IPC file or stream.

    It is read one record batch at a time, as its writer cut them; one batch is in memory.
    """

    kind: ClassVar[Kind] = "arrow"

    def rows_in_metadata(self) -> None:
        """Return None: only the record batches themselves say how many rows they have."""
        return

    def schema(self) -> pa.Schema:
        """Return the columns."""
        with self._open_bytes() as source:
            return self._reader(source, None).schema

    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Read every row's text once, in order; see `Shard.text_batches`."""
        del batch_bytes
        schema = self.schema()
        text_column = self.text_column(schema)
        group_columns = [find_group_column(schema, name, self.name) for name in groups]
        fields = {schema.get_field_index(one.path[0]) for one in (text_column, *group_columns)}
        for unit_row, batch in self._batches(sorted(fields), threads):
            values = [values_of(column.of(batch)) for column in group_columns]
            texts, bad = self.texts_of(text_column, batch, unit_row, on_error)
            for position, text in cut_text(texts):
                span = slice(position, position + len(text))
                yield TextBatch(
                    unit_row + position,
                    text,
                    bad_among(bad, unit_row + position, len(text)),
                    groups=tuple(one.of(span) for one in values),
                )

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Fetch rows by their number, at most one record batch of the file at a time."""
        if not len(rows):
            return
        column = self.text_column(self.schema())
        total = 0
        for unit_row, batch in self._batches(None, threads):
            wanted = within(rows, unit_row, len(batch))
            if len(wanted):
                most = self.limits.batch_bytes
                for places, records in take_few(batch, wanted - unit_row, most):
                    yield TakenRows(unit_row + places, column.of(records), records=records)
            total = unit_row + len(batch)
            if total > int(rows[-1]):
                return
        raise refuse_missing_rows(self, int(rows[-1]), total)

    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Read all rows with all columns; see `Shard.read_table`."""
        batches = [batch for _, batch in self._batches(None, threads)]
        return pa.Table.from_batches(batches, self.schema())

    def _open_bytes(self) -> pa.NativeFile:
        self.refuse_empty_file()
        with translated(lambda error: self._refuse("cannot be read", error)):
            # Not a memory map: reading a map of a file that was cut short kills the process.
            return open_source(self.path)

    def _reader(self, source: pa.NativeFile, options: pa.ipc.IpcReadOptions | None) -> Any:
        """Return a reader of an IPC file, or of a stream if the bytes lack the magic of a file."""
        with translated(self._refuse_other):
            magic = source.read(len(FILE_MAGIC))
            source.seek(0)
            if magic.startswith(_FEATHER_V1_MAGIC):
                raise ShardError(
                    f"{self.name}: is Feather version 1, which dsir cannot read; "
                    "write it again as version 2 (Arrow IPC)",
                    path=self.name,
                )
            opened = pa.ipc.open_stream
            if magic == FILE_MAGIC:
                check_blocks(source)
                source.seek(0)
                opened = pa.ipc.open_file
            reader = opened(source, options=options)
            check_names(reader.schema)
        return reader

    def _batches(
        self, included: list[int] | None, threads: int
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield each record batch with the number of its first row."""
        options = pa.ipc.IpcReadOptions(included_fields=included, use_threads=threads > 1)
        unit_row = 0
        with self._open_bytes() as source:
            reader = self._reader(source, options)
            with translated(
                lambda error: self._refuse(f"is damaged or cut off after row {unit_row:,}", error)
            ):
                for batch in _record_batches(reader):
                    check_buffers(batch)
                    yield unit_row, batch
                    unit_row += len(batch)

    def _refuse_other(self, error: Exception) -> ShardError:
        other = in_place_of("Arrow", self.path)
        if other:
            return ShardError(f"{self.name}: {other}", path=self.name)
        return self._refuse("cannot be read as Arrow IPC", error)

    def _refuse(self, what: str, error: Exception) -> ShardError:
        return ShardError(f"{self.name}: {what}: {first_line(error)}", path=self.name)


def _record_batches(reader: Any) -> Iterator[pa.RecordBatch]:
    if isinstance(reader, pa.ipc.RecordBatchFileReader):
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)
    else:
        yield from reader
