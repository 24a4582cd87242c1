"""Work directories: what a run has finished, and whether another run may use it again.

A work directory holds `manifest.json` (the inputs and units of the run that owns it) and a folder
for each stage. A stage's folder is a work directory of its own: its manifest has the settings that
the stage depends on, so a run with other settings repeats only the stages that depend on them. The
folder holds a file for each unit and a marker, written after the file: `00012.json` says that 00012
is whole, for which settings and inputs, and what was counted. Every file appears by an atomic
rename, so a file with its final name is whole, and listing the folder shows what a run has done.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dsir.errors import WorkdirError
from dsir.remote import Folder, Location, Mirror
from dsir.storage.place import Place
from dsir.storage.sealed_json import read_sealed, write_sealed
from dsir.storage.workdir_folder import make_folder
from dsir.storage.workdir_manifest import FORMAT, fingerprint_of, read_manifest, what_differs

# Markers, and files of results: a number, or a word and a number.
_RESULT = re.compile(r"(?:[a-z]+-)*[0-9]{5,}\.(?:json|arrow|npy|groups|slices)")


def _is_marker(name: str) -> bool:
    return name.endswith(".json") and _RESULT.fullmatch(name) is not None


class _AsRead(dict[str, Any]):
    """A JSON object as it is read: the folders of all stages share those of inputs and units."""


def _as_read(value: Mapping[str, Any]) -> _AsRead:
    """Return a value through JSON, so that it compares equal to what is on disk."""
    return value if isinstance(value, _AsRead) else _AsRead(json.loads(json.dumps(dict(value))))


def check_workdir(folder: Folder, inputs: Mapping[str, Any]) -> None:
    """Raise WorkdirError when a folder cannot be the work directory of a run over these inputs.

    Nothing is written. A folder that does not exist can be one.
    """
    path = folder.local if isinstance(folder, Mirror) else folder
    if isinstance(folder, Mirror):
        folder.fetch("manifest.json")
    elif path.exists() and not path.is_dir():
        raise WorkdirError(f"{folder}: cannot be used as a work directory: is not a folder")
    if not (path / "manifest.json").exists():
        return
    found = read_manifest(folder)
    wanted = {**found, "inputs": json.loads(json.dumps(inputs))}
    if found != wanted:
        raise WorkdirError(
            f"{folder}: belongs to another run: {what_differs(found, wanted)}; "
            "give another work directory, or remove this one"
        )


class Workdir:
    """A folder that belongs to one run.

    Args:
        folder: the folder, or the mirror of one in a store; it is made if it does not exist.
        settings: everything that the results depend on, JSON values.
        inputs: the identity of every input, JSON values.
        units: how the inputs are cut into units of work, JSON values; see `stages.units`.
        durable: whether results survive a power cut.
        repeats: what to do if an earlier run had other settings or inputs. True: remove its results
            and make them again, which is for the folder of a stage. False: refuse the folder.
        keeps_results: with `repeats`, leave the earlier results where they are. Their markers do
            not count, but whoever knows their fingerprint can still read them.

    Attributes:
        resumed: whether the folder already belonged to a run with these settings and inputs.

    Raises:
        WorkdirError: the folder belongs to a run with other settings or inputs, unless `repeats`,
            or it is not a work directory. The message says what differs.
    """

    def __init__(
        self,
        folder: Folder,
        settings: Mapping[str, Any],
        inputs: Mapping[str, Any],
        *,
        units: Mapping[str, Any] | None = None,
        durable: bool = True,
        repeats: bool = False,
        keeps_results: bool = False,
    ) -> None:
        self.folder = folder
        self.mirror = folder if isinstance(folder, Mirror) else None
        self.path = folder.local if isinstance(folder, Mirror) else folder
        self._fetched = False
        self.durable = durable
        manifest: dict[str, Any] = {
            "format": FORMAT,
            "settings": _as_read(settings),
            "inputs": _as_read(inputs),
            "units": _as_read(units or {}),
        }
        self.manifest = manifest
        self.fingerprint = fingerprint_of(manifest)
        self.resumed = False
        try:
            self._claim(manifest, repeats, keeps_results)
        except OSError as error:
            raise WorkdirError(f"{folder}: cannot be used as a work directory: {error}") from error

    def _claim(self, manifest: dict[str, Any], repeats: bool, keeps_results: bool) -> None:
        make_folder(self.folder)
        file = self.path / "manifest.json"
        if self.mirror is not None:
            self.mirror.fetch(file.name)
        if file.exists():
            found = read_manifest(self.folder)
            if found == manifest:
                self.resumed = True
                return
            if not repeats:
                raise WorkdirError(
                    f"{self.folder}: belongs to another run: {what_differs(found, manifest)}; "
                    "give another work directory, or remove this one"
                )
        # Markers of earlier settings have another fingerprint and no longer count.
        write_sealed(file, manifest, durable=self.durable)
        if self.mirror is not None:
            self.mirror.upload(file)
        elif not keeps_results:
            self._remove_results()

    def _remove_results(self) -> None:
        """Remove the results of a run with other settings: markers first, then their files."""
        names = [entry.name for entry in self.path.iterdir() if _RESULT.fullmatch(entry.name)]
        for name in sorted(names, key=lambda name: not name.endswith(".json")):
            (self.path / name).unlink(missing_ok=True)

    def stage(self, name: str, settings: Mapping[str, Any]) -> Workdir:
        """Open the folder of a stage over the same inputs.

        Args:
            name: the name of the folder.
            settings: what the stage depends on, JSON values. If they differ from the settings of an
                earlier run, its results no longer count.

        Raises:
            WorkdirError: the folder cannot be used.
        """
        return Workdir(
            self.folder / name,
            settings,
            self.manifest["inputs"],
            units=self.manifest["units"],
            durable=self.durable,
            repeats=True,
        )

    def stage_settings(self, stage: str) -> dict[str, Any] | None:
        """Return the settings in the manifest of a stage's folder; None when there is none.

        Raises:
            WorkdirError: the manifest was changed, or cannot be read.
        """
        manifest = self.stage_manifest(stage)
        settings: dict[str, Any] | None = None if manifest is None else manifest["settings"]
        return settings

    def stage_manifest(self, stage: str) -> dict[str, Any] | None:
        """Return the manifest of a stage's folder; None when there is none.

        Raises:
            WorkdirError: the manifest was changed, or is not readable.
        """
        if self.mirror is not None:
            (self.mirror / stage).fetch("manifest.json")
        if not (self.path / stage / "manifest.json").exists():
            return None
        return read_manifest(self.folder / stage)

    def results(self, stage: str) -> Iterator[dict[str, Any]]:
        """Yield what the markers in a stage's folder say, of any run; damaged ones are left out."""
        folder = self.path / stage
        if self.mirror is not None:
            (self.mirror / stage).fetch_all(_is_marker)
        for name in sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else ():
            if _is_marker(name):
                with contextlib.suppress(OSError, ValueError):
                    result = read_sealed(folder / name).get("result")
                    if isinstance(result, dict):
                        yield result

    def location(self, name: str) -> Location:
        """Return where a file of the whole run belongs: in the store, if there is one."""
        return (self.path if self.mirror is None else self.mirror.remote) / name

    def keep(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a sealed JSON object to the folder, unless the same object is there."""
        path = self._noted(name)
        value = json.loads(json.dumps(dict(value)))  # As a reader gets it.
        with contextlib.suppress(OSError, ValueError):
            if read_sealed(path) == value:
                return
        write_sealed(path, value, durable=self.durable and self.mirror is None)
        if self.mirror is not None:
            self.mirror.upload(path)

    def kept(self, name: str) -> dict[str, Any] | None:
        """Return the object that `keep` wrote; None if there is none.

        Raises:
            WorkdirError: the object was changed.
        """
        path = self._noted(name)
        try:
            return read_sealed(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise WorkdirError(
                f"{self.location(name)}: cannot be read ({error}); remove it"
            ) from error

    def _noted(self, name: str) -> Path:
        """Return the path of a note; another machine may have written it a moment ago."""
        if self.mirror is None:
            return self.path / name
        return self.mirror.fetch(name, fresh=True)

    def place(self, number: int | str) -> Place:
        """Return where the task of a unit, given by number or name, puts its result."""
        if self.mirror is not None and not self._fetched:
            # Only the markers: whoever needs a result fetches it.
            self.mirror.fetch_all(_is_marker)
            self._fetched = True
        name = number if isinstance(number, str) else f"{number:05d}"
        # The store has the results, so their copy here need not survive a power cut.
        durable = self.durable and self.mirror is None
        return Place(self.path, name, self.fingerprint, durable, self.mirror)
