"""Footers of Parquet files: read once, and what is kept of them."""

from __future__ import annotations

import functools
import hashlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from dsir.corpus.text_column import check_names
from dsir.remote.reading import open_source

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_MAGIC = b"PAR1"
_TAIL_BYTES = 8  # The length of the footer, and the magic.


@dataclass(frozen=True, slots=True)
class ParquetFooter:
    """What a footer says that is needed again and again.

    Attributes:
        digest: the first 16 digits of the SHA-256 of its bytes.
        schema: the columns as Arrow types.
        rows: of the file.
    """

    digest: str
    schema: pa.Schema
    rows: int


def read_footer(path: str) -> ParquetFooter:
    """Read a footer.

    Raises:
        OSError, ValueError, OverflowError, pyarrow.ArrowException: it cannot be read.
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
    """Return a schema; the same object for the same bytes, as most files of a corpus share one."""
    return pa.ipc.read_schema(pa.py_buffer(serialized))


@functools.lru_cache(maxsize=4)
def metadata_of(path: str, file_size: int, mtime_ns: int, version: str) -> pq.FileMetaData:
    """Return the footer of a file that is read in parts, parsed once for many of them.

    Args:
        path: the file, or its URL.
        file_size: its bytes,
        mtime_ns: the time of its last change, and
        version: in a store, its version, which tell it from what else may have that path.

    Raises:
        OSError, ValueError, pyarrow.ArrowException: it cannot be read.
    """
    del file_size, mtime_ns, version
    import pyarrow.parquet as pq  # Here: long to import.

    with pq.ParquetFile(pa.BufferReader(_footer_bytes(path))) as file:
        return file.metadata


def bytes_by_group(metadata: pq.FileMetaData, file_size: int) -> list[int]:
    """Return how many bytes of the file each row group takes, about; they add up to its size.

    By the share of what whole rows take uncompressed. The compressed sizes stand in the footer too,
    of every column on its own, but pyarrow ends the process over damaged ones.
    """
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    weights = [max(0, group.total_byte_size) for group in groups]
    if not any(weights):
        weights = [max(0, group.num_rows) for group in groups]
    total = max(1, sum(weights))
    ends = [file_size * end // total for end in itertools.accumulate(weights)]
    return [end - before for before, end in itertools.pairwise([0, *ends])]


def _footer_bytes(path: str) -> bytes:
    """Read a footer with its length and magic: what a reader takes for a file without row groups.

    Raises:
        OSError: it cannot be read.
        ValueError: it is none.
    """
    with open_source(path, window=0) as file:
        size = file.size()
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read(_TAIL_BYTES)
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != _MAGIC or not 0 < length <= size - _TAIL_BYTES - len(_MAGIC):
            raise ValueError("is no Parquet file with a plain footer")
        file.seek(size - _TAIL_BYTES - length)
        return bytes(file.read(length) + tail)
