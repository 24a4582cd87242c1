"""Gathers rows into row groups that do not depend on the batches that the rows came in.

A row group ends after MAX_ROWS rows, or before the row that would make it larger than MAX_BYTES.
Both are counted row by row, so the same rows give the same file however they were batched.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.cast_columns import cast_column
from dsir.corpus.row_bytes import row_bytes
from dsir.errors import OutputError
from dsir.output.dictionaries import DictionaryEncoder, plain_type
from dsir.remote.read_errors import first_line

MAX_ROWS = 1 << 14
MAX_BYTES = 32 << 20


class RowGroups:
    """Takes record batches in and gives row groups out.

    Args:
        schema: the columns to write.
        plain: give row groups out in the plain types of `plain_schema`. When all rows have arrived,
            `encode` turns them into the types of `schema`, with one dictionary for all row groups.
        max_rows: the rows of a full row group.
    """

    def __init__(self, schema: pa.Schema, *, plain: bool = False, max_rows: int = MAX_ROWS) -> None:
        self._schema = schema
        # Rows wait in plain types: with dictionaries or views, a single row would keep a whole
        # dictionary, or the buffers of its batch, in memory.
        self.plain_schema = pa.schema([field.with_type(plain_type(field.type)) for field in schema])
        self._encoders = [DictionaryEncoder(field.type, shared=plain) for field in schema]
        self._plain = plain
        self._max_rows = max_rows
        self._held: list[list[pa.Array]] = []
        self._held_rows = 0
        self._held_bytes = 0

    def add(self, columns: list[pa.Array]) -> Iterator[pa.RecordBatch]:
        """Add rows, one array for each column, and yield the row groups that are full."""
        plain = []
        for column, data_type, encoder in zip(
            columns, self.plain_schema.types, self._encoders, strict=True
        ):
            encoder.learn_order(column)
            plain.append(_fitted(column, data_type))
        sizes = np.full(len(columns[0]), 0, dtype=np.int64)
        for column in plain:
            sizes += row_bytes(column)
        first = 0
        while first < len(sizes):
            length = self._room(sizes[first : first + self._max_rows - self._held_rows])
            if length:
                self._held.append([column.slice(first, length) for column in plain])
                self._held_rows += length
                self._held_bytes += int(sizes[first : first + length].sum())
                first += length
            if self._held_rows == self._max_rows or first < len(sizes):
                yield from self.flush()

    def flush(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows that wait, if there are any, as the last row group."""
        if not self._held_rows:
            return
        columns = [
            pa.concat_arrays([arrays[index] for arrays in self._held])
            for index in range(len(self._schema))
        ]
        self._held = []
        self._held_rows = 0
        self._held_bytes = 0
        group = pa.RecordBatch.from_arrays(columns, schema=self.plain_schema)
        if not self._plain:
            yield self.encode(group)
            return
        for encoder, column in zip(self._encoders, columns, strict=True):
            encoder.learn(column)
        yield group

    def encode(self, group: pa.RecordBatch) -> pa.RecordBatch:
        """Return a row group of plain types in the types of the schema."""
        columns = [
            encoder.encode(column)
            for encoder, column in zip(self._encoders, group.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def _room(self, sizes: npt.NDArray[np.int64]) -> int:
        fitting = int(np.searchsorted(np.cumsum(sizes), MAX_BYTES - self._held_bytes, side="right"))
        # A row larger than MAX_BYTES gets a row group of its own.
        return fitting if fitting or self._held_rows else 1


def _fitted(column: pa.Array, data_type: pa.DataType) -> pa.Array:
    """Return a column in the type that it is written in.

    Raises:
        OutputError: a value does not fit.
    """
    try:
        return cast_column(column, data_type)
    except pa.ArrowException as error:
        raise OutputError(
            f"a column of {column.type} cannot be written as {data_type}: {first_line(error)}; "
            "keep_types=True writes it as it is, in a part of its own"
        ) from error


def match_columns(records: pa.RecordBatch, schema: pa.Schema) -> list[pa.Array]:
    """Return the columns of a batch in the order of a schema.

    Raises:
        OutputError: the batch has other columns.
    """
    names = records.schema.names
    if names == schema.names:
        return list(records.columns)
    if sorted(names) != sorted(schema.names) or len(set(names)) < len(names):
        raise OutputError(
            f"the rows have the columns {', '.join(names) or 'none'}, but the output file has "
            f"{', '.join(schema.names) or 'none'}; shards with different columns cannot go into "
            "one file"
        )
    return [records.column(name) for name in schema.names]
