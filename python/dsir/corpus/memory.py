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

    def between(self, first: int, stop: int, *, copied: bool = False) -> MemoryShard:
        """Return some rows as a shard of their own; see `Shard.between`."""
        table = self.table.slice(first, stop - first)
        if copied:
            rows = np.arange(first, stop, dtype=np.int64)
            batches = [taken.records for taken in self.take(rows) if taken.records is not None]
            table = pa.Table.from_batches(batches, self.table.schema)
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


def _content(text: pa.LargeBinaryArray) -> memoryview:
    """Return the bytes of all texts, one after the other. The array must have no nulls."""
    _, offsets, values = text.buffers()
    if not len(text) or values is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int64, count=text.offset + len(text) + 1)[text.offset :]
    return memoryview(values)[int(ends[0]) : int(ends[-1])]
