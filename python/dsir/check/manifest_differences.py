"""How the manifests of two runs differ that should have made the same selection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from dsir.check.json_differences import differences
from dsir.output.manifest import Manifest


def manifest_differences(manifest: Manifest, derived: Manifest) -> Iterator[str]:
    """Say how settings, accounts and inputs of a selection differ from those of one made again.

    Args:
        manifest: the manifest of the selection.
        derived: that of the selection made again.
    """
    for name in ("model", "metrics", "outputs", "settings"):
        for one in differences(manifest.content.get(name), derived.content.get(name), name):
            yield f"{one.name} is {one.one}; made again it is {one.other}"
    files = [_rows_by_file(one) for one in (manifest, derived)]
    for one in differences(files[0], files[1], "rows of the file"):
        yield f"{one.name} were {one.one}; made again they are {one.other}"
    was, now = (_skipped(one) for one in (manifest, derived))
    for one in differences(was, now, "skipped"):
        yield f"{one.name} is {one.one}; made again it is {one.other}"
    for name in ("raw", "target", "negatives"):
        was, now = (_rows_read(one, name) for one in (manifest, derived))
        for one in differences(was, now, name):
            yield f"rows read of {one.name} were {one.one}; made again they are {one.other}"


def version_differences(manifest: Manifest, derived: Manifest) -> Iterator[str]:
    """Say which libraries had another version when the selection was made again."""
    versions = manifest.content.get("versions")
    for one in differences(versions, derived.content["versions"]):
        yield f"{one.name} was {one.one}; made again with {one.other}"


def _skipped(manifest: Manifest) -> list[Any]:
    """Return the skipped rows and files, files without their folders, which may differ."""
    entries = []
    for entry in manifest.content["skipped"]:
        if isinstance(entry, dict) and isinstance(entry.get("path"), str):
            path = entry["path"]
            name = PurePath(path).name
            entry = {**entry, "path": name, "reason": str(entry.get("reason")).replace(path, name)}
        entries.append(entry)
    return entries


def _rows_by_file(manifest: Manifest) -> dict[str, int]:
    return {name: account.rows for name, account in manifest.files.items()}


def _rows_read(manifest: Manifest, name: str) -> Any:
    """Return the number of rows read from every input file or table."""

    def rows_of(entry: Any) -> Any:
        if isinstance(entry, dict) and isinstance(entry.get("shards"), list):
            return [rows_of(shard) for shard in entry["shards"]]
        return entry.get("rows") if isinstance(entry, dict) else None

    found = manifest.content["inputs"].get(name)
    return [rows_of(entry) for entry in found] if isinstance(found, list) else None
