"""The folder of a work directory, here or in a store: made, copied, and swept after a kill."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from dsir.errors import WorkdirError
from dsir.remote import Folder, Mirror
from dsir.storage.links import broken_link_above, why_broken

_LOCK = "lock"  # As in workdir_lock.
# Workers of a planned run that start late write to these at any time; see `storage.workers`.
FOLDERS_OF_WORKERS = ("workers", "claims")
_UNFINISHED = re.compile(r"\..+\.tmp-\d+-[0-9a-f]+")


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
    broken = broken_link_above(path)
    if broken is not None:
        raise WorkdirError(why_broken(broken))
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
