"""Parquet output: the input's columns as they came, and the added columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.cast_columns import cast_table, with_inner_types
from dsir.corpus.shard_rows import TakenRows
from dsir.output.added_columns import AddedColumns
from dsir.output.dictionaries import is_string_or_bytes, plain_unless
from dsir.output.row_groups import MAX_ROWS, match_columns
from dsir.output.table_file import TableFile
from dsir.output.writer import FileAccount, Writer
from dsir.remote import Location
from dsir.remote.reading import open_source
from dsir.storage.atomic import UnfinishedFile


def count_rows(path: Location) -> int:
    """Return the number of rows in a file, from its footer.

    Raises:
        OSError, pyarrow.ArrowException: the file cannot be read.
    """
    import pyarrow.parquet as pq  # Here: long to import.

    with open_source(path) as file:
        return int(pq.read_metadata(file).num_rows)


class ParquetTable(TableFile):
    """Writes any columns to a Parquet file, which gets its name when it is committed.

    Args:
        path: the file.
        schema: its columns.
        max_rows: the rows of a full row group.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Location, schema: pa.Schema, *, max_rows: int = MAX_ROWS) -> None:
        super().__init__(path, _with_types_of_parquet(schema), max_rows=max_rows)

    def _open(self, file: UnfinishedFile, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq  # Here: long to import.

        self._schema_in_file = _without_seconds(schema)
        self._parquet = pq.ParquetWriter(
            file, self._schema_in_file, compression="zstd", write_page_checksum=True
        )

    def _write_batch(self, batch: pa.RecordBatch) -> None:
        table = cast_table(pa.Table.from_batches([batch]), self._schema_in_file)
        self._parquet.write_table(table, row_group_size=len(batch))

    def _close(self) -> None:
        self._parquet.close()


class ParquetWriter(Writer):
    """Writes `<stem>.parquet`.

    Args:
        path_stem: the path without its suffix.
        schema: the columns of the rows.
        added: the columns to add after them.

    Raises:
        OutputError: the file cannot be written, or the schema already has an added column.
    """

    def __init__(self, path_stem: Location, schema: pa.Schema, *, added: AddedColumns) -> None:
        added.refuse_taken_names(schema)
        self._schema = schema
        path = path_stem.with_name(path_stem.name + ".parquet")
        self._table = ParquetTable(path, with_added(schema, added))

    def write(
        self,
        taken: TakenRows,
        added: list[pa.Array],
        global_rows: npt.NDArray[np.int64],
    ) -> None:
        """Add rows; see `Writer.write`."""
        del global_rows
        if taken.records is None:
            raise ValueError("lines cannot be written as Parquet")
        columns = match_columns(taken.records, self._schema)
        self._table.write([*columns, *added])

    def _finish(self) -> list[FileAccount]:
        self._table.finish()
        self._table.commit()
        return [self._table.account]

    def _discard(self) -> None:
        self._table.discard()


def _with_types_of_parquet(schema: pa.Schema) -> pa.Schema:
    """Return a schema with dictionaries of strings and bytes alone.

    Readers give other dictionaries back as plain columns, and have lost the unit of durations.
    """
    fields = [field.with_type(plain_unless(field.type, is_string_or_bytes)) for field in schema]
    return pa.schema(fields, schema.metadata)


def _without_seconds(schema: pa.Schema) -> pa.Schema:
    """Return a schema with milliseconds for seconds, which Parquet does not have.

    pyarrow would do the same, but 23 and 24 do not notice times that milliseconds cannot hold.
    """
    fields = [field.with_type(_milliseconds(field.type)) for field in schema]
    return pa.schema(fields, schema.metadata)


def _milliseconds(data_type: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(data_type) and data_type.unit == "s":
        return pa.timestamp("ms", data_type.tz)
    return with_inner_types(data_type, _milliseconds)


def with_added(schema: pa.Schema, added: AddedColumns) -> pa.Schema:
    """Return a schema with the added columns at its end; its metadata stays."""
    for field in added.fields:
        schema = schema.append(field)
    return schema
