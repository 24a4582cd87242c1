"""Makes a corpus of what a user names: files, patterns, folders, tables, texts, or lists of these.

Files are on this machine, or in a store and named by URL (`dsir.remote`).

A single `str` or `Path` is always a path. A list of strings could be paths or texts: it is paths if
its first element is a `Path`, names an existing file or folder, is a pattern that matches, or ends
in a suffix that dsir reads; otherwise it is texts. A mixture is refused: texts with an element that
names an existing file, and paths with an element that names no file. Texts taken for paths would
fail loudly, but paths taken for texts would silently select from file names.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from dsir.corpus.batches import ReadLimits, table_bytes
from dsir.corpus.files import is_known, open_file
from dsir.corpus.memory import MemoryShard
from dsir.corpus.shard import Shard
from dsir.corpus.tables import speaks_arrow, table_of, table_of_texts
from dsir.corpus.text_column import find_text_column
from dsir.errors import EmptyCorpusError, SettingError, ShardError
from dsir.formats import SUFFIXES
from dsir.remote import RemotePath, is_url
from dsir.remote.location import path_of_file_url
from dsir.remote.matching import files_below, has_pattern, matching
from dsir.remote.read_errors import translated

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_LONGEST_PATH = 4096
_REQUESTS_AT_ONCE = 16


class Paths(tuple[str, ...]):
    """Strings that are paths, patterns or folders, whatever they look like: a command's arguments.

    A plain list of strings counts as texts if the first names no file.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Corpus:
    """The shards to read, in order.

    Attributes:
        shards: one or more files, tables, or parts that files were cut into.
        name: what messages call the corpus, such as "raw".
    """

    shards: tuple[Shard, ...]
    name: str

    @property
    def first_shards(self) -> tuple[Shard, ...]:
        """The first shard of every file or table, so that each file is there once."""
        return tuple(s for s in self.shards if s.part is None or s.part.start == 0)

    @property
    def in_memory(self) -> bool:
        """Whether all shards are tables in memory."""
        return all(shard.file is None for shard in self.shards)

    @property
    def size(self) -> int:
        """Bytes of all shards, on disk or in memory."""
        return sum(shard.size for shard in self.shards)

    def limited(self, limits: ReadLimits) -> Corpus:
        """Return the same corpus with other limits on how much of each file is in memory."""
        return Corpus(tuple(shard.limited(limits) for shard in self.shards), self.name)


def resolve(source: object, *, text: str = "text", name: str = "raw") -> Corpus:
    """Make a corpus of whatever a user names.

    Args:
        source: a path, pattern or folder; a table, array or data set; an iterable of texts; or a
            list of any of these (see the module's docstring for lists of strings).
        text: the text column; dots lead into nested columns.
        name: what messages call the corpus.

    Raises:
        SettingError: dsir cannot read this type of source, or a file is named twice.
        EmptyCorpusError: no file matches.
        ShardError: a file is missing or cannot be reached.
        TextColumnError: a table in memory lacks the text column, or the column is not text.
    """
    if not text:
        raise SettingError("text: the text column must have a name")
    shards = tuple(_shards(source, text, name))
    if not shards:
        raise EmptyCorpusError(f"{name}: the list of inputs is empty", path=name)
    seen: dict[str, str] = {}
    for shard in shards:
        if shard.file is None:
            continue
        path = str(shard.file)
        if path in seen:
            raise SettingError(
                f"{name}: {shard.name} is named twice (also as {seen[path]}), so its rows could be "
                "drawn twice; name it once"
            )
        seen[path] = shard.name
    return Corpus(shards, name)


def _shards(source: Any, text: str, name: str) -> Iterator[Shard]:
    if isinstance(source, RemotePath) or is_url(source):
        yield from _remote_shards(_remote(source), text, name)
    elif isinstance(source, str | Path):
        for path in _paths(source, name):
            yield open_file(path, text)
    elif isinstance(source, Corpus):
        yield from source.shards
    elif isinstance(source, Paths):
        for entry in source:
            yield from _shards(entry, text, name)
    elif speaks_arrow(source):
        yield _in_memory(table_of(source, text, name), text, name)
    elif isinstance(source, list | tuple):
        yield from _shards_of_list(list(source), text, name)
    elif isinstance(source, set | frozenset):
        raise SettingError(
            f"{name}: a set has no order, which decides the row numbers; give a sorted list"
        )
    elif isinstance(source, Iterable) and not isinstance(source, bytes | bytearray | dict):
        yield _in_memory(table_of_texts(source, text, name), text, name)
    else:
        hint = "; call .collect() first" if hasattr(source, "collect") else ""
        raise SettingError(
            f"{name}: {type(source).__name__} cannot be read as a corpus{hint}; expected a path, "
            "a pattern, a folder, an Arrow table, a data frame, texts, or a list of these"
        )


def _shards_of_list(elements: list[Any], text: str, name: str) -> Iterator[Shard]:
    if not elements:
        return
    if all(element is None or isinstance(element, str) for element in elements):
        if not _is_list_of_paths(elements, name):
            yield _in_memory(table_of_texts(elements, text, name), text, name)
            return
    elif isinstance(elements[0], str) and not _names_file(elements[0]):
        # Some elements are not texts: the error that this raises names the first of them.
        yield _in_memory(table_of_texts(elements, text, name), text, name)
        return
    for position, element in enumerate(elements):
        if element is None:
            raise SettingError(
                f"{name}: element {position} is None, but the others are inputs; remove it"
            )
        # Paths have a name of their own; tables are named by their position.
        is_path = isinstance(element, str | Path | RemotePath)
        yield from _shards(element, text, name if is_path else f"{name}[{position}]")


