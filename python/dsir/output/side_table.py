"""Tables beside the rows: Arrow IPC, so that no reader of Parquet takes them for rows."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from dsir.corpus.buffers import check_buffers
from dsir.errors import OutputError
from dsir.output.table_file import TableFile
from dsir.remote import Location
from dsir.remote.read_errors import first_line, translated
from dsir.remote.reading import open_source
from dsir.storage.atomic import UnfinishedFile

_BATCH_ROWS = 1 << 17


class SideTable(TableFile):
    """Writes columns to an Arrow IPC file, which gets its name when it is committed.

    Args:
        path: the file.
        schema: its columns, none of them a dictionary.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Location, schema: pa.Schema) -> None:
        super().__init__(path, schema, max_rows=_BATCH_ROWS)

    def _open(self, file: UnfinishedFile, schema: pa.Schema) -> None:
        options = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
        self._arrow = pa.ipc.new_file(file, schema, options=options)

    def _write_batch(self, batch: pa.RecordBatch) -> None:
        self._arrow.write_batch(batch)

    def _close(self) -> None:
        self._arrow.close()


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
