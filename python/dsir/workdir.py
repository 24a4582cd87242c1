"""Work directories: what a run has finished, and whether it may be used again.

A work directory holds `manifest.json` (the settings, inputs and units of the run that owns it) and
a folder a stage. A stage's folder holds a file per unit and, written after it, a marker of the same
number: `00012.json` says that 00012 is whole, for which settings and inputs, and what was counted.
Everything appears by an atomic rename, so whatever has its final name is whole, and a shell can see
what a run has done.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsir.atomic import UnfinishedFile, atomic_file, write_json
from dsir.errors import WorkdirError

FORMAT = 3
_LOCK = "lock"  # As in workdir_lock.
_UNFINISHED = re.compile(r"\..+\.tmp-\d+-[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task puts its result: files `path(suffix)`, then the marker. Picklable.

    Attributes:
        stem: folder and number, without a suffix.
        fingerprint: of the run; a marker with another one does not count.
        durable: results are to survive a power cut.
    """

    stem: Path
    fingerprint: str
    durable: bool = True

    def path(self, suffix: str) -> Path:
        """Return the path of the result's file with that suffix, such as ".arrow"."""
        return self.stem.with_name(self.stem.name + suffix)

    def file(self, suffix: str) -> AbstractContextManager[UnfinishedFile]:
        """Open the result's file with that suffix; it appears when the block ends."""
        return atomic_file(self.path(suffix), durable=self.durable)

    def finished(self) -> dict[str, Any] | None:
        """Return what the marker says, or None where there is no marker of this run.

        Raises:
            WorkdirError: the marker is not readable.
        """
        marker = self.path(".json")
        try:
            content = json.loads(marker.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise WorkdirError(
                f"{marker}: cannot be read ({error}); remove it to do this shard again"
            ) from error
        if not isinstance(content, dict) or content.get("fingerprint") != self.fingerprint:
            return None
        result = content.get("result")
        return result if isinstance(result, dict) else None

    def damaged(self, path: Path, why: str) -> WorkdirError:
        """Make the error for a result that is not what its marker says."""
        return WorkdirError(
            f"{path}: is damaged: {why}; remove {self.path('.json')} to do this shard again"
        )

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write the marker: the result is whole."""
        marker = {"fingerprint": self.fingerprint, "result": dict(result)}
        write_json(self.path(".json"), marker, durable=self.durable)


class Workdir:
    """A folder that belongs to one run.

    Args:
        path: the folder; made where it does not exist.
        settings: everything the results depend on, JSON values.
        inputs: the identity of every input, JSON values.
        units: how the inputs are cut into units of work, JSON values; see `stages.units`.
        durable: results are to survive a power cut.

    Raises:
        WorkdirError: the folder belongs to a run with other settings or inputs, or holds something
            else; the message says what differs.
    """

    def __init__(
        self,
        path: Path,
        settings: Mapping[str, Any],
        inputs: Mapping[str, Any],
        *,
        units: Mapping[str, Any] | None = None,
        durable: bool = True,
    ) -> None:
        self.path = path
        self.durable = durable
        manifest = {
            "format": FORMAT,
            "settings": dict(settings),
            "inputs": dict(inputs),
            "units": dict(units or {}),
        }
        # Through JSON, so that what is compared is what is on disk.
        manifest = json.loads(json.dumps(manifest))
        self.manifest: dict[str, Any] = manifest
        self.fingerprint = fingerprint_of(manifest)
        try:
            self._claim(manifest)
        except OSError as error:
            raise WorkdirError(f"{path}: cannot be used as a work directory: {error}") from error

    def _claim(self, manifest: dict[str, Any]) -> None:
        make_folder(self.path)
        file = self.path / "manifest.json"
        if file.exists():
            found = read_manifest(self.path)
            if found != manifest:
                raise WorkdirError(
                    f"{self.path}: belongs to another run: {_what_differs(found, manifest)}; "
                    "give another work directory, or remove this one"
                )
            return
        write_json(file, manifest, durable=self.durable)

    def place(self, stage: str, number: int | str) -> Place:
        """Return where a task of a stage puts its result."""
        folder = self.path / stage
        folder.mkdir(exist_ok=True)
        name = number if isinstance(number, str) else f"{number:05d}"
        return Place(folder / name, self.fingerprint, self.durable)


def make_folder(path: Path) -> None:
    """Make the folder of a work directory, unless it is there.

    Raises:
        WorkdirError: it holds something else, or cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if (path / "manifest.json").exists():
            return
        foreign = any(e.name[0] != "." and e.name != _LOCK for e in path.iterdir())
        # Another job of an array may have made it one in the meantime.
        foreign = foreign and not (path / "manifest.json").exists()
    except OSError as error:
        raise WorkdirError(f"{path}: cannot be used as a work directory: {error}") from error
    if foreign:
        raise WorkdirError(
            f"{path}: is not empty and not a work directory of dsir; give an empty or a new folder"
        )


def remove_unfinished(path: Path) -> None:
    """Remove what a run that was killed has left in a work directory under temporary names.

    For the run that holds its lock: nobody else is then at work in it.

    Raises:
        WorkdirError: it cannot be removed.
    """
    try:
        for folder in (path, *(entry for entry in path.iterdir() if entry.is_dir())):
            for entry in folder.iterdir():
                if _UNFINISHED.fullmatch(entry.name):
                    entry.unlink()
    except OSError as error:
        raise WorkdirError(f"{path}: cannot be cleared of unfinished files: {error}") from error


def read_manifest(path: Path) -> dict[str, Any]:
    """Read the manifest of a work directory.

    Raises:
        WorkdirError: there is none, or it is not readable.
    """
    file = path / "manifest.json"
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise WorkdirError(
            f"{path}: is no work directory of dsir (it has no manifest.json)"
        ) from None
    except (OSError, ValueError) as error:
        raise WorkdirError(f"{file}: cannot be read ({error})") from error
    parts = ("settings", "inputs", "units")
    if (
        not isinstance(found, dict)
        or found.get("format") != FORMAT
        or not all(isinstance(found.get(part), dict) for part in parts)
    ):
        raise WorkdirError(f"{file}: is not a manifest that this version of dsir reads")
    return found


def fingerprint_of(value: Any) -> str:
    """Return sixteen hexadecimal digits that name a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _what_differs(found: Any, wanted: Any, name: str = "") -> str:
    """Describe the first few differences between two JSON values, deepest names first."""
    differences = list(_differences(found, wanted, name))
    shown = "; ".join(differences[:3])
    more = len(differences) - 3
    return shown + (f"; and {more} more" if more > 0 else "")


def _differences(found: Any, wanted: Any, name: str) -> list[str]:
    if isinstance(found, dict) and isinstance(wanted, dict):
        if "path" in found and "path" not in wanted:
            return [f"{name} is {wanted.get('path')}, was {found['path']}"]
        result = []
        for key in sorted(found.keys() | wanted.keys()):
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
