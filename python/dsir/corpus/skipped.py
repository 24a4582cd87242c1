"""What `on_error="skip"` passed over: listed, never dropped in silence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from dsir.corpus import BadRow, TextBatch
from dsir.corpus.bad_text import snippet_at, why_bad
from dsir.errors import InputError

SHARD = "shard"

# Kinds of reasons, by how the readers word them. Names of fields and messages of libraries stand at
# the end of a reason, so that none of them is mistaken for one.
_KINDS = (
    ("damaged_row_group", re.compile(r"row group \d+ cannot be read")),
    ("broken_json", re.compile(r"broken JSON")),
    ("no_text_field", re.compile(r"no field ")),
    ("not_utf8", re.compile(r"invalid UTF-8|the text is not UTF-8")),
    ("too_long", re.compile(r"the text is longer than")),
    ("not_an_object", re.compile(r"(?s).* is .*, not an object$")),
    ("not_a_string", re.compile(r"(?s).* is .*, not a string$")),
    ("half_a_surrogate", re.compile(r"(?s).* holds half a surrogate pair, which is no text$")),
)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row, several rows lost for one reason, or a shard that could not be read.

    Attributes:
        path: the shard.
        row: 0-based row in the shard, the first of several; None where the whole shard was passed
            over, and where nobody can count the rows before.
        reason: why.
        rows: how many rows these are, one after the other; 0 for a shard.
        snippet: the beginning of the text or line, at most 200 bytes, what is not UTF-8 escaped;
            None where there is nothing to show.
    """

    path: str
    row: int | None
    reason: str
    rows: int = 1
    snippet: str | None = None

    @property
    def kind(self) -> str:
        """The kind of the reason: one of a few words, to count by."""
        if self.rows == 0:
            return SHARD
        return next((name for name, words in _KINDS if words.match(self.reason)), "other")

    def to_json(self) -> dict[str, str | int | None]:
        """Return the same as plain values, without the snippet."""
        several = {"rows": self.rows} if self.rows > 1 else {}
        return {"path": self.path, "row": self.row, "reason": self.reason, **several}

    def to_marker(self) -> dict[str, Any]:
        """Return all of it as plain values: the arguments of `Skipped`."""
        return asdict(self)


def skipped_shard(error: InputError, name: str) -> Skipped:
    """Make the entry for a shard that cannot be read."""
    return Skipped(name, None, str(error), rows=0)


def skipped_rows(name: str, bad: Iterable[BadRow]) -> list[Skipped]:
    """Make the entries for bad rows of a shard."""
    return [Skipped(name, one.row, one.reason, one.rows, one.snippet) for one in bad]


def bad_rows_of(batch: TextBatch, refused: list[int]) -> list[BadRow]:
    """Collect the bad rows of a batch: the reader's, and those the core refused.

    Args:
        batch: the batch.
        refused: positions in the batch.
    """
    found = [
        BadRow(batch.unit_row + at, why_bad(batch.text, at), snippet=snippet_at(batch.text, at))
        for at in refused
    ]
    return sorted([*batch.bad, *found], key=lambda bad: bad.row)


def count_by_kind(skipped: Iterable[Skipped]) -> dict[str, int]:
    """Count bad rows by the kind of their reason, in the order of the kinds' names."""
    counts: dict[str, int] = {}
    for entry in skipped:
        if entry.rows:
            counts[entry.kind] = counts.get(entry.kind, 0) + entry.rows
    return dict(sorted(counts.items()))
