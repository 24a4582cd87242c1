"""Footers of Parquet files: read, checked against themselves, and the little that is remembered.

pyarrow believes what a footer says. A footer with one flipped bit may say another number of rows,
or point to the pages of another column, and the rows that come out are then wrong. The core checks
every footer before pyarrow sees it: see `dsir._core.ParquetFooter`.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from dsir import _core
from dsir._core import ParquetFooter as CheckedFooter
from dsir.corpus.int96 import UNIT, int96_columns
from dsir.corpus.parquet_pages import PageSizes
from dsir.corpus.text_column import check_names
from dsir.remote.reading import open_source

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_MAGIC = b"PAR1"
_TAIL_BYTES = 8  # The length of the footer and the magic: 4 bytes each.


@dataclass(frozen=True, slots=True)
class ParquetFooter:
    """The few facts of a footer that are needed again and again.

    Attributes:
        digest: the first 16 hexadecimal digits of the SHA-256 of the footer's bytes.
        schema: the columns as Arrow types.
        rows: the number of rows in the file.
    """

    digest: str
    schema: pa.Schema
    rows: int


@dataclass(frozen=True, slots=True)
class OpenedFooter:
    """A footer that was checked and parsed.

    Attributes:
        metadata: the footer as pyarrow has it.
        int96: the columns that hold INT96 times; see `dsir.corpus.int96`.
        sizes: what its row groups decode to.
        digest: as in `ParquetFooter`.
        size: the bytes of the footer.
    """

    metadata: pq.FileMetaData
    int96: tuple[str, ...]
    sizes: PageSizes
    digest: str
    size: int

    def remembered(self) -> ParquetFooter:
        """Return the few facts that are needed again and again.

        Raises:
            ValueError, pyarrow.ArrowException: the schema cannot be read.
        """
        schema = self.metadata.schema.to_arrow_schema()
        if self.int96:
            schema = _with_exact_dates(self.metadata)
        check_names(schema)
        shared = _shared(schema.serialize().to_pybytes())
        return ParquetFooter(self.digest, shared, int(self.metadata.num_rows))


@functools.lru_cache(maxsize=16)
def _shared(serialized: bytes) -> pa.Schema:
    """Return the schema of serialized bytes; files with equal schemas share one object."""
    return pa.ipc.read_schema(pa.py_buffer(serialized))


class _OpenedFooters:
    """The footers that were opened last: a few, or as many as take little memory."""

    _FEWEST = 4
    _MOST_BYTES = 2 << 20  # Of the files; what pyarrow makes of these takes several times as much.
    # What pyarrow makes of a footer is freed in small pieces, which the C library keeps: 300 MB
    # after a thousand large footers.
    _RELEASE_EVERY = 16 << 20

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._footers: OrderedDict[object, OpenedFooter] = OrderedDict()
        self._bytes = 0
        self._read = 0  # Bytes since memory was last given back.

    def get(self, key: object) -> OpenedFooter | None:
        with self._lock:
            found = self._footers.get(key)
            if found is not None:
                self._footers.move_to_end(key)
            return found

    def put(self, key: object, footer: OpenedFooter) -> None:
        with self._lock:
            before = self._footers.pop(key, None)
            self._bytes += footer.size - (before.size if before is not None else 0)
            self._footers[key] = footer
            while len(self._footers) > self._FEWEST and self._bytes > self._MOST_BYTES:
                self._bytes -= self._footers.popitem(last=False)[1].size
            self._read += footer.size
            if self._read > self._RELEASE_EVERY:
                self._read = 0
                _core.release_free_memory()


_LAST_OPENED = _OpenedFooters()


def opened_footer(
    path: str, file_size: int, mtime_ns: int, version: str, *, anew: bool = False
) -> OpenedFooter:
    """Read, check and parse the footer of a file; remembered, because a file is opened often.

    Size, last change and version tell a file from a later one of the same path.

    Args:
        path: the file, or its URL.
        file_size: the bytes of the file.
        mtime_ns: the time of its last change; 0 in a store.
        version: its version in a store; else empty.
        anew: read the footer although it is remembered: the file may have been changed without
            another size or time.

    Raises:
        OSError, ValueError, OverflowError, pyarrow.ArrowException: the footer cannot be read, or
            contradicts itself.
    """
    key = (path, file_size, mtime_ns, version)
    found = None if anew else _LAST_OPENED.get(key)
    if found is None:
        found = _read_and_checked(path)
        _LAST_OPENED.put(key, found)
    return found


def _read_and_checked(path: str) -> OpenedFooter:
    import pyarrow.parquet as pq  # Here: long to import.

    content, data_end = _footer_bytes(path)
    try:
        checked = CheckedFooter(content[:-_TAIL_BYTES], data_end)
    except ValueError as error:
        raise ValueError(f"the footer is damaged: {error}") from error
    # pyarrow opens these bytes like a file without row groups.
    with pq.ParquetFile(pa.BufferReader(content)) as file:
        metadata = file.metadata
    int96 = int96_columns(metadata.schema)
    digest = hashlib.sha256(content).hexdigest()[:16]
    return OpenedFooter(metadata, int96, PageSizes(checked, data_end), digest, len(content))


def _with_exact_dates(metadata: pq.FileMetaData) -> pa.Schema:
    """Return the Arrow schema of a file with INT96 times, as they are read."""
    import pyarrow.parquet as pq  # Here: long to import.

    # The metadata say everything: nothing is read from here.
    source = pa.BufferReader(b"")
    with pq.ParquetFile(source, metadata=metadata, coerce_int96_timestamp_unit=UNIT) as file:
        return file.schema_arrow


def bytes_by_group(metadata: pq.FileMetaData, file_size: int) -> list[int]:
    """Return about how many bytes of the file each row group takes; the sum is the file's size.

    Each row group counts in proportion to its uncompressed bytes. The footer has compressed sizes
    of each column too, but pyarrow ends the process when these are damaged.
    """
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    weights = [max(0, group.total_byte_size) for group in groups]
    if not any(weights):
        weights = [max(0, group.num_rows) for group in groups]
    total = max(1, sum(weights))
    ends = [file_size * end // total for end in itertools.accumulate(weights)]
    return [end - before for before, end in itertools.pairwise([0, *ends])]


def _footer_bytes(path: str) -> tuple[bytes, int]:
    """Read a footer with its length and magic; return where in the file it begins, too.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file does not end in a Parquet footer.
    """
    with open_source(path, window=0) as file:
        size = file.size()
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read(_TAIL_BYTES)
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != _MAGIC or not 0 < length <= size - _TAIL_BYTES - len(_MAGIC):
            raise ValueError("the file does not end in an unencrypted Parquet footer")
        data_end = size - _TAIL_BYTES - length
        file.seek(data_end)
        return bytes(file.read(length) + tail), data_end
