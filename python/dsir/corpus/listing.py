"""The files of a folder or a pattern: each file once, and what is left out with the reason.

A file is known by what it is, its device and inode, and not by its name: a folder with links may
show one file under several names.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dsir.corpus.broken_link import may_be_folder
from dsir.corpus.files import is_known
from dsir.errors import EmptyCorpusError, ShardError
from dsir.formats import SUFFIXES, how_read
from dsir.remote import Location, RemotePath
from dsir.storage.links import is_broken_link

# What the earlier layout of a selection has beside selection.json.
_OF_SELECTION = frozenset({"run.json", "_rows"})
_LARGEST_NOTE = 1 << 24
File = TypeVar("File", bound=Location)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or folder that was found and is not read.

    Attributes:
        path: where it is.
        reason: why, in a few words.
    """

    path: str
    reason: str

    def describe(self) -> dict[str, str]:
        """Return the two as JSON values."""
        return {"path": self.path, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder or pattern holds.

    Attributes:
        files: the files to read, sorted by path. Links that lead nowhere are among them if they
            may stand for files or folders of data.
        left_out: what is not read, sorted by path. Names that begin with "_" or "." are hidden, and
            not listed.
    """

    files: tuple[Path, ...]
    left_out: tuple[LeftOut, ...] = ()


def list_folder(folder: Path, name: str) -> Listing:
    """List a folder and the folders in it.

    Args:
        folder: the folder.
        name: what messages call the corpus.

    Raises:
        ShardError: a folder cannot be read.
        EmptyCorpusError: there is no file to read.
    """
    found: list[Path] = []
    left_out: list[LeftOut] = []
    _walk(folder, folder, name, found, left_out, set())
    listing = _each_once(main_files(found, left_out), left_out)
    if not listing.files:
        raise EmptyCorpusError(
            f"{name}: no file to read in the folder {folder}; looked for {SUFFIXES}"
            f"{_others(listing.left_out)}",
            path=str(folder),
        )
    return listing


def main_files(found: list[File], left_out: list[LeftOut]) -> list[File]:
    """Return the files of a folder without those that are read only where they are alone.

    Args:
        found: files that can be read.
        left_out: takes the others.
    """
    known = [(file, how_read(file)) for file in found]
    if not any(how is not None and how.format.beside_others for _, how in known):
        return found
    main = []
    for file, how in known:
        if how is None or how.format.beside_others:
            main.append(file)
        else:
            reason = f"{how.format.title} beside other formats is read only when it is named"
            left_out.append(LeftOut(str(file), reason))
    return main


def list_pattern(pattern: str, name: str) -> Listing:
    """List the files that match a pattern; a folder such as b.parquet/ stands for its files.

    Args:
        pattern: as for `glob.glob`, where "**" leads into folders.
        name: what messages call the corpus.

    Raises:
        ShardError: a folder cannot be read.
        EmptyCorpusError: nothing that matches can be read.
    """
    found: list[Path] = []
    left_out: list[LeftOut] = []
    entered: set[str] = set()
    matched = False
    broken: list[Path] = []
    for path in sorted(_matches(pattern, broken), key=str):
        matched = True
        if path.is_dir():
            # Spark writes a folder b.parquet/ for a file. Other folders are matched on the way to
            # the files in them, as "**" does.
            if is_known(path):
                _walk(path, path, name, found, left_out, entered)
        elif is_known(path) or _is_broken_folder(path):
            found.append(path)
        else:
            left_out.append(LeftOut(str(path), "files of this kind are not read"))
    listing = _each_once([*found, *broken], left_out)
    if not listing.files:
        why = (
            f"nothing that matches {pattern} can be read"
            if matched
            else f"no file matches {pattern}{_hidden_match(pattern)}"
        )
        raise EmptyCorpusError(f"{name}: {why}{_others(listing.left_out)}", path=pattern)
    return listing


def _walk(
    folder: Path,
    top: Path,
    name: str,
    found: list[Path],
    left_out: list[LeftOut],
    entered: set[str],
) -> None:
    """Collect the files of a folder; links to folders are followed, each folder once."""
    real = os.path.realpath(folder)
    if real in entered:
        return
    entered.add(real)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ShardError(
            f"{name}: the folder {folder} cannot be read: {error.strerror}", path=str(folder)
        ) from error
    wrote = _what_dsir_wrote(folder, {entry.name for entry in entries})
    if wrote is not None and folder != top:
        left_out.append(LeftOut(str(folder), wrote))
        return
    listed = _files_of_data_set(folder)
    # Real folders come first, so that a file goes by its own name and not by that of a link.
    for entry in sorted(entries, key=lambda entry: entry.is_symlink()):
        path = folder / entry.name
        if is_hidden(entry.name):
            continue
        if _is_folder(entry):
            _walk(path, top, name, found, left_out, entered)
        elif listed is not None and entry.name not in listed:
            if is_known(path, in_folder=True):
                left_out.append(LeftOut(str(path), "no data file of the data set in this folder"))
        elif is_known(path, in_folder=True) or _is_broken_folder(path):
            found.append(path)
        elif is_known(path):
            left_out.append(LeftOut(str(path), "plain .json is read only when it is named"))
        elif entry.name not in _NO_DATA:
            left_out.append(LeftOut(str(path), "files of this kind are not read"))


def _is_broken_folder(path: Path) -> bool:
    """Tell whether a path is a link that may have led to a folder and leads nowhere."""
    if is_hidden(path.name) or path.name in _NO_DATA:
        return False
    return may_be_folder(path) and is_broken_link(path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # A link to itself, or to where nobody may look.


# What lies in folders of data and is no data.
_NO_DATA = frozenset({"README.md", "README", "LICENSE", "dataset_info.json", "state.json"})


def _what_dsir_wrote(folder: Path, names: set[str]) -> str | None:
    if "selection.json" in names and names & _OF_SELECTION:
        return "a selection that dsir wrote"
    if "_dsir" in names:
        if (folder / "_dsir" / "selection.json").is_file():
            return "a selection that dsir wrote"
        return "a folder that dsir wrote"
    if "ranking.json" in names:
        return "a ranking that dsir wrote"
    if "manifest.json" in names:
        note = _read_note(folder / "manifest.json")
        if isinstance(note, dict) and {"format", "settings", "inputs", "units"} <= note.keys():
            return "a work directory of dsir"
    return None


def _files_of_data_set(folder: Path) -> set[str] | None:
    """Return the data files of a data set that `datasets` saved; None for any other folder.

    Beside these files `datasets` leaves caches of later steps (cache-*.arrow): the rows again, or
    numbers of rows.
    """
    note = _read_note(folder / "state.json")
    files = note.get("_data_files") if isinstance(note, dict) else None
    if not isinstance(files, list):
        return None
    return {str(file.get("filename")) for file in files if isinstance(file, dict)}


def _read_note(path: Path) -> object:
    try:
        if path.stat().st_size > _LARGEST_NOTE:
            return None
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _each_once(found: Iterable[Path], left_out: list[LeftOut]) -> Listing:
    """Leave out further names of files that are there already."""
    seen: dict[object, Path] = {}
    files = []
    for path in found:
        first = seen.setdefault(identity_of(path), path)
        if first is path:
            files.append(path)
        elif first != path:
            left_out.append(LeftOut(str(path), f"the same file as {first}"))
    ordered = sorted(left_out, key=lambda one: one.path)
    return Listing(tuple(sorted(set(files), key=str)), tuple(ordered))


def identity_of(path: Location) -> object:
    """Return what tells a file from others: device and inode, or the URL."""
    if isinstance(path, RemotePath):
        return path
    try:
        status = path.stat()
    except OSError:
        return str(path)  # Its reader says what is wrong.
    return status.st_dev, status.st_ino


def _others(left_out: tuple[LeftOut, ...]) -> str:
    if not left_out:
        return ""
    more = f", and {len(left_out) - 1:,} more" if len(left_out) > 1 else ""
    return f"; left out {left_out[0].path} ({left_out[0].reason}){more}"


def _hidden_match(pattern: str) -> str:
    """Say that what a pattern matches is hidden, if it matches anything."""
    found = min(glob.iglob(pattern), default=None)  # noqa: PTH207 - Path.glob refuses "/*"
    if found is None:
        return ""
    return (
        f" but {found}, and names that begin with a dot or an underscore are left out; give it by "
        "its name"
    )


def _matches(pattern: str, broken: list[Path]) -> Iterator[Path]:
    """Yield what matches a pattern; hidden entries are left out unless the pattern names them.

    Args:
        pattern: as for `list_pattern`.
        broken: takes the links on the way to the files that may have led to folders.
    """
    named = {part for part in Path(pattern).parts if not glob.has_magic(part)}
    fixed = 0
    for part in Path(pattern).parts:
        if glob.has_magic(part):
            break
        fixed += 1
    for match in _expanded("", Path(pattern).parts, named, broken):
        path = Path(match)
        if not any(is_hidden(part) and part not in named for part in path.parts[fixed:]):
            yield path


def _expanded(
    base: str, parts: tuple[str, ...], named: set[str], broken: list[Path]
) -> Iterator[str]:
    """Yield what matches the parts of a pattern below a path; see `_matches`."""
    plain = parts[: parts.index("**")] if "**" in parts else parts
    rest = parts[len(plain) + 1 :]
    # Not Path.glob: it refuses absolute patterns.
    pattern = str(Path(glob.escape(base), *plain))
    matched = glob.iglob(pattern) if plain else iter([base])  # noqa: PTH207
    ways = len(plain) - ("**" not in parts)
    for end in range(1, ways + 1):
        if glob.has_magic(plain[end - 1]):
            folders = glob.iglob(str(Path(glob.escape(base), *plain[:end])))  # noqa: PTH207
            broken += [path for path in map(Path, folders) if _is_broken_folder(path)]
    if "**" not in parts:
        yield from matched
        return
    for match in matched:
        for folder in _folders_below(match, named, broken):
            yield from _expanded(folder, rest or ("*",), named, broken)


def _folders_below(top: str, named: set[str], broken: list[Path]) -> Iterator[str]:
    """Yield a folder and those below it, each once: links may lead in circles.

    `glob` follows every link until the system refuses the path, which takes for ever if there are
    two circles. A folder goes by its own name, if it has one below `top`, and not by that of a
    link to it.
    """
    entered: set[tuple[int, int]] = set()
    folders, links = [top], list[str]()
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        try:
            status = Path(folder).stat()
            entries = sorted(os.scandir(folder or os.curdir), key=lambda entry: entry.name)
        except OSError:
            continue  # As in `glob`: what cannot be opened has no matches.
        if (status.st_dev, status.st_ino) in entered:
            continue
        entered.add((status.st_dev, status.st_ino))
        yield folder
        for entry in entries:
            hidden = is_hidden(entry.name) and (entry.name[0] == "." or entry.name not in named)
            if hidden:
                continue
            path = Path(folder, entry.name)
            if _is_folder(entry):
                found = links if entry.is_symlink() else folders
                found.append(str(path))
            elif entry.is_symlink() and _is_broken_folder(path):
                broken.append(path)


def is_hidden(entry: str) -> bool:
    """Tell whether a name is hidden in a corpus: one that begins with "_" or "."."""
    return entry.startswith((".", "_"))
