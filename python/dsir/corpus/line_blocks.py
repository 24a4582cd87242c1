"""Reads files of lines as decompressed blocks of whole lines, about 2 MB each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir._core import line_spans
from dsir.corpus.bad_text import snippet_of
from dsir.corpus.batches import READ_LIMITS
from dsir.corpus.decompressed import Decompressed, TextFile
from dsir.errors import ShardError
from dsir.formats import Compression
from dsir.primitive_arrays import to_arrow
from dsir.remote.read_errors import translated
from dsir.remote.reading import open_source
from dsir.remote.remote_file import WINDOW_BYTES

# Small enough that lines, texts and their features stay in the CPU cache from step to step.
BLOCK_BYTES = 2 << 20
# If a piece cannot be decompressed to its end, all of it is lost. It is then read again in pieces
# of the smaller size, to find out more exactly where the file breaks off.
_PIECE_BYTES = 1 << 13
_LARGE_PIECE_BYTES = 1 << 20
_PIECES_PER_BLOCK = 8
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Whole lines of a shard. A row is a line that is not blank.

    Attributes:
        data: the bytes of the lines.
        unit_row: the number of the first row.
        first_line: the 0-based number of the first line, counting blank lines.
        starts: int64[rows], where each row begins in `data`.
        ends: int64[rows], where each row ends, before its newline and carriage return.
        objects: whether every row begins with "{" and ends with "}".
        lines: the number of lines, counting blank lines.
    """

    data: bytes | pa.Buffer
    unit_row: int
    first_line: int
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    objects: bool
    lines: int

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.starts)

    def line_number(self, index: int) -> int:
        """Return the 1-based line number of the row at `index` of this block."""
        before = np.frombuffer(self.data, dtype=np.uint8)[: self.starts[index]]
        return self.first_line + int(np.count_nonzero(before == ord("\n"))) + 1

    def row_bytes(self, index: int) -> bytes:
        """Return the bytes of the row at `index` of this block."""
        return bytes(memoryview(self.data)[self.starts[index] : self.ends[index]])

    def snippet(self, index: int) -> str:
        """Return the beginning of the row at `index` of this block, to show to people."""
        start, end = int(self.starts[index]), int(self.ends[index])
        return snippet_of(bytes(memoryview(self.data)[start : min(end, start + 1024)]))

    def original_lines(self, indices: npt.NDArray[np.int64]) -> pa.LargeBinaryArray:
        """Return lines as they are in the file, without their newline.

        A carriage return before the newline stays, because lines are written byte for byte.
        """
        content = np.frombuffer(self.data, dtype=np.uint8)
        ends = self.ends[indices]
        while True:
            inside = np.flatnonzero(ends < len(content))
            carried = inside[content[ends[inside]] != ord("\n")]
            if not len(carried):
                break
            ends[carried] += 1
        return self._between(self.starts[indices], ends, pa.large_binary())

    def texts(self) -> pa.LargeStringArray:
        """Return the rows as texts, without newline and carriage return; they may not be UTF-8."""
        return self._between(self.starts, self.ends, pa.large_string())

    def _between(
        self, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], kind: pa.DataType
    ) -> pa.Array:
        # In this array the even values are the lines and the odd values the bytes between them.
        # Taking the even values copies the lines without a loop over rows.
        offsets = np.empty(2 * len(starts), dtype=np.int64)
        offsets[0::2] = starts
        offsets[1::2] = ends
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(self.data)]
        count = max(0, 2 * len(starts) - 1)
        lines_and_gaps = pa.Array.from_buffers(kind, count, buffers)
        return lines_and_gaps.take(to_arrow(np.arange(0, count, 2)))


def line_blocks(
    path: str,
    name: str,
    compression: Compression | None,
    text_file: TextFile,
    block_bytes: int | None = None,
    line_bytes: int = READ_LIMITS.row_bytes,
    span: tuple[int, int] | None = None,
) -> Iterator[LineBlock]:
    """Read a file as blocks of whole lines.

    Args:
        path: the file, or its URL.
        name: what messages call the file.
        compression: how the file is compressed by its name; its first bytes may say otherwise.
        text_file: what the file is called, and what it begins with.
        block_bytes: about how many bytes a block has; None for `BLOCK_BYTES`.
        line_bytes: about how many bytes a line may have; longer lines are refused.
        span: the bytes to read, [start, stop), where `start` begins a line; None for the whole
            file. Rows and lines are numbered from `start` on.

    Raises:
        ShardError: the file cannot be opened or decompressed, breaks off, or has too long a line.
    """
    unit_row = 0
    first_line = 0
    where = f" from byte {span[0]:,} on" if span is not None and span[0] else ""
    try:
        source = _Source(path, name, compression, text_file)
        for data in _whole_lines(source, block_bytes or BLOCK_BYTES, line_bytes, span):
            starts, ends, objects, lines = line_spans(data)
            yield LineBlock(data, unit_row, first_line, starts, ends, objects, lines)
            unit_row += len(starts)
            first_line += lines
    except _BrokenOffError as broken:
        rows = unit_row + len(line_spans(broken.held)[0])
        if rows:
            what = f"breaks off after about {rows:,} rows{where}"
        else:
            what = f"cannot be read as {compression}" if compression else "cannot be read"
        raise ShardError(f"{name}: {what}: {broken.error}", path=name) from broken.error
    except _LineTooLongError as too_long:
        rows = unit_row + len(line_spans(too_long.before)[0])
        raise ShardError(
            f"{name}: the line after {rows:,} rows{where} is longer than {_size(line_bytes)}, "
            "more than fits in memory; give more memory, use fewer threads, or remove the line",
            path=name,
        ) from None


