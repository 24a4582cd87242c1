"""The manifest of a work directory, and what tells one run from another."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from dsir.errors import WorkdirError
from dsir.remote import Folder, Mirror
from dsir.storage.sealed_json import read_sealed

FORMAT = 5
# What the identity of a file says about its content; the rest says how the file is read.
_OF_CONTENT = ("size", "mtime_ns", "version", "footer")
# A model that an input is read with, and the digest of its file.
_OF_MODEL = ("language_model", "language_digest")
_NO_FOLDER = "there is no such folder"


def read_manifest(folder: Folder) -> dict[str, Any]:
    """Read the manifest of a work directory.

    Args:
        folder: the folder; or its mirror, which has fetched the manifest and names it in errors.

    Raises:
        WorkdirError: there is no manifest, it was changed, or it cannot be read.
    """
    path, named = folder, f"{folder}/manifest.json"
    if isinstance(path, Mirror):
        path = path.local
    try:
        found = read_sealed(path / "manifest.json")
    except FileNotFoundError:
        there = path.is_dir()
        why = "is not a work directory of dsir (it has no manifest.json)" if there else _NO_FOLDER
        raise WorkdirError(f"{folder}: {why}") from None
    except (OSError, ValueError) as error:
        raise WorkdirError(
            f"{named}: cannot be read ({error}); remove the folder {folder} to do its work again"
        ) from error
    if found.get("format") != FORMAT or not _is_manifest(found):
        raise WorkdirError(
            f"{named}: this version of dsir cannot read this manifest; use the version that wrote "
            "it, or another work directory"
        )
    return found


def _is_manifest(found: dict[str, Any]) -> bool:
    """Tell whether a manifest has settings, inputs and units, each of its type."""
    settings, inputs, units = found.get("settings"), found.get("inputs"), found.get("units")
    if not (isinstance(settings, dict) and isinstance(inputs, dict) and isinstance(units, dict)):
        return False
    raw = inputs.get("raw", [])
    return isinstance(raw, list) and all(isinstance(shard, dict) for shard in raw)


def fingerprint_of(value: Any) -> str:
    """Return 16 hexadecimal digits that identify a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def what_differs(found: Any, wanted: Any, name: str = "") -> str:
    """Describe the first three differences between two JSON values.

    A value is named by its path in the JSON, e.g. settings.n, and a file that has changed by its
    own path.
    """
    differences = list(dict.fromkeys(_differences(found, wanted, name)))
    shown = "; ".join(differences[:3])
    more = len(differences) - 3
    return shown + (f"; and {more} more" if more > 0 else "")


def _changes_of_file(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Say that the content of a file has changed, if it has."""
    if all(found.get(key) == wanted.get(key) for key in _OF_CONTENT):
        return []
    if found.get("size") == wanted.get("size"):
        return [f"{found['path']} has been written to since, and has the same size"]
    sizes = f"{_bytes(wanted.get('size'))}, was {_bytes(found.get('size'))}"
    return [f"{found['path']} has changed since: its size is {sizes}"]


def _bytes(size: object) -> str:
    return f"{size:,} bytes" if isinstance(size, int) else str(size)


def _differences(found: Any, wanted: Any, name: str) -> list[str]:
    if isinstance(found, dict) and isinstance(wanted, dict):
        if "path" in found and "path" not in wanted:
            return [f"{name} is {wanted.get('path')}, was {found['path']}"]
        result = []
        if "path" in found and found["path"] == wanted["path"]:
            name = found["path"]
            result = _changes_of_file(found, wanted)
            left_out: tuple[str, ...] = _OF_CONTENT
            model, digest = _OF_MODEL
            if found.get(model) == wanted.get(model) and found.get(digest) != wanted.get(digest):
                result += [f"{found[model]} has changed since"]
                left_out += (digest,)
            found = {key: value for key, value in found.items() if key not in left_out}
            wanted = {key: value for key, value in wanted.items() if key not in left_out}
        # The path first: it says more than the footer or the time of last change.
        for key in sorted(found.keys() | wanted.keys(), key=lambda key: (key != "path", key)):
            inner = f"{name}.{key}" if name else key
            if found.get(key) != wanted.get(key):
                result += _differences(found.get(key), wanted.get(key), inner)
        return result
    if isinstance(found, list) and isinstance(wanted, list):
        if len(found) != len(wanted):
            return [f"{name} are {len(wanted)}, were {len(found)}"]
        return [
            line
            for i, (one, other) in enumerate(zip(found, wanted, strict=True))
            if one != other
            for line in _differences(one, other, f"{name}[{i}]")
        ]
    return [f"{name} is {json.dumps(wanted)}, was {json.dumps(found)}"]
