"""The files that a URL stands for: itself, a pattern, or a folder."""

from __future__ import annotations

import fnmatch
import re
from functools import lru_cache

from dsir.remote.location import RemotePath
from dsir.remote.store import WEB

_MAGIC = re.compile(r"[*?[]")


def has_pattern(path: RemotePath) -> bool:
    """Tell whether a URL is a pattern; those of web servers are none: "?" begins a query there."""
    return path.protocol not in WEB and _MAGIC.search(path.key) is not None


def matching(path: RemotePath) -> list[RemotePath]:
    """Return the files that a pattern matches, sorted: `*` within a folder, `**` across folders.

    Hidden files and folders are passed over unless the pattern names them, and so are files that
    begin with an underscore, as on this machine.
    """
    parts = path.key.split("/")
    fixed = next(at for at, part in enumerate(parts) if _MAGIC.search(part))
    base = "/".join(parts[:fixed])
    start = path.url[: len(path.url) - len(path.key)]
    found = []
    for key in path.store.files(base):
        names = key.split("/")
        if _matches(tuple(names[fixed:]), tuple(parts[fixed:])) and names[-1][:1] != "_":
            found.append(RemotePath(start + key))
    return sorted(found)


def files_below(path: RemotePath) -> list[RemotePath]:
    """Return the files in a folder and in folders in it, sorted, without hidden ones."""
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
    return bool(_part(pattern[0]).match(names[0])) and _matches(names[1:], pattern[1:])


@lru_cache(maxsize=256)
def _part(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))
