"""Files of kept rows that outlive the process that wrote them: their names say what is in them.

A file of the unit 17 is `00017.CHECKSUM.arrows`, so a reader can tell that it is whole. One that is
not is passed over, and its rows come from the input.
"""

from __future__ import annotations

import re
from pathlib import Path

from dsir.storage.sealed_json import file_checksum

_NAMED = re.compile(r"([0-9]{5,})\.([0-9a-f]{64})\.arrows")


def give_name(path: Path, number: int) -> Path:
    """Give the finished file of a unit its name, and return where it is.

    Raises:
        OSError: the file cannot be read or renamed.
    """
    return path.replace(path.with_name(f"{number:05d}.{file_checksum(path)}.arrows"))


def named_files(folder: Path) -> dict[int, Path]:
    """Return the files of kept rows in a folder, by unit; none if there is no such folder."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        return {}
    found = ((_NAMED.fullmatch(name), folder / name) for name in sorted(names))
    return {int(match[1]): path for match, path in found if match is not None}


def is_whole(path: Path) -> bool:
    """Tell whether a file of kept rows can be read: one of another process, as it was written."""
    match = _NAMED.fullmatch(path.name)
    try:
        return match is None or file_checksum(path) == match[2]
    except OSError:
        return False
