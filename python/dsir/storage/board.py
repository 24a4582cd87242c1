"""Small JSON files that the workers of a run leave for each other, in a folder or in a store.

Nothing depends on their being whole or in order: a file that cannot be read says nothing.
"""

from __future__ import annotations

import abc
import contextlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dsir.remote import Folder, Mirror, RemotePath
from dsir.storage.atomic import write_json

_LONGEST = 1 << 16  # Characters to read of a file.


class Board(abc.ABC):
    """The files, by their paths in the work directory.

    Attributes:
        beat: seconds between two writes of a worker's file.
    """

    beat: float

    @abc.abstractmethod
    def make(self, folder: str) -> None:
        """Make a folder, unless it exists."""

    @abc.abstractmethod
    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a file, and set the clock of `now` by it."""

    @abc.abstractmethod
    def create(self, name: str, value: Mapping[str, Any]) -> bool:
        """Write a file unless there is one, and tell whether it was written.

        Where this cannot be done in one step, two workers at a time may both be told so.
        """

    @abc.abstractmethod
    def replace(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a file in the place of another."""

    @abc.abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file, if there is one."""

    @abc.abstractmethod
    def read(self, name: str) -> dict[str, Any]:
        """Return what a file says; nothing if it cannot be read."""

    @abc.abstractmethod
    def changed(self, name: str) -> float | None:
        """Return when a file was written, in seconds; None if there is none."""

    @abc.abstractmethod
    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder, sorted."""

    @abc.abstractmethod
    def now(self) -> float:
        """Return the time by the clock that `changed` goes by."""


def board_of(folder: Folder) -> Board:
    """Return the board of a work directory."""
    return _StoreBoard(folder.remote) if isinstance(folder, Mirror) else _FolderBoard(folder)


class _Clock:
    """A clock of another machine, known by the times that it gives to files."""

    def __init__(self) -> None:
        self._at = time.time()
        self._then = time.monotonic()

    def set(self, at: float) -> None:
        self._at, self._then = at, time.monotonic()

    def now(self) -> float:
        return self._at + time.monotonic() - self._then


class _FolderBoard(Board):
    beat = 2.0

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clock = _Clock()

    def make(self, folder: str) -> None:
        (self._folder / folder).mkdir(exist_ok=True)

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        path = self._folder / name
        write_json(path, value, durable=False)
        # A file server has a clock of its own, which gives files their times.
        self._clock.set(path.stat().st_mtime)

    def create(self, name: str, value: Mapping[str, Any]) -> bool:
        try:
            with (self._folder / name).open("x", encoding="utf-8") as file:
                file.write(json.dumps(value))
        except FileExistsError:
            return False
        return True

    def replace(self, name: str, value: Mapping[str, Any]) -> None:
        path = self._folder / name
        temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}-{secrets.token_hex(4)}")
        temporary.write_text(json.dumps(value), encoding="utf-8")
        temporary.replace(path)

    def remove(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def read(self, name: str) -> dict[str, Any]:
        try:
            with (self._folder / name).open(encoding="utf-8", errors="replace") as file:
                found = json.loads(file.read(_LONGEST))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def changed(self, name: str) -> float | None:
        try:
            return (self._folder / name).stat().st_mtime
        except OSError:
            return None

    def names(self, folder: str) -> list[str]:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return sorted(
                one.name for one in (self._folder / folder).iterdir() if one.name[0] != "."
            )
        return []

    def now(self) -> float:
        return self._clock.now()


class _StoreBoard(Board):
    # Each write is a request that is paid for.
    beat = 10.0

    def __init__(self, folder: RemotePath) -> None:
        self._folder = folder
        self._clock = _Clock()

    def make(self, folder: str) -> None:
        """Do nothing: a folder exists as soon as a file is in it."""

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        self.replace(name, value)
        state = (self._folder / name).state()
        if state is not None and state.changed:
            self._clock.set(state.changed)

    def create(self, name: str, value: Mapping[str, Any]) -> bool:
        place = self._folder / name
        with self._file(value) as local:
            created = place.store.create(local, place.key)
            if created is None:
                # The store cannot do it in one step. A claim is a hint, so looking first will do.
                if place.is_file():
                    return False
                place.upload(local)
                return True
        return created

    def replace(self, name: str, value: Mapping[str, Any]) -> None:
        with self._file(value) as local:
            (self._folder / name).upload(local)

    def remove(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def read(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self._folder / name).read_bytes()[:_LONGEST])
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def changed(self, name: str) -> float | None:
        state = (self._folder / name).state()
        return None if state is None else state.changed

    def names(self, folder: str) -> list[str]:
        return sorted(one.name for one in (self._folder / folder).iterdir())

    def now(self) -> float:
        return self._clock.now()

    @contextlib.contextmanager
    def _file(self, value: Mapping[str, Any]) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="dsir-") as folder:
            path = Path(folder) / "value"
            path.write_text(json.dumps(value), encoding="utf-8")
            yield path
