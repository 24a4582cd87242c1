"""Parquet files that are open, on this machine or in a store, and the bytes of their pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import FileIO
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dsir.corpus.parquet_footer import OpenedFooter
from dsir.corpus.parquet_pages import PageSource
from dsir.remote import RemotePath
from dsir.remote.held_ranges import HeldRanges
from dsir.remote.remote_file import WINDOW_BYTES, RemoteFile

if TYPE_CHECKING:
    import pyarrow.parquet as pq

# Column chunks are read through a buffer of this size, not whole: a row group may have gigabytes.
_READ_BUFFER_BYTES = 1 << 20

# In a store, row groups of up to about this size (decoded) are fetched before they are decoded.
_WHOLE_GROUP_BYTES = 256 << 20

# The size after decoding is a claim. What takes no more than this in the file is fetched first
# whatever the claim is, so that its pages are checked.
_SMALL_GROUP_BYTES = 32 << 20


class OpenParquet:
    """A Parquet file that is open.

    Args:
        path: the file on this machine, or its URL.
        remote: the file in a store; None on this machine.
        footer: its footer.
        row_groups: the numbers of the row groups that are going to be read.
        int96_unit: the unit of INT96 times.

    Raises:
        OSError, pyarrow.ArrowException: the file cannot be opened.
    """

    def __init__(
        self,
        path: str,
        remote: RemotePath | None,
        footer: OpenedFooter,
        row_groups: range,
        int96_unit: str,
    ) -> None:
        import pyarrow.parquet as pq  # Here: long to import.

        self._path = path
        self._footer = footer
        self._held: HeldRanges | None = None
        self._pages: _LocalFile | None = None
        source: Any = path
        buffer_size = _READ_BUFFER_BYTES
        if remote is None:
            self._pages = _LocalFile(path)
        else:
            self._held = HeldRanges(RemoteFile(remote, 0))
            source = pa.PythonFile(self._held, mode="r")
            # Large row groups are read a window at a time instead.
            whole = all(self._is_whole(row_group, None) for row_group in row_groups)
            buffer_size = 0 if whole else WINDOW_BYTES
        self._file: pq.ParquetFile = pq.ParquetFile(
            source,
            metadata=footer.metadata,
            memory_map=False,
            pre_buffer=False,
            buffer_size=buffer_size,
            coerce_int96_timestamp_unit=int96_unit,
            page_checksum_verification=True,
        )

    def __enter__(self) -> OpenParquet:
        return self

    def __exit__(self, *details: object) -> None:
        self._file.close()
        for own in (self._held, self._pages):
            if own is not None:
                own.close()

    @property
    def metadata(self) -> pq.FileMetaData:
        """The footer."""
        return self._footer.metadata

    @property
    def schema_arrow(self) -> pa.Schema:
        """The columns as Arrow types."""
        return self._file.schema_arrow

    @property
    def num_row_groups(self) -> int:
        """The number of row groups."""
        return int(self._footer.metadata.num_row_groups)

    def pages_of(self, row_group: int, columns: Sequence[int] | None) -> PageSource | None:
        """Return what reads the pages of a row group; in a store they are fetched first.

        Args:
            row_group: the number of the row group.
            columns: the numbers of the table's columns that are read; None for all.

        Returns:
            None for a large row group in a store: every header of a page would be a request.

        Raises:
            OSError: the pages cannot be fetched.
        """
        if self._held is None:
            return self._pages
        if not self._is_whole(row_group, columns):
            self._held.hold([])
            return None
        self._held.hold(self._footer.sizes.spans(row_group, columns))
        return self._held

    def iter_batches(
        self, row_group: int, rows: int, columns: list[str] | None, *, use_threads: bool
    ) -> Iterator[pa.RecordBatch]:
        """Decode columns of a row group (None: all), so many rows at a time."""
        return self._file.iter_batches(  # type: ignore[no-any-return]
            batch_size=rows, row_groups=[row_group], columns=columns, use_threads=use_threads
        )

    def _is_whole(self, row_group: int, columns: Sequence[int] | None) -> bool:
        """Tell whether a row group in a store is fetched before it is decoded."""
        if self.metadata.row_group(row_group).total_byte_size <= _WHOLE_GROUP_BYTES:
            return True
        spans = self._footer.sizes.spans(row_group, columns)
        return sum(count for _, count in spans) <= _SMALL_GROUP_BYTES


class _LocalFile:
    """A file on this machine that is opened when it is read for the first time."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: FileIO | None = None

    def read_at(self, offset: int, count: int) -> bytes:
        """Return up to `count` bytes from `offset` on."""
        if self._file is None:
            self._file = FileIO(self._path)
        self._file.seek(offset)
        return self._file.read(count)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
