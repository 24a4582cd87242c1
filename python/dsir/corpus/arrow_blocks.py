"""The footer of an Arrow file: whether its list of record batches is complete.

pyarrow reads the record batches that the footer lists, and no others. A footer with one flipped bit
may list fewer, and the rows of the others are then missing without a word. The messages of a file
lie one behind another, so a message that the footer does not list leaves a gap.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import pyarrow as pa

FILE_MAGIC = b"ARROW1"

# What the file begins with, as far as the length of its first message.
_HEAD_BYTES = 16
_CONTINUES = -1
_SHORTEST_MESSAGE = 32

# Padding between messages, and the mark behind the last one. A message has more bytes than that.
_MOST_PADDING = 63
_END_MARK_BYTES = 8

_DICTIONARIES, _RECORD_BATCHES = 2, 3  # Fields of the footer.
_BLOCK = struct.Struct("<qi4xq")  # Offset, bytes of the metadata, bytes of the body.


class _Block(NamedTuple):
    """Where a message is in the file."""

    start: int
    end: int


def check_blocks(source: pa.NativeFile) -> None:
    """Check that the footer of an Arrow file lists all messages of the file.

    Args:
        source: an Arrow file; the position in it afterwards is anywhere.

    Raises:
        OSError: the file cannot be read.
        ValueError: messages are missing or overlap, or there is no footer.
    """
    size = source.size()
    source.seek(0)
    head = source.read(_HEAD_BYTES)
    tail_bytes = 4 + len(FILE_MAGIC)
    source.seek(max(0, size - tail_bytes))
    tail = source.read(tail_bytes)
    if tail[4:] != FILE_MAGIC or len(head) < _HEAD_BYTES:
        raise ValueError("the file does not end in an Arrow footer; it may be cut off")
    length = int.from_bytes(tail[:4], "little", signed=True)
    start = size - tail_bytes - length
    if length <= 0 or start < _HEAD_BYTES:
        raise ValueError("the length of the Arrow footer is damaged")
    source.seek(start)
    footer = source.read(length)
    try:
        blocks = [*_blocks(footer, _DICTIONARIES), *_blocks(footer, _RECORD_BATCHES)]
    except struct.error as error:
        raise ValueError("the Arrow footer is damaged") from error
    blocks.sort()
    position = _end_of_schema(head)
    if position is None:
        # polars writes the schema without its length.
        position = blocks[0].start if blocks else start
        source.seek(8)
        if _has_message(source.read(position - 8)):
            raise ValueError("the Arrow footer is damaged: it does not list the first messages")
    for block in blocks:
        if not 0 <= block.start - position <= _MOST_PADDING or block.end < block.start:
            raise ValueError(
                "the Arrow footer is damaged: its list of record batches leaves out or repeats "
                f"some bytes at {position:,}"
            )
        position = block.end
    if not 0 <= start - position <= _MOST_PADDING + _END_MARK_BYTES:
        raise ValueError(
            "the Arrow footer is damaged: its list of record batches ends at byte "
            f"{position:,}, the data at {start:,}"
        )


def _end_of_schema(head: bytes) -> int | None:
    """Return where the first message ends, which has the schema; None if it has no length."""
    first, second = struct.unpack_from("<ii", head, 8)
    if first == _CONTINUES:
        return 16 + int(second)
    # Files of before 2019 have no mark before the length.
    return 12 + int(first) if first >= _SHORTEST_MESSAGE else None


def _has_message(content: bytes) -> bool:
    """Tell whether a message with a mark and its length begins in some bytes."""
    for at in range(0, len(content) - _SHORTEST_MESSAGE, 8):
        mark, length = struct.unpack_from("<ii", content, at)
        if mark == _CONTINUES and _SHORTEST_MESSAGE <= length <= len(content) - at - 8:
            return True
    return False


def _blocks(footer: bytes, field: int) -> list[_Block]:
    """Return the blocks of a field of the footer, a table of FlatBuffers.

    Raises:
        struct.error: the field leads out of the footer.
    """
    table = _unsigned(footer, 0)
    offsets = table - struct.unpack_from("<i", footer, table)[0]
    if offsets < 0:
        raise struct.error
    entry = 4 + 2 * field
    if entry >= struct.unpack_from("<H", footer, offsets)[0]:
        return []
    at = struct.unpack_from("<H", footer, offsets + entry)[0]
    if not at:
        return []
    vector = table + at + _unsigned(footer, table + at)
    count = _unsigned(footer, vector)
    if count * _BLOCK.size > len(footer):
        raise struct.error
    found = []
    for k in range(count):
        start, metadata, body = _BLOCK.unpack_from(footer, vector + 4 + k * _BLOCK.size)
        found.append(_Block(start, start + metadata + body))
    return found


def _unsigned(footer: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", footer, at)[0])
