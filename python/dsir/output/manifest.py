"""selection.json: how a selection was made, and the checksums of its files and of itself.

Its content depends only on inputs, settings, seed and the version of dsir. A selection.json may
have been edited or damaged, so nothing in it is trusted before it is checked.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from dsir import _core
from dsir.corpus import Shard
from dsir.errors import OutputError
from dsir.formats import FORMATS
from dsir.output.folder import SELECTION_FILE, what_is_in
from dsir.output.writer import FileAccount
from dsir.remote import Location, within
from dsir.remote.read_errors import translated
from dsir.remote.reading import open_bytes
from dsir.storage.atomic import json_bytes, write_json
from dsir.version import __version__

FORMAT = 3

_WRITTEN = [one.suffixes[0] for one in FORMATS if one.suffixes]
# The names that files of a selection may have. None leads out of its folder.
_FILE = re.compile(
    rf"data/part-\d{{5,9}}({'|'.join(re.escape(suffix) for suffix in _WRITTEN)})"
    r"|_dsir/(weights|rows)/part-\d{5,9}\.arrow|_dsir/(rejects|contaminated)\.jsonl|_dsir/model\.dsir"
    r"|\.huggingface\.yaml"
)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST = 1 << 30  # Bytes of the largest manifest that is read: millions of skipped rows.


@dataclass(frozen=True, slots=True)
class Manifest:
    """A selection.json that was read.

    Attributes:
        folder: the folder of the selection.
        content: the JSON object, with the types that the properties below need.
        files: the account of every file, by name.
        problems: what is wrong with the manifest, in words; empty if it is as it was written.
    """

    folder: Location
    content: dict[str, Any]
    files: dict[str, FileAccount]
    problems: list[str] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the run."""
        settings: dict[str, Any] = self.content["settings"]
        return settings

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The inputs that rows were selected from, by number."""
        raw: list[dict[str, Any]] = self.content["inputs"]["raw"]
        return raw

    @property
    def parts(self) -> list[str]:
        """The files with the rows, in order, from the folder."""
        outputs: list[str] = self.content["outputs"]
        return outputs


def described_input(shard: Shard, rows: int) -> dict[str, Any]:
    """Return the manifest's entry for an input: its identity, and how many rows were read.

    Args:
        shard: the input.
        rows: the rows that were read; with chunks, the windows.
    """
    return {**shard.identity(), "rows": rows}


def manifest_of(
    folder: Location, content: Mapping[str, Any], files: Sequence[FileAccount]
) -> dict[str, Any]:
    """Return the content of selection.json, with its checksum.

    Args:
        folder: the folder of the selection.
        content: everything but the files and the checksum, JSON values.
        files: the files of the output.
    """
    described = {
        within(one.path, folder): {
            "bytes": one.bytes,
            "rows": one.rows,
            "sha256": one.sha256,
        }
        for one in files
    }
    whole = {"format": FORMAT, "versions": versions(), **content, "files": described}
    return {**whole, "checksum": _checksum(whole)}


def write_manifest(folder: Location, manifest: Mapping[str, Any]) -> None:
    """Write selection.json.

    Args:
        folder: the folder of the selection.
        manifest: its content, as `manifest_of` returns it.

    Raises:
        OSError: the file cannot be written.
    """
    write_json(folder / SELECTION_FILE, manifest)


def checksum_in(folder: Location) -> str | None:
    """Return the checksum that a selection.json gives of itself; None if it gives none.

    Raises:
        OSError: the file cannot be read; FileNotFoundError if there is none.
    """
    with open_bytes(folder / SELECTION_FILE) as file:
        data = file.read(_LARGEST + 1)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    checksum = found.get("checksum") if isinstance(found, dict) else None
    return checksum if isinstance(checksum, str) else None


def read_selection_file(folder: Location) -> Manifest:
    """Read the selection.json of a folder.

    `problems` lists what is wrong with it. If its content cannot be used at all, the manifest has
    nothing but these problems.

    Raises:
        OutputError: there is no selection, or its format is that of another version.
        StoreError: its store does not answer.
    """
    path = folder / SELECTION_FILE
    with translated(lambda error: _no_manifest(folder, error)), open_bytes(path) as file:
        data = file.read(_LARGEST + 1)
    try:
        content = json.loads(data) if len(data) <= _LARGEST else "too long"
    except (ValueError, RecursionError) as error:
        return _unreadable(folder, f"is not JSON: {error}")
    if not isinstance(content, dict):
        return _unreadable(folder, "is not a manifest")
    problems = []
    checksum = content.pop("checksum", None)
    try:
        as_written = json_bytes({**content, "checksum": checksum}) == data
        sealed = checksum == _checksum(content)
    except (ValueError, RecursionError):  # NaN, which JSON does not have.
        as_written = sealed = False
    if content.get("format") != FORMAT and (sealed or content.get("format") in (1, 2)):
        raise OutputError(
            f"{path}: has format {content.get('format')!r}, but this version of dsir reads format "
            f"{FORMAT}; select again, or use the version of dsir that wrote it"
        )
    if not sealed:
        problems.append("was changed after it was written: its checksum does not match")
    elif not as_written:
        problems.append("was changed after it was written: same content, but other bytes")
    problems += _wrong_types(content)
    if problems and not _usable(content):
        return _unreadable(folder, *problems)
    files, refused = _files_of(folder, content["files"])
    problems += refused
    listed = content["outputs"]
    problems += [
        f"lists the part {name!r:.80}, but `files` does not describe it"
        for name in listed
        if name not in files
    ]
    return Manifest(folder, content, files, problems)


def versions() -> dict[str, Any]:
    """Return the versions that a selection depends on, for its manifest."""
    return {
        "dsir": __version__,
        "unicode": _core.UNICODE_VERSION,
        "fast_hash": _core.FAST_HASH_VERSION,
    }


def _no_manifest(folder: Location, error: Exception) -> OutputError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        if (folder / PurePosixPath(SELECTION_FILE).name).is_file():
            return OutputError(
                f"{folder}: holds a selection in the layout of an earlier version of dsir; "
                "select again, or use the version of dsir that wrote it"
            )
        other = what_is_in(folder)
        if other is not None:
            return OutputError(f"{folder}: holds {other}, and no selection")
        if isinstance(folder, Path) and not folder.is_dir():  # Stores have no folders.
            return OutputError(f"{folder}: there is no such folder; give that of a selection")
        return OutputError(
            f"{folder}: holds no selection (it has no {SELECTION_FILE}); give the folder that "
            "dsir select wrote to"
        )
    reason = getattr(error, "strerror", None) or error
    return OutputError(f"{folder / SELECTION_FILE}: cannot be read: {reason}")


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json_bytes(content)).hexdigest()


def _unreadable(folder: Location, *problems: str) -> Manifest:
    nothing = {"settings": {}, "inputs": {"raw": []}, "outputs": []}
    return Manifest(folder, nothing, {}, list(problems))


_JSON_NAMES = {dict: "an object", list: "an array", str: "a string"}
_TYPES = {
    "versions": dict,
    "settings": dict,
    "inputs": dict,
    "model": str,
    "metrics": dict,
    "outputs": list,
    "skipped": list,
    "files": dict,
}


def _wrong_types(content: dict[str, Any]) -> list[str]:
    problems = [
        f"has no {name!r}, or one that is not {_JSON_NAMES[kind]}"
        for name, kind in _TYPES.items()
        if not isinstance(content.get(name), kind)
    ]
    if not problems and not _usable(content):
        problems.append("lists its inputs or outputs in an unknown form")
    return problems


def _usable(content: dict[str, Any]) -> bool:
    """Tell whether the content has the types that all readers of a manifest rely on."""
    if any(not isinstance(content.get(name), kind) for name, kind in _TYPES.items()):
        return False
    raw = content["inputs"].get("raw")
    return (
        isinstance(raw, list)
        and all(isinstance(entry, dict) for entry in raw)
        and all(isinstance(name, str) for name in content["outputs"])
    )


def _files_of(
    folder: Location, described: dict[str, Any]
) -> tuple[dict[str, FileAccount], list[str]]:
    """Return the accounts of the files, and the problems of entries that are refused."""
    files: dict[str, FileAccount] = {}
    problems = []
    for name, entry in described.items():
        if not _FILE.fullmatch(name):
            problems.append(f"names a file {name!r:.80}, which no selection has")
            continue
        if not isinstance(entry, dict) or not _SHA256.fullmatch(str(entry.get("sha256"))):
            problems.append(f"has no valid sha256 for {name}")
            continue
        size, rows = entry.get("bytes"), entry.get("rows")
        # Not isinstance: True is an int.
        if type(size) is not int or type(rows) is not int or size < 0 or rows < 0:
            problems.append(f"has no valid bytes or rows for {name}")
            continue
        files[name] = FileAccount(folder / name, size, rows, entry["sha256"])
    return files, problems
