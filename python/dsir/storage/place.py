"""Where a task puts its result, and how the result is found and checked again."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsir.errors import WorkdirError
from dsir.remote import Location, Mirror
from dsir.storage.atomic import UnfinishedFile, atomic_file
from dsir.storage.marker import Marker
from dsir.storage.sealed_json import file_checksum, read_sealed, write_sealed

# Suffixes of a task's results; a marker can name no other files.
_SUFFIXES = (".arrow", ".npy")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task puts its result: files `path(suffix)`, then the marker. Picklable.

    A run of a million units has as many places, which share their folder.

    Attributes:
        folder: the folder.
        name: the number, or a word and a number: names of files without a suffix.
        fingerprint: names the run; a marker with another fingerprint does not count.
        durable: whether results survive a power cut.
        mirror: the mirror of a store that `folder` lies in; None if it is not in a store.
    """

    folder: Path
    name: str
    fingerprint: str
    durable: bool = True
    mirror: Mirror | None = None

    @classmethod
    def at(
        cls, stem: Path, fingerprint: str, durable: bool = True, mirror: Mirror | None = None
    ) -> Place:
        """Return the place of a path without a suffix."""
        return cls(stem.parent, stem.name, fingerprint, durable, mirror)

    def beside(self, name: str) -> Place:
        """Return the place of another name in the same folder, of the same run."""
        return Place(self.folder, name, self.fingerprint, self.durable, self.mirror)

    @property
    def stem(self) -> Path:
        """Folder and name, without a suffix."""
        return self.folder / self.name

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        # Of a folder in a store, the mirror says where its copy is in another process.
        if self.mirror is None:
            return (Place, (self.folder, self.name, self.fingerprint, self.durable))
        return (_place_in, (self.mirror, self.name, self.fingerprint, self.durable))

    def path(self, suffix: str) -> Path:
        """Return the path of the result's file with a suffix such as ".arrow"."""
        return self.folder / f"{self.name}{suffix}"

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
        found = self._read()
        if found is None:
            return None
        files, result = found
        for suffix in files:
            if files[suffix] is not None and suffix in _SUFFIXES:
                self.fetched(suffix)
        for suffix, checksum in self._checksums().items():
            if files.get(suffix) != checksum:
                why = "it is missing" if checksum is None else "its checksum does not match"
                raise self.damaged(self.path(suffix), why)
        return Marker(result, functools.partial(self.damaged, marker))

    def noted(self) -> Marker | None:
        """Return the same as `finished`, and do not read the files that the marker names.

        For those who leave the files to others, who check them.

        Raises:
            WorkdirError: the marker was changed or cannot be read.
        """
        found = self._read()
        if found is None:
            return None
        return Marker(found[1], functools.partial(self.damaged, self.path(".json")))

    def _read(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the checksums and the result in the marker; None if there is none of this run."""
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
        return files, result

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

    def remove(self, suffix: str) -> None:
        """Remove the result's file with a suffix, if there is one, here and in the store."""
        path = self.path(suffix)
        path.unlink(missing_ok=True)
        if self.mirror is not None:
            (self.mirror.remote / path.name).unlink(missing_ok=True)

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
    return Place(mirror.local, name, fingerprint, durable, mirror)
