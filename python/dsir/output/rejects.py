"""_rejects.jsonl: a line for everything that was passed over."""

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
    """A row, several rows, or a shard that could not be read; see `dsir.corpus.skipped`."""

    @property
    def path(self) -> str:
        """The shard."""

    @property
    def row(self) -> int | None:
        """The first row; None for a shard."""

    @property
    def rows(self) -> int:
        """How many."""

    @property
    def kind(self) -> str:
        """The kind of the reason."""

    @property
    def reason(self) -> str:
        """Why."""

    @property
    def snippet(self) -> str | None:
        """The beginning of the text or line."""


def write_rejects(folder: Location, rejected: Iterable[Rejected]) -> list[FileAccount]:
    """Write what was passed over into a folder of output; no file where that is nothing.

    Args:
        folder: the folder.
        rejected: in the order of the corpora and their rows.

    Returns:
        What is in the file, or nothing.

    Raises:
        OutputError: it cannot be written.
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
    # What is no text, such as half of a surrogate pair in a name, stays an escape of JSON.
    return json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
