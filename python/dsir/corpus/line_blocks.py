"""JSON Lines as blocks of whole lines: decompressed, about 8 MB each, never a line in two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir._core import line_spans
from dsir.bad_text import snippet_of
from dsir.corpus.batches import BATCH_BYTES
from dsir.corpus.shard import raise_if_short_of_memory
from dsir.errors import ShardError
from dsir.primitive_arrays import to_arrow

Compression = Literal["gzip", "zstd", "bz2", "lz4"]

# A piece that cannot be decompressed to its end is lost whole: small pieces tell more exactly where
# a file breaks off.
_PIECE_BYTES = 1 << 13
_MAX_LINE_BYTES = 1 << 31
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Whole lines of a shard.

    Attributes:
        data: the bytes.
        first_row: the row number of the first line that is not blank.
        first_line: the 0-based number of the first line, blank lines counted.
        starts: where each row begins in `data`.
        ends: where each row ends, without its newline and carriage return.
        objects: every row begins with "{" and ends with "}".
        lines: how many lines there are, blank ones included.
    """

    data: bytes
    first_row: int
    first_line: int
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    objects: bool
    lines: int

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.starts)

    def line_number(self, index: int) -> int:
        """Return the 1-based line in the file of the row at `index` of this block."""
        return self.first_line + self.data.count(b"\n", 0, int(self.starts[index])) + 1

    def row_bytes(self, index: int) -> bytes:
        """Return the row at `index` of this block."""
        return self.data[int(self.starts[index]) : int(self.ends[index])]

    def snippet(self, index: int) -> str:
        """Return the beginning of the row at `index` of this block, for people to look at."""
        start, end = int(self.starts[index]), int(self.ends[index])
        return snippet_of(self.data[start : min(end, start + 1024)])

    def original_lines(self, indices: npt.NDArray[np.int64]) -> pa.LargeBinaryArray:
        """Return lines as they stand in the file, without the newline alone.

        A carriage return before the newline stays: the line is to be written again byte for byte.
        """
        content = np.frombuffer(self.data, dtype=np.uint8)
        ends = self.ends[indices]
        while True:
            inside = np.flatnonzero(ends < len(content))
            carried = inside[content[ends[inside]] != ord("\n")]
            if not len(carried):
                break
            ends[carried] += 1
        # A binary array whose even values are the lines and whose odd values are what lies
        # between them: taking the even ones copies the lines without a loop over rows.
        offsets = np.empty(2 * len(indices), dtype=np.int64)
        offsets[0::2] = self.starts[indices]
        offsets[1::2] = ends
        lines_and_gaps = pa.LargeBinaryArray.from_buffers(
            pa.large_binary(),
            max(0, 2 * len(indices) - 1),
            [None, pa.py_buffer(offsets), pa.py_buffer(self.data)],
        )
        return lines_and_gaps.take(to_arrow(np.arange(0, len(lines_and_gaps), 2)))


def line_blocks(
    path: str,
    name: str,
    compression: Compression | None,
    block_bytes: int | None = None,
    span: tuple[int, int] | None = None,
) -> Iterator[LineBlock]:
    """Read a file as blocks of whole lines.

    Args:
        path: the file.
        name: what messages call it.
        compression: how it is compressed.
        block_bytes: about how long a block is; None for `BATCH_BYTES`.
        span: the first byte to read, at the beginning of a line, and the one behind the last; None
            for all. Rows and lines are numbered from there.

    Raises:
        ShardError: the file cannot be opened or decompressed, or breaks off.
    """
    first_row = 0
    first_line = 0
    where = f" of those from byte {span[0]:,} on" if span is not None and span[0] else ""
    try:
        for data in _whole_lines(path, compression, block_bytes or BATCH_BYTES, span):
            starts, ends, objects, lines = line_spans(data)
            yield LineBlock(data, first_row, first_line, starts, ends, objects, lines)
            first_row += len(starts)
            first_line += lines
    except _BrokenOffError as broken:
        rows = first_row + len(line_spans(broken.held)[0])
        if rows:
            what = f"breaks off after about {rows:,} rows{where}"
        else:
            what = f"cannot be read as {compression}" if compression else "cannot be read"
        raise ShardError(f"{name}: {what}: {broken.error}", path=name) from broken.error
    except _LineTooLongError:
        raise ShardError(
            f"{name}: the line after row {first_row:,}{where} is longer than 2 GiB", path=name
        ) from None


class _BrokenOffError(Exception):
    """A file cannot be read on; `held` is what had been read of the next block."""

    def __init__(self, error: BaseException, held: bytes) -> None:
        super().__init__()
        self.error = error
        self.held = held


class _LineTooLongError(Exception):
    """A line does not end within the longest document there may be."""


def line_starts(path: str, size: int, every: int) -> tuple[int, ...]:
    """Cut a file that is not compressed where lines begin.

    Args:
        path: the file.
        size: its bytes.
        every: about how many bytes there are from one cut to the next.

    Returns:
        0, the first beginning of a line at or after each multiple of `every`, and the size; of a
        multiple that lies in the same line as the one before, nothing.

    Raises:
        OSError: it cannot be read.
    """
    starts = [0]
    with pa.OSFile(path) as file:
        for wanted in range(every, size, every):
            if wanted <= starts[-1]:
                continue
            # A line begins behind a newline, which may be the byte before the wanted one.
            at = wanted - 1
            file.seek(at)
            while piece := file.read(min(_PIECE_BYTES, size - at)):
                newline = piece.find(b"\n")
                if newline >= 0:
                    at += newline + 1
                    break
                at += len(piece)
            if at >= size:
                break
            starts.append(at)
    return (*starts, size)


def _whole_lines(
    path: str, compression: Compression | None, block_bytes: int, span: tuple[int, int] | None
) -> Iterator[bytes]:
    held: list[bytes] = []
    held_bytes = 0
    try:
        for piece in _pieces(path, compression, span):
            held.append(piece)
            held_bytes += len(piece)
            if held_bytes < block_bytes:
                continue
            cut = piece.rfind(b"\n") + 1
            if cut:
                held[-1] = piece[:cut]
                yield b"".join(held)
                held = [piece[cut:]]
                held_bytes = len(held[0])
            elif held_bytes > _MAX_LINE_BYTES + block_bytes:
                raise _LineTooLongError
    except (pa.ArrowException, OSError) as error:
        raise_if_short_of_memory(error)
        whole = b"".join(held)
        raise _BrokenOffError(error, whole[: whole.rfind(b"\n") + 1]) from error
    rest = b"".join(held)
    if rest:
        yield rest


def _pieces(
    path: str, compression: Compression | None, span: tuple[int, int] | None
) -> Iterator[bytes]:
    with pa.OSFile(path) as file:
        if span is not None:
            yield from _pieces_within(file, *span)
            return
        stream = file if compression is None else pa.CompressedInputStream(file, compression)
        first = True
        while piece := stream.read(_PIECE_BYTES):
            yield piece.removeprefix(_BYTE_ORDER_MARK) if first else piece
            first = False


def _pieces_within(file: pa.NativeFile, start: int, stop: int) -> Iterator[bytes]:
    file.seek(start)
    at = start
    while piece := file.read(min(_PIECE_BYTES, stop - at)):
        yield piece.removeprefix(_BYTE_ORDER_MARK) if at == 0 else piece
        at += len(piece)
