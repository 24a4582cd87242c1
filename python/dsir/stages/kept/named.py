"""Files of kept rows that outlive the process that wrote them: their names say what is in them.

A file of the unit 17 is `00017.CHECKSUM.arrows`, so a reader can tell that it is whole. One that is
not is passed over, and its rows come from the input.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from dsir.storage.sealed_json import file_checksum

_CHECKSUM = 32  # Bytes.
_NAMED = re.compile(r"([0-9]{5,})\.([0-9a-f]{64})\.arrows")


def give_name(path: Path, number: int) -> Path:
    """Give the finished file of a unit its name, and return where it is.

    Raises:
        OSError: the file cannot be read or renamed.
    """
    return path.replace(path.with_name(f"{number:05d}.{file_checksum(path)}.arrows"))


def named_files(folder: Path) -> KeptFiles:
    """Return the files of kept rows in a folder; none if there is no such folder."""
    found = KeptFiles()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                match = _NAMED.fullmatch(entry.name)
                if match is not None:
                    found.set(int(match[1]), folder / entry.name)
    except OSError:
        return KeptFiles()
    return found


def is_whole(path: Path) -> bool:
    """Tell whether a file of kept rows can be read: one of another process, as it was written."""
    match = _NAMED.fullmatch(path.name)
    try:
        return match is None or file_checksum(path) == match[2]
    except OSError:
        return False


class KeptFiles:
    """The files of kept rows by unit, all in one folder, in 33 bytes a unit."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._has = bytearray()  # 0 for no file, 1 for one that a number names, 2 for a checksum.
        self._checksums = bytearray()
        self._others: dict[int, Path] = {}

    def __len__(self) -> int:
        """How many units have a file."""
        return len(self._has) - self._has.count(0) + len(self._others)

    def set(self, number: int, path: Path) -> None:
        """Set the file of a unit."""
        if self._folder is None:
            self._folder = path.parent
        match = _NAMED.fullmatch(path.name)
        stem = f"{number:05d}"
        named = path.name == f"{stem}.arrows" if match is None else match[1] == stem
        if path.parent != self._folder or not named:
            self._others[number] = path
            return
        self._others.pop(number, None)
        _grow(self._has, number + 1)
        self._has[number] = 1 if match is None else 2
        if match is not None:
            _grow(self._checksums, _CHECKSUM * (number + 1))
            at = _CHECKSUM * number
            self._checksums[at : at + _CHECKSUM] = bytes.fromhex(match[2])

    def path(self, number: int) -> Path | None:
        """Return the file of a unit; None if there is none."""
        other = self._others.get(number)
        if other is not None or self._folder is None or number >= len(self._has):
            return other
        name = f"{number:05d}"
        if self._has[number] == 2:
            at = _CHECKSUM * number
            name += "." + self._checksums[at : at + _CHECKSUM].hex()
        return self._folder / f"{name}.arrows" if self._has[number] else None


def _grow(room: bytearray, size: int) -> None:
    """Give a bytearray at least so many bytes; new ones are 0."""
    room.extend(bytes(max(0, size - len(room))))
