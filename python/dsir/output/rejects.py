"""_dsir/rejects.jsonl: a line for every row and shard that was skipped."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Protocol

from dsir.output.folder import REJECTS_FILE
from dsir.output.writer import FileAccount, writing
from dsir.remote import Location
from dsir.storage.atomic import UnfinishedFile

_HELD_LINES = 1 << 12


class Rejected(Protocol):
    """A row, consecutive rows, or a shard that could not be read; see `dsir.corpus.skipped`."""

    @property
    def path(self) -> str:
        """The shard."""

    @property
    def row(self) -> int | None:
        """The first row; None for a shard."""

    @property
    def rows(self) -> int:
        """The number of rows; 0 for a shard."""

    @property
    def kind(self) -> str:
        """The kind of the reason."""

    @property
    def reason(self) -> str:
        """Why it could not be read."""

    @property
    def snippet(self) -> str | None:
        """The beginning of the text or line."""


def write_rejects(folder: Location, rejected: Iterable[Rejected]) -> list[FileAccount]:
    """Write `_dsir/rejects.jsonl` into an output folder; if nothing was rejected, write no file.

    Args:
        folder: the folder.
        rejected: what was skipped, in the order of the corpora and their rows.

    Returns:
        The account of the file; empty without a file.

    Raises:
        OutputError: the file cannot be written.
    """
    path = folder / REJECTS_FILE
    lines = [_line(one) for one in rejected]
    with writing(path):
        if not lines:
            path.unlink(missing_ok=True)
            return []
        file = UnfinishedFile(path, hashed=True)
        try:
            for start in range(0, len(lines), _HELD_LINES):
                file.write(b"".join(lines[start : start + _HELD_LINES]))
            file.commit()
        except BaseException:
            file.discard()
            raise
    return [FileAccount(path, file.size, len(lines), file.sha256)]


def _line(one: Rejected) -> bytes:
    entry = {
        "shard": one.path,
        "row": one.row,
        "rows": one.rows,
        "kind": one.kind,
        "reason": one.reason,
        "snippet": one.snippet,
    }
    # What is not text, such as half a surrogate pair in a file name, becomes a JSON escape.
    return json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
