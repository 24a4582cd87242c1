"""Tables of code points in two stages, written as C++ arrays."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence

PINNED_VERSION = "14.0.0"
BLOCK_BITS = 7
BLOCK = 1 << BLOCK_BITS
CODE_POINTS = range(sys.maxunicode + 1)


def check_version() -> None:
    """Refuse to run on a Python whose Unicode version is not the pinned one."""
    if unicodedata.unidata_version != PINNED_VERSION:
        raise SystemExit(
            f"this Python has Unicode {unicodedata.unidata_version}; the tables are pinned to "
            f"{PINNED_VERSION} (Python 3.11)"
        )


def is_surrogate(code_point: int) -> bool:
    """Whether the code point is half of a pair of UTF-16, and so no character."""
    return 0xD800 <= code_point <= 0xDFFF


def numbers(values: Sequence[int], per_line: int = 24) -> str:
    """Comma-separated numbers, wrapped."""
    lines = [
        ", ".join(str(value) for value in values[start : start + per_line])
        for start in range(0, len(values), per_line)
    ]
    return ",\n    ".join(lines)


def two_stages(entries: Sequence[int], first: str, second: str) -> str:
    """C++ of a table: entry of c = second[first[c >> 7] << 7 | (c & 127)].

    Args:
        entries: a byte for every code point.
        first: name of the array of block numbers.
        second: name of the array of blocks.
    """
    if max(entries) > 255:
        raise SystemExit(f"{max(entries) + 1} records do not fit one byte")
    blocks: dict[tuple[int, ...], int] = {}
    numbers_of_blocks = [
        blocks.setdefault(tuple(entries[start : start + BLOCK]), len(blocks))
        for start in range(0, len(entries), BLOCK)
    ]
    flat = [entry for block in blocks for entry in block]
    return f"""const std::uint16_t {first}[{len(numbers_of_blocks)}] = {{
    {numbers(numbers_of_blocks)}}};

const std::uint8_t {second}[{len(flat)}] = {{
    {numbers(flat)}}};
"""
