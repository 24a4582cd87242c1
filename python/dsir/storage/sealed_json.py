"""JSON files that carry a checksum of their own: what one run notes down for another.

A file that was changed, by a bit or by hand, is an error and never another note. The checksum keeps
out accidents; who writes a new one can write anything, so nothing in such a file may be trusted
further than its reader checks it.
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
    """Write an object as JSON, atomically, with the checksum of what it says.

    Raises:
        OSError: it cannot be written there.
    """
    write_json(path, {**value, _CHECKSUM: checksum_of(value)}, durable=durable)


def read_sealed(path: Path) -> dict[str, Any]:
    """Read an object that `write_sealed` wrote.

    Raises:
        OSError: it cannot be read; FileNotFoundError where it is not there.
        ValueError: it was changed, or is no such file.
    """
    if path.stat().st_size > _LARGEST:
        raise ValueError("is larger than any such file")
    try:
        content = json.loads(path.read_bytes())
    except RecursionError as error:
        raise ValueError("is nested too deep") from error
    if not isinstance(content, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004 - the file is wrong, not the call
    checksum = content.pop(_CHECKSUM, None)
    if checksum != checksum_of(content):
        raise ValueError("was changed: its checksum does not match")
    return content


def checksum_of(value: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a JSON object, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def file_checksum(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def path_within(folder: Location, name: object) -> Location | None:
    """Return a file that a note names, or None where the name leads out of the folder."""
    if not isinstance(name, str) or not name or "\0" in name:
        return None
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path == PurePosixPath():
        return None
    return folder / str(path)
