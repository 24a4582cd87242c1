"""Windows as JSON lines: the document's line with its text exchanged and the origin added.

The line is not written anew. The place of the text in it is found, and everything else stays byte
for byte: numbers of any size and spelling, escapes, spaces, repeated names. Only the text itself
may be spelled in another way (a character where there was an escape).
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from dsir.corpus.window_records import ORIGIN_COLUMNS, refuse_origin_column
from dsir.errors import RowError

# Values are only passed over; whole numbers as floats, as Python refuses to convert integers of
# thousands of digits.
_DECODER = json.JSONDecoder(parse_int=float, strict=False)
_SPACES = re.compile(r"[ \t\n\r]*")


class _Member(NamedTuple):
    """A value in an object, and where it stands in the line."""

    value: Any
    start: int
    end: int


class WindowLine:
    """A document's line, ready to be filled with its windows.

    Args:
        line: the line of the document.
        text: the text field; dots lead into nested fields where no field has the whole name.
        document: the text that was read from it.
        where: what messages call the line.

    Raises:
        OutputError: the record has a field of the name of one to be added.
        RowError: the text cannot be found in it.
    """

    def __init__(self, line: bytes, text: str, document: str, where: str) -> None:
        content = line.decode("utf-8")
        try:
            members, close = _members(content, _after_spaces(content, 0))
            place = _find(content, members, text, document)
        except (ValueError, IndexError, RecursionError) as error:
            raise RowError(f"{where}: cannot be taken apart: {error}") from error
        for added in ORIGIN_COLUMNS:
            if added in members:
                raise refuse_origin_column(where, added, "field")
        if place is None:
            raise RowError(f"{where}: does not hold the text it held; it changed since it was read")
        self._before = content[: place.start]
        self._between = content[place.end : close]
        self._after = content[close:]

    def filled(self, window: str, source_row: int, start: int, stop: int) -> bytes:
        """Return the line of a window."""
        origin = zip(ORIGIN_COLUMNS, (source_row, start, stop), strict=True)
        added = "".join(f',"{name}":{number}' for name, number in origin)
        text = json.dumps(window, ensure_ascii=False)
        return f"{self._before}{text}{self._between}{added}{self._after}".encode()


def _find(line: str, members: dict[str, _Member], text: str, document: str) -> _Member | None:
    """Find the text by its name, or by its path."""
    if text in members and members[text].value == document:
        return members[text]
    first, *path = text.split(".")
    member = members.get(first)
    for name in path:
        if member is None or not isinstance(member.value, dict):
            return None
        member = _members(line, member.start)[0].get(name)
    return member if member is not None and member.value == document else None


def _members(line: str, at: int) -> tuple[dict[str, _Member], int]:
    """Read the object that begins at a place; of a repeated name the last counts.

    Returns:
        Its members, and where its closing brace is.

    Raises:
        ValueError, IndexError, RecursionError: it is not JSON, or too deep for Python.
    """
    members: dict[str, _Member] = {}
    at = _after_spaces(line, at + 1)
    while line[at] != "}":
        if line[at] == ",":
            at = _after_spaces(line, at + 1)
        name, end = _DECODER.raw_decode(line, at)
        start = _after_spaces(line, _after_spaces(line, end) + 1)
        value, end = _DECODER.raw_decode(line, start)
        members[name] = _Member(value, start, end)
        at = _after_spaces(line, end)
    return members, at


def _after_spaces(line: str, at: int) -> int:
    found = _SPACES.match(line, at)
    return found.end() if found is not None else at
