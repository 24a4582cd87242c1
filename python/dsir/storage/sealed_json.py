"""JSON files with a checksum of their own content, in which one run leaves notes for another.

A file that was changed, by a flipped bit or by hand, is an error and is never taken for another
note. The checksum guards against accidents only: anyone can write a file with a valid checksum, so
readers must check every value that they rely on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from dsir.remote import Location
from dsir.storage.atomic import write_json

_CHECKSUM = "checksum"
_LARGEST = 1 << 30
_PIECE_BYTES = 1 << 20


def write_sealed(path: Path, value: Mapping[str, Any], *, durable: bool = True) -> None:
    """Write an object as JSON, atomically, with a checksum of its content.

    Raises:
        OSError: the file cannot be written.
    """
    # On one line: those of a plan of 100,000 files would take seconds to indent.
    sealed = {**value, _CHECKSUM: checksum_of(value)}
    write_json(path, sealed, durable=durable, indent=None)


def read_sealed(path: Path) -> dict[str, Any]:
    """Read an object that `write_sealed` wrote.

    Raises:
        OSError: the file cannot be read; FileNotFoundError if there is none.
        ValueError: the file was changed, or `write_sealed` did not write it.
    """
    if path.stat().st_size > _LARGEST:
        raise ValueError("is too large")
    try:
        content = json.loads(path.read_bytes())
    except RecursionError as error:
        raise ValueError("is nested too deep") from error
    if not isinstance(content, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004 - the file is wrong, not the call
    checksum = content.pop(_CHECKSUM, None)
    if checksum != checksum_of(content):
        raise ValueError("was changed: its checksum does not match")
    return content


def checksum_of(value: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a JSON object; the order of its keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def file_checksum(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def path_within(folder: Location, name: object) -> Location | None:
    """Return the path of a file that a note names, or None if the name leads out of the folder."""
    if not isinstance(name, str) or not name or "\0" in name:
        return None
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path == PurePosixPath():
        return None
    return folder / str(path)