class _BrokenOffError(Exception):
    """A file cannot be read further; `held` are the whole lines read of the next block."""

    def __init__(self, error: BaseException, held: bytes) -> None:
        super().__init__()
        self.error = error
        self.held = held


class _LineTooLongError(Exception):
    """A line is too long; `before` are the lines of its block that come before it."""

    def __init__(self, before: bytes) -> None:
        super().__init__()
        self.before = before


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count % (1 << 20) == 0 else f"{count:,} bytes"


def line_starts(path: str, size: int, every: int) -> tuple[int, ...]:
    """Return where to cut an uncompressed file, always at the start of a line.

    Args:
        path: the file, or its URL.
        size: the bytes of the file.
        every: about how many bytes there are from one cut to the next.

    Returns:
        0, the first start of a line at or after each multiple of `every`, and the size. Multiples
        that lie in the same line share one cut.

    Raises:
        OSError: the file cannot be read.
    """
    starts = [0]
    with open_source(path, window=0) as file:
        for wanted in range(every, size, every):
            if wanted <= starts[-1]:
                continue
            # A line begins after a newline, which may be the byte just before the wanted one.
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


class _Source(NamedTuple):
    """A file of lines: where it is, what messages call it, how it is compressed, what it holds."""

    path: str
    name: str
    compression: Compression | None
    text_file: TextFile

    def open(self, window: int = WINDOW_BYTES, start: int = 0) -> Decompressed:
        """Open the file at a byte."""
        return Decompressed(self.path, self.name, self.text_file, self.compression, window, start)


def _whole_lines(
    source: _Source,
    block_bytes: int,
    line_bytes: int,
    span: tuple[int, int] | None,
) -> Iterator[pa.Buffer]:
    piece_bytes = max(_PIECE_BYTES, min(_LARGE_PIECE_BYTES, block_bytes // _PIECES_PER_BLOCK))
    # Each block has memory of its own, because blocks are given out without a copy. It is filled
    # piece by piece.
    memory = pa.allocate_buffer(block_bytes + piece_bytes)
    position, stop = span or (0, None)
    start = filled = 0
    wanted = piece_bytes
    window = WINDOW_BYTES if stop is None else _window(stop - position, piece_bytes)

    def broken_off(error: Exception) -> _BrokenOffError:
        held = memory[start:filled].to_pybytes()
        held += _last_bytes(source, position, wanted)
        return _BrokenOffError(error, held[: held.rfind(b"\n") + 1])

    with translated(broken_off), source.open(window, position) as stream:
        while True:
            if stop is not None:
                wanted = min(piece_bytes, stop - position)
            count = stream.readinto(memoryview(memory)[filled : filled + wanted])
            if not count:
                break
            piece = memory[filled : filled + count]
            if not position and piece[:3].to_pybytes() == _BYTE_ORDER_MARK:
                start = len(_BYTE_ORDER_MARK)
            position += count
            filled += count
            if filled >= block_bytes:
                cut = filled - count + piece.to_pybytes().rfind(b"\n") + 1
                if cut > filled - count:
                    yield memory[start:cut]
                    memory = _moved(memory[cut:filled], block_bytes + piece_bytes)
                    start, filled = 0, filled - cut
                elif filled > line_bytes + block_bytes:
                    whole = memory[start:filled].to_pybytes()
                    raise _LineTooLongError(whole[: whole.rfind(b"\n") + 1])
            if filled + piece_bytes > memory.size:
                memory = _moved(memory[:filled], 2 * memory.size + piece_bytes)
    if filled > start:
        yield memory[start:filled]


def _window(length: int, piece_bytes: int) -> int:
    """Return the bytes of a request to a store: whole pieces, little more than `length` in all."""
    requests = max(1, -(-length // WINDOW_BYTES))
    return -(-length // (requests * piece_bytes)) * piece_bytes


def _moved(content: pa.Buffer, room: int) -> pa.Buffer:
    """Copy what was read to the beginning of a new buffer of `room` bytes."""
    memory = pa.allocate_buffer(room)
    memoryview(memory)[: content.size] = memoryview(content)
    return memory


def _last_bytes(source: _Source, position: int, most: int) -> bytes:
    """Return the bytes after a position that small pieces can still read, when large ones fail."""
    found = bytearray()
    try:
        with source.open() as stream:
            while position and (piece := stream.read(min(position, _LARGE_PIECE_BYTES))):
                position -= len(piece)
            while len(found) < most and (
                piece := stream.read(min(_PIECE_BYTES, most - len(found)))
            ):
                found += piece
    except (pa.ArrowException, OSError, ShardError):
        pass
    return bytes(found)
