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
import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsir.errors import WorkdirError
from dsir.remote import Folder, Location, Mirror
from dsir.storage.atomic import UnfinishedFile, atomic_file
from dsir.storage.marker import Marker
from dsir.storage.sealed_json import file_checksum, read_sealed, write_sealed

FORMAT = 5
_NO_FOLDER = "there is no such folder"
_LOCK = "lock"  # As in workdir_lock.
# Workers of a planned run that start late write to these at any time; see `storage.workers`.
FOLDERS_OF_WORKERS = ("workers", "claims")
_UNFINISHED = re.compile(r"\..+\.tmp-\d+-[0-9a-f]+")
# Markers, and files of results: a number, or a word and a number.
_RESULT = re.compile(r"(?:[a-z]+-)*[0-9]{5,}\.(?:json|arrow|npy|groups)")
# Suffixes of a task's results; a marker can name no other files.
_SUFFIXES = (".arrow", ".npy")


def _is_marker(name: str) -> bool:
    return name.endswith(".json") and _RESULT.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task puts its result: files `path(suffix)`, then the marker. Picklable.

    Attributes:
        stem: folder and number, without a suffix.
        fingerprint: names the run; a marker with another fingerprint does not count.
        durable: whether results survive a power cut.
        mirror: the mirror of a store that `stem` lies in; None if the folder is not in a store.
    """

    stem: Path
    fingerprint: str
    durable: bool = True
    mirror: Mirror | None = None

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        # Of a folder in a store, the mirror says where its copy is in another process.
        if self.mirror is None:
            return (Place, (self.stem, self.fingerprint, self.durable))
        return (_place_in, (self.mirror, self.stem.name, self.fingerprint, self.durable))

    def path(self, suffix: str) -> Path:
        """Return the path of the result's file with a suffix such as ".arrow"."""
        return self.stem.with_name(self.stem.name + suffix)

    def fetched(self, suffix: str) -> Path:
        """Return the same path, for reading: a file that is only in the store is fetched first.

        Raises:
            WorkdirError: the store cannot be read.
        """
        path = self.path(suffix)
        return path if self.mirror is None else self.mirror.fetch(path.name)

    @contextmanager
    def file(self, suffix: str) -> Iterator[UnfinishedFile]:
        """Open the result's file with a suffix; the file appears when the block ends."""
        with atomic_file(self.path(suffix), durable=self.durable) as file:
            yield file
        if self.mirror is not None:
            self.mirror.upload(self.path(suffix))

    def finished(self) -> Marker | None:
        """Return the result in the marker, or None if there is no marker of this run.

        Raises:
            WorkdirError: the marker, or a file that it names, was changed or cannot be read.
        """
        marker = self.path(".json")
        if self.mirror is not None:
            self.mirror.fetch(marker.name, listed=True)
        try:
            content = read_sealed(marker)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise WorkdirError(
                f"{self.named(marker)}: cannot be read ({error}); remove it to do this shard again"
            ) from error
        if content.get("fingerprint") != self.fingerprint:
            return None
        files, result = content.get("files"), content.get("result")
        if not isinstance(files, dict) or not isinstance(result, dict):
            raise self.damaged(marker, "it is not as it was written")
        for suffix in files:
            if files[suffix] is not None and suffix in _SUFFIXES:
                self.fetched(suffix)
        for suffix, checksum in self._checksums().items():
            if files.get(suffix) != checksum:
                why = "it is missing" if checksum is None else "its checksum does not match"
                raise self.damaged(self.path(suffix), why)
        return Marker(result, functools.partial(self.damaged, marker))

    def is_marked(self, *, fresh: bool = False) -> bool:
        """Tell whether there is a marker of this run; the files that it names are not checked.

        Args:
            fresh: ask the store, if the folder is in one, and not its last listing.
        """
        path = self.path(".json")
        if self.mirror is not None:
            self.mirror.fetch(path.name, fresh=fresh, listed=not fresh)
        try:
            return read_sealed(path).get("fingerprint") == self.fingerprint
        except (OSError, ValueError):  # Whoever needs the result reports what is wrong with it.
            return False

    def _checksums(self) -> dict[str, str | None]:
        """Return the checksum of every file of the result; None for a file that does not exist."""
        found: dict[str, str | None] = {}
        for suffix in _SUFFIXES:
            path = self.path(suffix)
            try:
                found[suffix] = file_checksum(path)
            except FileNotFoundError:
                found[suffix] = None
            except OSError as error:
                raise self.damaged(path, str(error)) from error
        return found

    def damaged(self, path: Path, why: str) -> WorkdirError:
        """Return the error for a result that differs from what its marker says."""
        return WorkdirError(
            f"{self.named(path)}: is damaged: {why}; "
            f"remove {self.named(self.path('.json'))} to do this shard again"
        )

    def named(self, path: Path) -> Location:
        """Return the location of a file for messages: where the user finds it."""
        if self.mirror is None:
            return path
        return self.mirror.remote / path.relative_to(self.mirror.local)

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write the marker, which says that the result is whole."""
        # Through JSON, so that the checksum covers exactly what a reader gets.
        content = json.loads(json.dumps(dict(result)))
        marker = {
            "fingerprint": self.fingerprint,
            "files": self._checksums(),
            "result": content,
        }
        write_sealed(self.path(".json"), marker, durable=self.durable)
        if self.mirror is not None:
            self.mirror.upload(self.path(".json"))


def _place_in(mirror: Mirror, name: str, fingerprint: str, durable: bool) -> Place:
    return Place(mirror.local / name, fingerprint, durable, mirror)


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
            f"{folder}: belongs to another run: {_what_differs(found, wanted)}; "
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
        manifest = {
            "format": FORMAT,
            "settings": dict(settings),
            "inputs": dict(inputs),
            "units": dict(units or {}),
        }
        # Through JSON, so that it compares equal to what is on disk.
        manifest = json.loads(json.dumps(manifest))
        self.manifest: dict[str, Any] = manifest
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
                    f"{self.folder}: belongs to another run: {_what_differs(found, manifest)}; "
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
        return Place(self.path / name, self.fingerprint, durable, self.mirror)


def local_copy(folder: Folder, wanted: Callable[[str], bool] = lambda _: True) -> Path:
    """Return the path of a work directory on this machine; files in a store are fetched first.

    Args:
        folder: the folder, or its mirror.
        wanted: tells by its name whether a file is needed.

    Raises:
        WorkdirError: the folder in the store is not a work directory, or the store does not answer.
    """
    if not isinstance(folder, Mirror):
        return folder
    # Do not fetch the files of a folder that is not a work directory.
    if "manifest.json" not in folder.names():
        raise WorkdirError(f"{folder}: is not a work directory of dsir (it has no manifest.json)")
    folder.fetch_all(wanted)
    return folder.local


def is_new(folder: Folder) -> bool:
    """Tell whether a work directory has nothing in it yet, or does not exist.

    Raises:
        WorkdirError: the folder cannot be read.
    """
    path = folder.local if isinstance(folder, Mirror) else folder
    try:
        return not path.exists() or not any(name != _LOCK for name in _names(folder))
    except OSError as error:
        raise WorkdirError(f"{folder}: cannot be used as a work directory: {error}") from error


def make_folder(folder: Folder) -> None:
    """Make the folder of a work directory, unless it exists.

    Raises:
        WorkdirError: the folder holds something else, or cannot be made.
    """
    path = folder.local if isinstance(folder, Mirror) else folder
    try:
        path.mkdir(parents=True, exist_ok=True)
        foreign = [name for name in _names(folder) if name[0] != "." and name != _LOCK]
        # Another job of an array may have made it a work directory in the meantime: list it again.
        if foreign and "manifest.json" not in {*foreign, *_names(folder)}:
            raise WorkdirError(
                f"{folder}: is not empty and not a work directory of dsir; "
                "give an empty or a new folder"
            )
    except OSError as error:
        raise WorkdirError(f"{folder}: cannot be used as a work directory: {error}") from error


def _names(folder: Folder) -> list[str]:
    if isinstance(folder, Mirror):
        return folder.names()
    return [entry.name for entry in folder.iterdir()]


def remove_unfinished(folder: Folder) -> None:
    """Remove the files that a killed run left in a work directory under temporary names.

    Only the run that holds the lock may call this: then no other run is writing. A store has no
    unfinished files.

    Raises:
        WorkdirError: a file cannot be removed.
    """
    if isinstance(folder, Mirror):
        return
    try:
        stages = (
            entry
            for entry in folder.iterdir()
            if entry.is_dir() and entry.name not in FOLDERS_OF_WORKERS
        )
        for place in (folder, *stages):
            for entry in place.iterdir():
                if _UNFINISHED.fullmatch(entry.name):
                    entry.unlink()
    except OSError as error:
        raise WorkdirError(f"{folder}: cannot remove unfinished files: {error}") from error


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


def _what_differs(found: Any, wanted: Any, name: str = "") -> str:
    """Describe the first three differences between two JSON values, by the path of each value."""
    differences = list(_differences(found, wanted, name))
    shown = "; ".join(differences[:3])
    more = len(differences) - 3
    return shown + (f"; and {more} more" if more > 0 else "")


def _differences(found: Any, wanted: Any, name: str) -> list[str]:
    if isinstance(found, dict) and isinstance(wanted, dict):
        if "path" in found and "path" not in wanted:
            return [f"{name} is {wanted.get('path')}, was {found['path']}"]
        result = []
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
