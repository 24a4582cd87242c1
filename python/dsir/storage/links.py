"""Symbolic links: those that lead nowhere, and where a link to a file leads."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from dsir.remote import Location, RemotePath

_NOWHERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


def is_broken_link(path: Location) -> bool:
    """Tell whether a path is a link to nothing, or to itself."""
    if isinstance(path, RemotePath):
        return False
    try:
        if not path.is_symlink():
            return False
    except OSError:  # Nobody can tell what is in a folder that may not be entered.
        return False
    try:
        path.stat()
    except OSError as error:
        return error.errno in _NOWHERE  # A file that may not be opened is there.
    return False


def why_broken(path: Path) -> str:
    """Say what is wrong with a broken link, and what to do."""
    return f"{path}: is a broken link (to {_end_of(path)}); repair or remove the link"


def broken_link_above(folder: Path) -> Path | None:
    """Return the broken link that stops a folder from being made: itself, or one above it."""
    return next((place for place in (folder, *folder.parents) if is_broken_link(place)), None)


def followed(path: Path) -> Path:
    """Return the file that a link leads to, whether it exists or not; a path that is no link.

    A rename takes the place of a link. To write a file that a user has named, rename in the folder
    that the link leads to, as opening the file would write there.

    Raises:
        OSError: the link leads in a circle.
    """
    if not path.is_symlink():
        return path
    try:
        return Path(os.path.realpath(path, strict=True))
    except FileNotFoundError:
        return Path(os.path.realpath(path))


def _end_of(path: Path) -> str:
    return os.fsencode(path.readlink()).decode("utf-8", "backslashreplace")
