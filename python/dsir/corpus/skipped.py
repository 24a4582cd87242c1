"""The list of what `on_error="skip"` skipped: nothing is dropped silently."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from dsir.corpus import BadRow, TextBatch
from dsir.corpus.bad_text import snippet_at, why_bad
from dsir.errors import InputError

SHARD = "shard"

# Kinds of reasons, by the words of the readers. A reason ends with the names of fields and the
# messages of libraries, if it has any, so these words are not mistaken for a kind.
_KINDS = (
    ("damaged_row_group", re.compile(r"row group \d+ cannot be read")),
    ("broken_json", re.compile(r"broken JSON")),
    ("no_text_field", re.compile(r"no field ")),
    ("not_utf8", re.compile(r"invalid UTF-8|the text is not UTF-8")),
    ("not_decodable", re.compile(r"the text is not ")),
    ("too_long", re.compile(r"the text is longer than")),
    ("not_an_object", re.compile(r"(?s).* is .*, not an object$")),
    ("not_a_string", re.compile(r"(?s).* is .*, not a string$")),
    ("half_a_surrogate", re.compile(r"(?s).* holds half a surrogate pair, which is no text$")),
)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row, consecutive rows, or a whole shard that could not be read.

    Attributes:
        path: the shard.
        row: 0-based number of the (first) row in the shard; None if the whole shard was skipped,
            or if the rows before it cannot be counted.
        reason: why.
        rows: the number of rows; 0 for a shard.
        snippet: at most the first 200 bytes of the text or line, with escapes for bytes that are
            not UTF-8; None if there is nothing to show.
    """

    path: str
    row: int | None
    reason: str
    rows: int = 1
    snippet: str | None = None

    @property
    def kind(self) -> str:
        """The kind of the reason: one of a few fixed words, by which rows are counted."""
        if self.rows == 0:
            return SHARD
        return next((name for name, words in _KINDS if words.match(self.reason)), "other")

    def to_json(self) -> dict[str, str | int | None]:
        """Return the entry as JSON values, without the snippet."""
        several = {"rows": self.rows} if self.rows > 1 else {}
        return {"path": self.path, "row": self.row, "reason": self.reason, **several}

    def to_marker(self) -> dict[str, Any]:
        """Return the entry as JSON values with the snippet: the arguments of `Skipped`."""
        return asdict(self)


def from_marker(entry: Any) -> Skipped:
    """Return the entry that `Skipped.to_marker` described.

    Raises:
        TypeError, KeyError: it is another value.
    """
    row, rows, snippet = entry["row"], entry["rows"], entry["snippet"]
    if not (
        isinstance(entry["path"], str)
        and isinstance(entry["reason"], str)
        and (row is None or type(row) is int)
        and type(rows) is int
        and (snippet is None or isinstance(snippet, str))
    ):
        raise TypeError("is no entry of what was skipped")
    return Skipped(entry["path"], row, entry["reason"], rows, snippet)


def skipped_shard(error: InputError, name: str) -> Skipped:
    """Return the entry for a shard that cannot be read."""
    return Skipped(name, None, str(error), rows=0)


def skipped_rows(name: str, bad: Iterable[BadRow]) -> list[Skipped]:
    """Return the entries for bad rows of a shard."""
    return [Skipped(name, one.row, one.reason, one.rows, one.snippet) for one in bad]


def bad_rows_of(batch: TextBatch, refused: list[int]) -> list[BadRow]:
    """Return the bad rows of a batch, in order: those of the reader, and those the core refused.

    Args:
        batch: the batch.
        refused: positions in the batch of the texts that the core refused.
    """
    found = [
        BadRow(batch.unit_row + at, why_bad(batch.text, at), snippet=snippet_at(batch.text, at))
        for at in refused
    ]
    return sorted([*batch.bad, *found], key=lambda bad: bad.row)


def count_by_kind(skipped: Iterable[Skipped]) -> dict[str, int]:
    """Count bad rows by the kind of their reason, sorted by kind."""
    counts: dict[str, int] = {}
    for entry in skipped:
        if entry.rows:
            counts[entry.kind] = counts.get(entry.kind, 0) + entry.rows
    return dict(sorted(counts.items()))
