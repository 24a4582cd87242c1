"""Finds the files that a pattern or a folder in a store stands for."""

from __future__ import annotations

import fnmatch
import re
from functools import lru_cache

from dsir.remote.location import RemotePath
from dsir.remote.store import WEB

_MAGIC = re.compile(r"[*?[]")


def has_pattern(path: RemotePath) -> bool:
    """Tell whether a URL is a pattern. URLs of web servers are not: "?" begins a query there."""
    return path.protocol not in WEB and _MAGIC.search(path.key) is not None


def matching(path: RemotePath) -> list[RemotePath]:
    """Return the files that a pattern matches, sorted: `*` within a folder, `**` across folders.

    As on this machine, hidden files and folders are left out unless the pattern names them, and so
    are files that begin with an underscore.
    """
    pattern = tuple(path.key.split("/"))
    fixed = next(at for at, name in enumerate(pattern) if _MAGIC.search(name))
    base = "/".join(pattern[:fixed])
    start = path.url[: len(path.url) - len(path.key)]
    found = []
    for key in path.store.files(base):
        names = key.split("/")
        if _matches(tuple(names[fixed:]), pattern[fixed:]) and names[-1][:1] != "_":
            found.append(RemotePath(start + key))
    return sorted(found)


def files_below(path: RemotePath) -> list[RemotePath]:
    """Return the files in a folder and its subfolders, sorted, without hidden ones."""
    start = path.url[: len(path.url) - len(path.key)]
    found = []
    for key in path.store.files(path.key):
        inside = key[len(path.key) :].strip("/").split("/")
        if inside != [""] and not any(name[:1] in (".", "_") for name in inside):
            found.append(RemotePath(start + key))
    return sorted(found)


def _matches(names: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not names
    if pattern[0] == "**":
        if _matches(names, pattern[1:]):
            return True
        return bool(names) and names[0][:1] != "." and _matches(names[1:], pattern)
    if not names:
        return False
    if names[0][:1] == "." and pattern[0][:1] != ".":
        return False
    return bool(_name_pattern(pattern[0]).match(names[0])) and _matches(names[1:], pattern[1:])


@lru_cache(maxsize=256)
def _name_pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))
