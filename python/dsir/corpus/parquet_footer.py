"""Footers of Parquet files: read, checked against themselves, and the little that is remembered.

pyarrow believes what a footer says. A footer with one flipped bit may say another number of rows,
or point to the pages of another column, and the rows that come out are then wrong. The core checks
every footer before pyarrow sees it: see `check_parquet_footer`.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from dsir._core import check_parquet_footer
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


def read_footer(path: str) -> ParquetFooter:
    """Read the footer of a file.

    Raises:
        OSError, ValueError, OverflowError, pyarrow.ArrowException: the footer cannot be read.
    """
    import pyarrow.parquet as pq  # Here: long to import.

    content = _footer_bytes(path)
    with pq.ParquetFile(pa.BufferReader(content)) as file:
        schema = file.schema_arrow
        check_names(schema)
        rows = int(file.metadata.num_rows)
    digest = hashlib.sha256(content).hexdigest()[:16]
    return ParquetFooter(digest, _shared(schema.serialize().to_pybytes()), rows)


@functools.lru_cache(maxsize=16)
def _shared(serialized: bytes) -> pa.Schema:
    """Return the schema of serialized bytes; files with equal schemas share one object."""
    return pa.ipc.read_schema(pa.py_buffer(serialized))


@functools.lru_cache(maxsize=4)
def metadata_of(path: str, file_size: int, mtime_ns: int, version: str) -> pq.FileMetaData:
    """Return the checked footer of a file; cached, because a file read in parts needs it often.

    Size, last change and version are part of the cache's key, to tell a file from a later one of
    the same path.

    Args:
        path: the file, or its URL.
        file_size: the bytes of the file.
        mtime_ns: the time of its last change; 0 in a store.
        version: its version in a store; else empty.

    Raises:
        OSError, ValueError, pyarrow.ArrowException: the footer cannot be read.
    """
    del file_size, mtime_ns, version
    import pyarrow.parquet as pq  # Here: long to import.

    with pq.ParquetFile(pa.BufferReader(_footer_bytes(path))) as file:
        return file.metadata


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


def _footer_bytes(path: str) -> bytes:
    """Read a footer with its length and magic, which pyarrow opens like a file without row groups.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file does not end in a Parquet footer, or the footer contradicts itself.
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
        footer = bytes(file.read(length))
    try:
        check_parquet_footer(footer, data_end)
    except ValueError as error:
        raise ValueError(f"the footer is damaged: {error}") from error
    return footer + bytes(tail)
