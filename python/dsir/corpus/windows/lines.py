"""Windows as JSON lines: the document's line with the window as its text, and the origin added.

The document's line is not parsed and written again. Only the text in it is replaced, and everything
else stays byte for byte: numbers of any size and spelling, escapes, spaces, repeated names. The
text itself may be spelled differently (a character in place of an escape).
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from dsir.corpus.windows.records import ORIGIN_COLUMNS, refuse_origin_column
from dsir.errors import RowError

_SPACES = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_STRING_OR_BRACKET = re.compile(_STRING.pattern + r"|[\[\]{}]", re.DOTALL)
_NUMBER_OR_WORD = re.compile(r"[^ \t\n\r,\]}]+")


class _Place(NamedTuple):
    """Where a value is in a line, as positions of characters."""

    start: int
    end: int


class WindowLine:
    """A document's line, ready to be filled with its windows.

    Args:
        line: the line of the document.
        text: the text field; dots lead into nested fields if no field has the whole name.
        document: the text that was read from the line.
        where: what messages call the line.

    Raises:
        OutputError: the line has a field with the name of an added field.
        RowError: the text cannot be found in the line.
    """

    def __init__(self, line: bytes, text: str, document: str, where: str) -> None:
        content = line.decode("utf-8")
        try:
            members, close = _members(content, _after_spaces(content, 0))
            place = _find(content, members, text, document)
        except (ValueError, IndexError) as error:
            raise RowError(f"{where}: cannot be parsed as JSON: {error}") from error
        for added in ORIGIN_COLUMNS:
            if added in members:
                raise refuse_origin_column(where, added, "field")
        if place is None:
            raise RowError(
                f"{where}: its text is not the one that was read before; the input has changed"
            )
        self._before = content[: place.start]
        self._between = content[place.end : close]
        self._after = content[close:]

    def filled(self, window: str, source_row: int, start: int, stop: int) -> bytes:
        """Return the line of a window, with its text, its document's row, and where it is there."""
        origin = zip(ORIGIN_COLUMNS, (source_row, start, stop), strict=True)
        added = "".join(f',"{name}":{number}' for name, number in origin)
        text = json.dumps(window, ensure_ascii=False)
        return f"{self._before}{text}{self._between}{added}{self._after}".encode()


def _find(line: str, members: dict[str, _Place], text: str, document: str) -> _Place | None:
    """Find the text field by its name, or by its path; None unless it holds the document."""
    place = members.get(text)
    if place is not None and _string(line, place) == document:
        return place
    first, *path = text.split(".")
    place = members.get(first)
    for name in path:
        if place is None or line[place.start] != "{":
            return None
        place = _members(line, place.start)[0].get(name)
    return place if place is not None and _string(line, place) == document else None


def _string(line: str, place: _Place) -> str | None:
    """Return the value at a place if it is a string, else None."""
    if line[place.start] != '"':
        return None
    return str(json.loads(line[place.start : place.end], strict=False))


def _members(line: str, at: int) -> tuple[dict[str, _Place], int]:
    """Find the members of the object that begins at a position; the last of a repeated name counts.

    The line was read before, so it is known to be JSON. Values are skipped without being parsed:
    they may be nested deeper than Python's parser goes.

    Returns:
        The places of the members' values, and the position of the closing brace.

    Raises:
        ValueError, IndexError: the line is not JSON after all.
    """
    members: dict[str, _Place] = {}
    at = _after_spaces(line, at + 1)
    while line[at] != "}":
        if line[at] == ",":
            at = _after_spaces(line, at + 1)
        end = _matched(_STRING, line, at)
        name = json.loads(line[at:end], strict=False)
        start = _after_spaces(line, _after_spaces(line, end) + 1)
        end = _end_of_value(line, start)
        members[name] = _Place(start, end)
        at = _after_spaces(line, end)
    return members, at


def _end_of_value(line: str, at: int) -> int:
    if line[at] == '"':
        return _matched(_STRING, line, at)
    if line[at] not in "[{":
        return _matched(_NUMBER_OR_WORD, line, at)
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(line, at):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found.group(), 0)
        if depth == 0:
            return found.end()
    raise ValueError(f"the value at character {at} has no end")


def _matched(pattern: re.Pattern[str], line: str, at: int) -> int:
    found = pattern.match(line, at)
    if found is None:
        raise ValueError(f"unexpected {line[at : at + 1]!r} at character {at}")
    return found.end()


def _after_spaces(line: str, at: int) -> int:
    return _matched(_SPACES, line, at)
