"""Shards in memory: tables, and texts that were made into a table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.batches import cut_text, rows_per_batch, table_bytes, within
from dsir.corpus.cast_columns import cast_column
from dsir.corpus.group_values import find_group_column, values_of
from dsir.corpus.shard import OnError, Shard, refuse_missing_rows
from dsir.corpus.shard_rows import TakenRows, TextBatch, bad_among
from dsir.corpus.take_rows import take_few
from dsir.corpus.token_ids import holds_ids
from dsir.formats import Kind
from dsir.primitive_arrays import to_numpy


@dataclass(frozen=True, slots=True)
class MemoryShard(Shard):
    """A table in memory.

    Attributes:
        table: the rows, with all their columns.
        encoding: the encoding of a text column of bytes; None if such a column holds no texts.
    """

    name: str
    size: int
    text: str
    table: pa.Table = field(compare=False, repr=False)
    encoding: str | None = None
    kind: ClassVar[Kind] = "memory"

    def identity(self) -> dict[str, int | str]:
        """Return name, number of rows, and a digest of the texts."""
        import pyarrow.compute as pc  # Here: long to import.

        lengths, content = hashlib.sha256(), hashlib.sha256()
        for batch in self.text_batches(on_error="skip"):
            text = batch.text
            if not holds_ids(text):
                text = cast_column(text, pa.large_string()).cast(pa.large_binary())
            # One digest of all lengths and one of all bytes: neither depends on the batches.
            lengths.update(to_numpy(pc.binary_length(text).fill_null(-1)).data)
            content.update(_content(text.drop_null()))
        digest = hashlib.sha256(lengths.digest() + content.digest()).hexdigest()[:16]
        told = {} if self.encoding is None else {"text_encoding": self.encoding}
        return {"name": self.name, "num_rows": self.rows_in_metadata(), "texts": digest, **told}

    def between(self, first: int, stop: int) -> MemoryShard:
        """Return some rows as a shard of their own; see `Shard.between`."""
        table = self.table.slice(first, stop - first)
        return replace(self, table=table, size=table_bytes(table))

    def copied(self, most: int) -> MemoryShard | None:
        """Return the same rows in memory of their own; see `Shard.copied`."""
        if sum(map(_plain_bytes, self.table.columns)) > most:
            return None
        columns = [_plain(column) for column in self.table.columns]
        plain = pa.table(columns, names=self.table.column_names)
        # Chunks are copied where they are joined, which is faster than taking rows.
        table = pa.concat_tables([plain, plain.slice(0, 0)]).combine_chunks()
        return replace(self, table=table, size=table_bytes(table))

    def check_unchanged(self) -> None:
        """Do nothing: Arrow tables do not change."""

    def rows_in_metadata(self) -> int:
        """Return the number of rows."""
        return int(self.table.num_rows)

    def schema(self) -> pa.Schema:
        """Return the columns."""
        return self.table.schema

    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Return the table."""
        del threads
        return self.table

    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Read every row's text once, in order; see `Shard.text_batches`."""
        del threads, batch_bytes
        schema = self.table.schema
        text_column = self.text_column(schema)
        group_columns = [find_group_column(schema, name, self.name) for name in groups]
        unit_row = 0
        for batch in self.table.to_batches():
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
            unit_row += len(batch)

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Fetch rows by their number."""
        del threads
        if not len(rows):
            return
        total = self.rows_in_metadata()
        if int(rows[-1]) >= total:
            raise refuse_missing_rows(self, int(rows[-1]), total)
        column = self.text_column(self.table.schema)
        length = rows_per_batch(self.size, total)
        unit_row = 0
        for batch in self.table.to_batches(max_chunksize=length):
            wanted = within(rows, unit_row, len(batch))
            if len(wanted):
                for places, records in take_few(batch, wanted - unit_row):
                    yield TakenRows(unit_row + places, column.of(records), records=records)
            unit_row += len(batch)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column that is neither a dictionary nor views: a row of these keeps all values."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.large_string()) if pa.types.is_string_view(column.type) else column


def _plain_bytes(column: pa.ChunkedArray) -> int:
    """Return about how many bytes `_plain` would return."""
    if pa.types.is_dictionary(column.type):
        found = 0
        for chunk in column.chunks:
            lengths = _lengths(chunk.dictionary)
            found += int(lengths[to_numpy(chunk.indices.drop_null())].sum())
        return found
    if pa.types.is_string_view(column.type):
        return sum(int(_lengths(chunk).sum()) for chunk in column.chunks)
    return int(column.nbytes)


def _lengths(values: pa.Array) -> npt.NDArray[np.int64]:
    """Return the bytes of each value; about 16 for those that are no strings."""
    import pyarrow.compute as pc  # Here: long to import.

    if pa.types.is_string_view(values.type):
        # A view begins with its length, of 4 bytes.
        views = np.frombuffer(values.buffers()[1] or b"", np.int32).reshape(-1, 4)
        lengths = views[values.offset : values.offset + len(values), 0].astype(np.int64)
        return np.where(to_numpy(values.is_valid().cast(pa.uint8())) != 0, lengths, 0)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return to_numpy(pc.binary_length(values).fill_null(0)).astype(np.int64)
    return np.full(len(values), 16, dtype=np.int64)


def _content(text: pa.LargeBinaryArray) -> memoryview:
    """Return the bytes of all texts, one after the other. The array must have no nulls."""
    _, offsets, values = text.buffers()
    if not len(text) or values is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int64, count=text.offset + len(text) + 1)[text.offset :]
    return memoryview(values)[int(ends[0]) : int(ends[-1])]