def _remote_shards(source: RemotePath, text: str, name: str) -> Iterator[Shard]:
    """Yield a shard for each file that a URL stands for."""
    paths = _remote_paths(source, name)
    # Each file takes a request, for its size and version.
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE, "dsir-resolve") as pool:
        yield from pool.map(lambda path: open_file(path, text), paths)


def _remote(source: Any) -> RemotePath:
    return source if isinstance(source, RemotePath) else RemotePath(str(source).rstrip("/"))


def _remote_paths(source: RemotePath, name: str) -> list[RemotePath]:
    if has_pattern(source):
        with _listing(source):
            found = [path for path in matching(source) if is_known(path)]
        if not found:
            raise EmptyCorpusError(f"{name}: no file matches {source}", path=str(source))
        return found
    if is_known(source) or not source.store.lists:
        return [source]
    with _listing(source):
        found = [path for path in files_below(source) if is_known(path, in_folder=True)]
    if not found:
        raise EmptyCorpusError(
            f"{name}: no file to read in the folder {source}; looked for {SUFFIXES} "
            "(plain .json files must be named)",
            path=str(source),
        )
    return found


@contextmanager
def _listing(source: RemotePath) -> Iterator[None]:
    with translated(
        lambda error: ShardError(f"{source}: cannot be listed: {error}", path=str(source))
    ):
        yield


def _is_list_of_paths(elements: list[str | None], name: str) -> bool:
    """Tell whether strings are paths; raise SettingError for a mixture of paths and texts."""
    paths = elements[0] is not None and _names_file(elements[0])
    for position, element in enumerate(elements):
        if paths and (element is None or not _names_file(element)):
            raise SettingError(
                f"{name}: element {position} names no file, but element 0 does ({elements[0]!r}); "
                "a list may hold paths or texts, not both"
            )
        if not paths and element is not None and _exists(element):
            raise SettingError(
                f"{name}: element {position} names a file ({element!r}), but element 0 does not; "
                "a list may hold paths or texts, not both"
            )
    return paths


def _names_file(element: str) -> bool:
    if len(element) > _LONGEST_PATH or "\n" in element:
        return False
    if _URL.match(element) and not any(character.isspace() for character in element):
        return True
    if _exists(element) or (not element.isspace() and is_known(Path(element))):
        return True
    return glob.has_magic(element) and any(True for _ in _matches(element))


def _exists(element: str) -> bool:
    if not element or len(element) > _LONGEST_PATH:
        return False
    try:
        return Path(element).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False  # Too long, has a NUL byte, or names no such user: not a path.


def _paths(source: str | Path, name: str) -> list[Path]:
    """Return the files that a path, pattern or folder stands for, sorted."""
    if isinstance(source, str):
        source = str(path_of_file_url(source)) if _URL.match(source) else source
    if not str(source) or "\0" in str(source):
        raise SettingError(f"{name}: {str(source)!r} is not a path")
    try:
        path = Path(source).expanduser()
    except RuntimeError:
        path = Path(source)
    if path.is_dir():
        return _files_in(path, name)
    if isinstance(source, str) and glob.has_magic(source) and not path.exists():
        return _files_matching(str(path), name)
    return [path]


def _files_in(folder: Path, name: str) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise ShardError(
            f"{name}: the folder {error.filename} cannot be read: {error.strerror}",
            path=str(error.filename),
        ) from error

    found: list[Path] = []
    entered: set[str] = set()
    for parent, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        # Links to folders are followed, but each folder is entered once: links may form a circle.
        entered.add(os.path.realpath(parent))
        folders[:] = [
            entry
            for entry in folders
            if not _is_hidden(entry) and os.path.realpath(Path(parent, entry)) not in entered
        ]
        found += [
            Path(parent, entry)
            for entry in files
            if not _is_hidden(entry) and is_known(Path(entry), in_folder=True)
        ]
    if not found:
        raise EmptyCorpusError(
            f"{name}: no file to read in the folder {folder}; looked for {SUFFIXES} "
            "(plain .json files must be named)",
            path=str(folder),
        )
    return sorted(set(found), key=str)


def _files_matching(pattern: str, name: str) -> list[Path]:
    found = [path for path in _matches(pattern) if not path.is_dir()]
    if not found:
        raise EmptyCorpusError(f"{name}: no file matches {pattern}", path=pattern)
    return sorted(set(found), key=str)


def _matches(pattern: str) -> Iterator[Path]:
    """Yield what matches a pattern; `**` spans folders, and hidden entries are left out."""
    # Not Path.glob: it refuses absolute patterns, and its `**` differs between Python versions.
    for match in glob.iglob(pattern, recursive=True):  # noqa: PTH207
        path = Path(match)
        if not path.name.startswith("_"):
            yield path


def _is_hidden(entry: str) -> bool:
    return entry.startswith((".", "_"))


def _in_memory(table: pa.Table, text: str, name: str) -> MemoryShard:
    find_text_column(table.schema, text, name)
    return MemoryShard(name, table_bytes(table), text, table)
