"""_dsir/contaminated.jsonl: a line for every row that shares n-grams with texts of benchmarks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from dsir.output.folder import CONTAMINATED_FILE
from dsir.output.writer import FileAccount, writing
from dsir.remote import Location
from dsir.storage.atomic import UnfinishedFile


def write_contaminated_rows(
    folder: Location, rows: Iterable[Mapping[str, Any]]
) -> list[FileAccount]:
    """Write `_dsir/contaminated.jsonl` into an output folder; without rows, write no file.

    Args:
        folder: the folder.
        rows: the rows as JSON values, in the order of the corpus.

    Returns:
        The account of the file; empty without a file.

    Raises:
        OutputError: the file cannot be written.
    """
    path = folder / CONTAMINATED_FILE
    file, lines = None, 0
    try:
        for row in rows:
            # What is not text, such as half a surrogate pair in a name, becomes a JSON escape.
            line = json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace")
            with writing(path):
                if file is None:
                    file = UnfinishedFile(path, hashed=True)
                file.write(line + b"\n")
            lines += 1
        with writing(path):
            if file is None:
                path.unlink(missing_ok=True)
                return []
            file.commit()
    except BaseException:
        if file is not None:
            file.discard()
        raise
    return [FileAccount(path, file.size, lines, file.sha256)]
