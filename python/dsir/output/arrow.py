"""Arrow IPC output: the input's columns as they came, and the added columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.shard_rows import TakenRows
from dsir.output.added_columns import AddedColumns
from dsir.output.dictionaries import has_dictionary, is_hashed, plain_unless
from dsir.output.parquet import with_added
from dsir.output.row_groups import RowGroups, match_columns
from dsir.output.writer import FileAccount, Writer, writing
from dsir.remote import Location
from dsir.remote.reading import open_source
from dsir.storage.atomic import UnfinishedFile


def count_rows(path: Location) -> int:
    """Return the number of rows in a file, without decoding them.

    Raises:
        OSError, pyarrow.ArrowException: the file cannot be read.
    """
    with open_source(path) as file, pa.ipc.open_file(file) as reader:
        return sum(reader.get_batch(i).num_rows for i in range(reader.num_record_batches))


class ArrowWriter(Writer):
    """Writes `<stem>.arrow`, an Arrow IPC file.

    An Arrow IPC file has one dictionary for each column, before all rows, but values are only known
    once the rows have arrived. (The format has delta dictionaries, but not every reader knows
    them.) Rows with dictionary columns are therefore first written in plain types to a file of
    their own, and encoded when all values are known.

    Args:
        path_stem: the path without its suffix.
        schema: the columns of the rows.
        added: the columns to add after them.

    Raises:
        OutputError: the file cannot be written, or the schema already has an added column.
    """

    def __init__(self, path_stem: Location, schema: pa.Schema, *, added: AddedColumns) -> None:
        added.refuse_taken_names(schema)
        self._columns = schema
        fields = [field.with_type(plain_unless(field.type, is_hashed)) for field in schema]
        self._schema = with_added(pa.schema(fields, schema.metadata), added)
        self._path = path_stem.with_name(path_stem.name + ".arrow")
        plain = any(has_dictionary(field.type) for field in self._schema)
        self._row_groups = RowGroups(self._schema, plain=plain)
        self._rows = 0
        self._file: UnfinishedFile | None = None
        self._plain_file: UnfinishedFile | None = None
        try:
            with writing(self._path):
                self._file = UnfinishedFile(self._path, hashed=True)
                if plain:
                    self._plain_file = UnfinishedFile(
                        self._path.with_name(self._path.name + ".plain")
                    )
                self._arrow: Any = pa.ipc.new_file(
                    self._plain_file or self._file,
                    self._row_groups.plain_schema if plain else self._schema,
                )
        except BaseException:
            self._discard()
            raise

    def write(
        self,
        taken: TakenRows,
        added: list[pa.Array],
        global_rows: npt.NDArray[np.int64],
    ) -> None:
        """Add rows; see `Writer.write`."""
        del global_rows
        if taken.records is None:
            raise ValueError("lines cannot be written as Arrow IPC")
        columns = match_columns(taken.records, self._columns)
        with writing(self._path):
            self._write_groups(self._row_groups.add([*columns, *added]))

    def _finish(self) -> list[FileAccount]:
        assert self._file is not None
        with writing(self._path):
            self._write_groups(self._row_groups.flush())
            self._arrow.close()
            if self._plain_file is not None:
                self._encode(self._plain_file, self._file)
                self._plain_file.discard()
            self._file.commit()
        return [FileAccount(self._path, self._file.size, self._rows, self._file.sha256)]

    def _encode(self, plain_file: UnfinishedFile, file: UnfinishedFile) -> None:
        plain_file.settle()
        with (
            pa.OSFile(str(plain_file.temporary)) as source,
            pa.ipc.new_file(file, self._schema) as encoded,
        ):
            plain = pa.ipc.open_file(source)
            for index in range(plain.num_record_batches):
                encoded.write_batch(self._row_groups.encode(plain.get_batch(index)))

    def _discard(self) -> None:
        for file in (self._plain_file, self._file):
            if file is not None:
                file.discard()

    def _write_groups(self, groups: Iterator[pa.RecordBatch]) -> None:
        for group in groups:
            self._rows += len(group)
            self._arrow.write_batch(group)
