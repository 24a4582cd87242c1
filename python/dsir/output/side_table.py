"""Tables beside the rows: Arrow IPC, so that no reader of Parquet takes them for rows."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from dsir.corpus.buffers import check_buffers
from dsir.errors import OutputError
from dsir.output.row_groups import RowGroups
from dsir.output.writer import FileAccount, writing
from dsir.remote import Location
from dsir.remote.read_errors import first_line, translated
from dsir.remote.reading import open_source
from dsir.storage.atomic import UnfinishedFile

_BATCH_ROWS = 1 << 17


class SideTable:
    """Writes columns to an Arrow IPC file, which gets its name when it is committed.

    Args:
        path: the file.
        schema: its columns, none of them a dictionary.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Location, schema: pa.Schema) -> None:
        self._path = path
        self._rows = 0
        self._row_groups = RowGroups(schema, max_rows=_BATCH_ROWS)
        with writing(path):
            self._file = UnfinishedFile(path, hashed=True)
        try:
            with writing(path):
                options = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
                self._arrow = pa.ipc.new_file(self._file, schema, options=options)
        except BaseException:
            self._file.discard()
            raise

    def write(self, columns: list[pa.Array]) -> None:
        """Add rows: one array for each column."""
        with writing(self._path):
            self._write_batches(self._row_groups.add(columns))

    def finish(self) -> None:
        """Write the last rows and the footer; the file does not have its name yet."""
        with writing(self._path):
            self._write_batches(self._row_groups.flush())
            self._arrow.close()

    def commit(self) -> Location:
        """Give the finished file its name."""
        with writing(self._path):
            return self._file.commit()

    @property
    def account(self) -> FileAccount:
        """The account of the finished file."""
        return FileAccount(self._path, self._file.size, self._rows, self._file.sha256)

    def discard(self) -> None:
        """Remove the file, unless it already has its name."""
        self._file.discard()

    def _write_batches(self, batches: Iterator[pa.RecordBatch]) -> None:
        for batch in batches:
            self._rows += len(batch)
            self._arrow.write_batch(batch)


def read_side_table(path: Location) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a side table in batches; the first batch is empty and has the schema.

    Args:
        path: the file.

    Raises:
        OutputError: the file is missing or damaged.
    """
    with (
        translated(lambda error: unreadable_output(path, error)),
        open_source(path) as source,
        pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(use_threads=False)) as reader,
    ):
        yield pa.RecordBatch.from_pylist([], schema=reader.schema)
        for index in range(reader.num_record_batches):
            batch = reader.get_batch(index)
            check_buffers(batch)
            batch.validate(full=True)
            yield batch


def unreadable_output(path: Location, error: Exception) -> OutputError:
    """Return the error for an output file that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return OutputError(f"{path}: is missing")
    return OutputError(f"{path}: cannot be read: {first_line(error)}")
