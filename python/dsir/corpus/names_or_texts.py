"""Whether strings are names of files or texts: decided for all of them at once, or refused.

A text that is taken for a file fails loudly, but a file name that is taken for a text selects by
file names without a word. So strings that could be either are an error, which names the two ways to
say what they are: `dsir.files` and `dsir.texts`.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Sequence
from enum import Enum
from pathlib import Path

from dsir.corpus.files import is_known
from dsir.corpus.pipe import Pipe
from dsir.errors import SettingError
from dsir.plural import counted

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://\S*")
_SPACE = re.compile(r"\s")
_LONGEST_PATH = 4096
_LONGEST_NAME = 255
_SHOWN = 60


class Paths(tuple[str | Pipe, ...]):
    """Strings that are paths, patterns, folders or URLs, whatever they look like; or pipes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"dsir.files({counted(len(self), 'location')})"


class Texts(tuple[str | None, ...]):
    """Strings that are texts, whatever they look like."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"dsir.texts({counted(len(self), 'text')})"


def files(names: Iterable[str | os.PathLike[str]]) -> Paths:
    """Say that strings are locations of files: paths, patterns, folders or URLs.

    Args:
        names: the strings or paths, in the order in which the files are read.

    Raises:
        SettingError: `names` is a single string, or holds something else than strings and paths.

    Example:
        >>> dsir.select("corpus/", dsir.files(line.strip() for line in listing), n=1000)
        ... # doctest: +SKIP
    """
    if isinstance(names, str | os.PathLike):
        raise SettingError(
            f"files: expected a list of paths, found {names!r:.80}; put it in a list"
        )
    found = []
    for position, name in enumerate(names):
        if not isinstance(name, str | os.PathLike):
            raise SettingError(
                f"files: element {position} is {type(name).__name__}; expected a path or a URL"
            )
        found.append(os.fspath(name))
    return Paths(found)


def texts(texts: Iterable[str | None]) -> Texts:
    """Say that strings are texts, even when they look like names of files.

    Args:
        texts: the texts; None is a null.

    Raises:
        SettingError: `texts` is a single string, or holds something else than strings and None.

    Example:
        >>> dsir.fit("commits.parquet", dsir.texts(["Update package.json", "Fix setup.json"]))
        ... # doctest: +SKIP
    """
    if isinstance(texts, str | bytes):
        raise SettingError("texts: expected a list of texts, found one; put it in a list")
    found: list[str | None] = []
    for position, text in enumerate(texts):
        if text is not None and not isinstance(text, str):
            raise SettingError(f"texts: element {position} is {type(text).__name__}, not str")
        found.append(text)
    return Texts(found)


class _Look(Enum):
    """What a string is by its looks and by what is on the disk."""

    FILE = "names a file"
    NAME = "ends like the name of a file"
    PATH = "is one word with slashes, which a text may be too"
    TEXT = "is a text"


def are_paths(strings: Sequence[str | None], name: str) -> bool:
    """Tell whether all strings are names of files; they are texts otherwise.

    Args:
        strings: the strings; None is the null of a text.
        name: what messages call them, such as "target".

    Raises:
        SettingError: some strings name files and others do not, or what look like names of files
            name no file.
    """
    looks: dict[_Look, int] = {}
    before = None
    for position, string in enumerate(strings):
        look = _Look.TEXT if string is None else _look(string)
        if look is not before:  # Most are like the one before, which is quick to see.
            looks.setdefault(look, position)
            before = look
    if _Look.FILE in looks:
        if _Look.TEXT in looks:
            file, text = looks[_Look.FILE], looks[_Look.TEXT]
            raise SettingError(
                f"{name}: element {file} names a file ({_shown(strings[file])}), but element {text}"
                f" does not ({_shown(strings[text])}); {_way_out(name)}"
            )
        return True  # A name among them that names no file is an error of that file.
    if _Look.NAME not in looks and (_Look.PATH not in looks or _Look.TEXT in looks):
        return False  # "n/a" among texts is a text.
    first = looks.get(_Look.NAME, looks.get(_Look.PATH, 0))
    if _Look.TEXT in looks:
        text = looks[_Look.TEXT]
        raise SettingError(
            f"{name}: element {first} looks like the name of a file ({_shown(strings[first])}), "
            f"and element {text} does not ({_shown(strings[text])}); {_way_out(name)}"
        )
    raise SettingError(
        f"{name}: element {first} looks like the name of a file, and there is none of that name "
        f"({_shown(strings[first])}); {_way_out(name)}"
    )


def refuse_names(strings: Iterable[str | None], name: str) -> None:
    """Refuse strings of an array or a column that are names of files.

    Raises:
        SettingError: one names a file, or all look like names of files.
    """
    given = [string for string in strings if string]
    looks = [_look(string) for string in given]
    for string, look in zip(given, looks, strict=True):
        if look is _Look.FILE:
            raise SettingError(
                f"{name}: an element names a file ({_shown(string)}); an array is always texts, so "
                f"give {name}=dsir.files(...) for the files, or {name}=dsir.texts(...)"
            )
    if given and all(look in (_Look.NAME, _Look.PATH) for look in looks):
        raise SettingError(
            f"{name}: the elements look like names of files, such as {_shown(given[0])}, and there "
            f"is none of that name; {_way_out(name)}"
        )


def _look(string: str) -> _Look:
    line = string.rstrip("\r\n")  # Lines of a listing keep their newline.
    if not line.strip("./~ \t") or len(line) > _LONGEST_PATH or "\0" in line:
        return _Look.TEXT  # "." is a folder, and the last token of many a sentence.
    if "\n" in line:
        # Names may have lines as well; most texts of several lines do not end as files do.
        named = _SPACE.search(line[-8:]) is None and _has_known_suffix(line) and exists(line)
        return _Look.FILE if named else _Look.TEXT
    spaced = _SPACE.search(line) is not None
    if spaced and len(line) > _LONGEST_NAME:
        # Without asking the disk about every sentence, which would take longer than to score it.
        *folders, name = line.split(os.sep)  # noqa: PTH206 - cheaper, for every text
        if any(len(folder) > _LONGEST_NAME for folder in folders):
            return _Look.TEXT
        if len(name) > _LONGEST_NAME:  # No file; but its folder may be there.
            return _Look.NAME if _is_name_in_a_folder(line) else _Look.TEXT
    if not spaced and URL.fullmatch(line):
        return _Look.FILE
    if exists(line) or (glob.has_magic(line) and not spaced and _matches_any(line)):
        return _Look.FILE if line == string else _Look.NAME
    if spaced:
        # "Update package.json" is a message, unless the folder before the name is there.
        return _Look.NAME if _is_name_in_a_folder(line) else _Look.TEXT
    if _has_known_suffix(line):
        return _Look.NAME
    return _Look.PATH if os.sep in line.strip(os.sep) else _Look.TEXT


def _is_name_in_a_folder(line: str) -> bool:
    """Tell whether a line ends like the name of a file, in a folder that is there."""
    parent = os.path.dirname(line)  # noqa: PTH120 - cheaper, for every text
    return bool(parent) and _has_known_suffix(line) and exists(parent)


def _has_known_suffix(line: str) -> bool:
    """Tell whether a reader, or any writer of data sets, would give a file such a suffix."""
    path = Path(line)
    return is_known(path) or any(suffix.lower() in _OF_DATA for suffix in path.suffixes[-2:])


# Suffixes of data that are not read, but that no text ends in.
_OF_DATA = {
    *(".jsonl", ".jsonlines", ".ndjson", ".csv", ".tsv", ".txt", ".parquet", ".pq", ".orc"),
    *(".avro", ".arrow", ".feather", ".ipc", ".zst", ".zstd", ".gz", ".gzip", ".bz2", ".xz"),
}


def exists(name: str) -> bool:
    """Tell whether a name is that of a file or folder."""
    if not name or len(name) > _LONGEST_PATH:
        return False
    try:
        os.stat(os.path.expanduser(name) if name[0] == "~" else name)  # noqa: PTH111, PTH116
    except (OSError, ValueError):
        return False  # There is none, or the name is too long or has a NUL byte.
    return True


def _matches_any(pattern: str) -> bool:
    return any(True for _ in glob.iglob(pattern, recursive=True))  # noqa: PTH207


def _shown(string: str | None) -> str:
    return repr(string if string is None or len(string) <= _SHOWN else string[:_SHOWN] + "...")


def _way_out(name: str) -> str:
    argument = name.split()[0].partition("[")[0]
    return f"say what they are: {argument}=dsir.files([...]) or {argument}=dsir.texts([...])"
