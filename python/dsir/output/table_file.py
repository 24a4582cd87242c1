"""A file of columns that is written in batches and gets its name when it is committed."""

from __future__ import annotations

import abc
from collections.abc import Iterator

import pyarrow as pa

from dsir.output.row_groups import RowGroups
from dsir.output.writer import FileAccount, writing
from dsir.remote import Location
from dsir.storage.atomic import UnfinishedFile


class TableFile(abc.ABC):
    """Writes columns to a file, which gets its name when it is committed.

    Args:
        path: the file.
        schema: its columns.
        max_rows: the rows of a full batch.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Location, schema: pa.Schema, *, max_rows: int) -> None:
        self._path = path
        self._rows = 0
        self._row_groups = RowGroups(schema, max_rows=max_rows)
        with writing(path):
            self._file = UnfinishedFile(path, hashed=True)
        try:
            with writing(path):
                self._open(self._file, schema)
        except BaseException:
            self._file.discard()
            raise

    @abc.abstractmethod
    def _open(self, file: UnfinishedFile, schema: pa.Schema) -> None:
        """Open the writer of the format."""

    @abc.abstractmethod
    def _write_batch(self, batch: pa.RecordBatch) -> None:
        """Write a full batch, or the last."""

    @abc.abstractmethod
    def _close(self) -> None:
        """Write the footer."""

    def write(self, columns: list[pa.Array]) -> None:
        """Add rows: one array for each column."""
        with writing(self._path):
            self._write_batches(self._row_groups.add(columns))

    def finish(self) -> None:
        """Write the last rows and the footer; the file does not have its name yet."""
        with writing(self._path):
            self._write_batches(self._row_groups.flush())
            self._close()

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
            self._write_batch(batch)
