"""What `on_error="skip"` passed over: listed, never dropped in silence."""

from __future__ import annotations

from dataclasses import dataclass

from dsir.bad_text import why_bad
from dsir.corpus import BadRow, TextBatch
from dsir.errors import InputError


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row or a shard that could not be read.

    Attributes:
        path: the shard.
        row: 0-based row in the shard; None where the whole shard was passed over.
        reason: why.
    """

    path: str
    row: int | None
    reason: str

    def to_json(self) -> dict[str, str | int | None]:
        """Return the same as plain values."""
        return {"path": self.path, "row": self.row, "reason": self.reason}


def skipped_shard(error: InputError, name: str) -> Skipped:
    """Make the entry for a shard that cannot be read."""
    return Skipped(name, None, str(error))


def bad_rows_of(batch: TextBatch, refused: list[int]) -> list[BadRow]:
    """Collect the bad rows of a batch: the reader's, and those the core refused.

    Args:
        batch: the batch.
        refused: positions in the batch.
    """
    found = [BadRow(batch.first_row + at, why_bad(batch.text, at)) for at in refused]
    return sorted([*batch.bad, *found], key=lambda bad: bad.row)
