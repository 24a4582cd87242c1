"""The folder that dsir writes to: its layout, what it may hold before, and clearing it.

The rows are in `data`, so that any reader opens that folder. Everything else is in `_dsir`, and
none of it is Parquet: a pattern such as `**/*.parquet` finds the rows and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from dsir.errors import OutputError
from dsir.remote import Location, RemotePath, within
from dsir.remote.store import RemoteError
from dsir.storage.links import broken_link_above, why_broken

# Where everything is, from the output folder.
DATA_FOLDER = "data"
SIDE_FOLDER = "_dsir"
# These two hold another file for every part.
WEIGHTS_FOLDER = f"{SIDE_FOLDER}/weights"
ORIGINS_FOLDER = f"{SIDE_FOLDER}/rows"
SELECTION_FILE = f"{SIDE_FOLDER}/selection.json"
RUN_FILE = f"{SIDE_FOLDER}/run.json"
RANKING_FILE = f"{SIDE_FOLDER}/ranking.json"
INSTANCES_FILE = f"{SIDE_FOLDER}/instances.json"
COMPARISON_FILE = f"{SIDE_FOLDER}/compare.json"
REJECTS_FILE = f"{SIDE_FOLDER}/rejects.jsonl"
CONTAMINATED_FILE = f"{SIDE_FOLDER}/contaminated.jsonl"
UNITS_FOLDER = f"{SIDE_FOLDER}/units"
MODEL_FILE = f"{SIDE_FOLDER}/model.dsir"
REPORT_FILE = f"{SIDE_FOLDER}/report.html"
CARD_FILE = f"{SIDE_FOLDER}/card.md"
DATASET_NOTE = ".huggingface.yaml"  # `datasets` looks for this name.
SUMMARIES_FILE = f"{DATA_FOLDER}/summaries.parquet"
# These two are there while a run is at work, or if it was killed; see `claim`.
LOCK_FILE = f"{SIDE_FOLDER}/.lock"
CLAIM_FILE = f"{SIDE_FOLDER}/.claim.json"

_FOLDERS = (DATA_FOLDER, WEIGHTS_FOLDER, ORIGINS_FOLDER, SIDE_FOLDER)
# Each command writes one of these last: it says that the output is whole.
_LAST = frozenset({SELECTION_FILE, RANKING_FILE, INSTANCES_FILE, COMPARISON_FILE})
# What the layout of earlier versions had at the top.
_EARLIER = frozenset({"selection.json", "ranking.json", "instances.json"})

_SHARD = re.compile(r"part-\d{5,}\.(parquet|jsonl|arrow)")
_UNFINISHED = re.compile(
    r"\.(part-\d{5,}|selection|run|ranking|summaries|instances|compare|rejects|contaminated|model|report"
    r"|card|\.claim|\.huggingface)"
    r"\.[a-z.]+\.tmp-.*"
)


def part_stem(folder: Location, number: int) -> Location:
    """Return the path of a part without its suffix.

    Args:
        folder: the output folder.
        number: the number of the part, from 0.
    """
    return folder / DATA_FOLDER / f"part-{number:05d}"


def beside(path_stem: Location, side: str) -> Location:
    """Return the path of the file that goes with a part.

    Args:
        path_stem: the path of the part without its suffix, as `part_stem` returns it.
        side: WEIGHTS_FOLDER or ORIGINS_FOLDER.
    """
    return path_stem.parent.parent / side / f"{path_stem.name}.arrow"


def what_is_in(folder: Location) -> str | None:
    """Say what another command than `select` has written to a folder; None if there is nothing."""
    written = {
        RANKING_FILE: "what dsir lexrank wrote",
        INSTANCES_FILE: "what dsir gais wrote",
        COMPARISON_FILE: "what dsir compare wrote",
    }
    return next((said for name, said in written.items() if (folder / name).is_file()), None)


def make_output_folder(folder: Location) -> None:
    """Make a folder for parts that are written before anything is in `_dsir`.

    Raises:
        OutputError: the folder cannot be made.
    """
    try:
        (folder / SIDE_FOLDER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error}") from error


class UnfinishedRun(NamedTuple):
    """The run whose unfinished output is in a folder, as the note of its claim says.

    Attributes:
        run: what tells the run from others.
        resumable: whether the same call goes on where this run stopped.
    """

    run: str
    resumable: bool


def unfinished_run(folder: Location) -> UnfinishedRun | None:
    """Return the run whose unfinished output is in a folder; None if no note says so."""
    try:
        found = json.loads((folder / CLAIM_FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    run = found.get("run") if isinstance(found, dict) else None
    # Notes of earlier versions do not say whether anybody goes on.
    return UnfinishedRun(run, found.get("resumable") is not False) if isinstance(run, str) else None


# What the file managers of macOS and Windows leave in any folder that they show.
_OF_DESKTOPS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


def check_output_folder(folder: Location, *, overwrite: bool, resuming: bool) -> None:
    """Raise OutputError unless a selection may be written to a folder.

    What a run left that failed, and that no call goes on with, may be replaced like nothing.

    Args:
        folder: the folder; it need not exist.
        overwrite: a selection in the folder may be replaced.
        resuming: this run itself wrote what is in the folder.

    Raises:
        OutputError: `folder` is not a folder, or is not empty.
    """
    if not refuse_no_folder(folder):
        return
    found = {name for name in _names_in(folder) if name.rpartition("/")[2] not in _OF_DESKTOPS}
    foreign = sorted(found - {within(path, folder) for path in own_files(folder)})
    if _EARLIER & found and not resuming:
        raise OutputError(
            f"{folder}: holds what an earlier version of dsir wrote, in another layout; "
            "remove that, or give an empty or a new folder"
        )
    if foreign and not resuming:
        raise OutputError(
            f"{folder}: is not empty: it holds files that no selection has "
            f"({', '.join(foreign[:3])}{' and more' if len(foreign) > 3 else ''}); "
            "give an empty or a new folder"
        )
    if found and not overwrite and not resuming and not _is_abandoned(folder, found):
        raise OutputError(
            f"{folder}: is not empty; give an empty or a new folder, "
            "or overwrite=True to replace the selection there"
        )


def _is_abandoned(folder: Location, found: set[str]) -> bool:
    """Tell whether files of dsir are what a run left that failed, and that no call goes on with."""
    if found & _LAST or (isinstance(folder, RemotePath) and folder.commits):
        return False  # The output is whole; or there are no locks, and the run may be at work.
    left = unfinished_run(folder)
    return left is not None and not left.resumable


def refuse_no_folder(folder: Location) -> bool:
    """Raise OutputError if a path cannot be that of an output folder; return if it exists.

    Raises:
        OutputError: something else is at the path, or its store can only be read.
    """
    _refuse_reading_only(folder)
    try:
        if not folder.exists():
            return False
        is_folder = folder.is_dir()
    except RemoteError as error:
        raise OutputError(f"{folder}: cannot be read: {error}") from error
    except OSError as error:
        raise OutputError(f"{folder}: cannot be read: {error.strerror or error}") from error
    if not is_folder:
        raise OutputError(f"{folder}: is not a folder; give another out")
    if isinstance(folder, Path) and not os.access(folder, os.R_OK | os.X_OK):
        raise OutputError(f"{folder}: cannot be read: Permission denied; give another out")
    return True


def check_writable(folder: Location, file: Location | None = None) -> None:
    """Raise OutputError unless a folder can be made or written to. Nothing is written.

    Whether a store takes files is known when a run locks the folder (`dsir.output.claim`).

    Args:
        folder: the folder.
        file: what messages name in place of the folder, a file that is to be written there.

    Raises:
        OutputError: the folder cannot be made or written to.
    """
    out = file or folder
    if isinstance(folder, RemotePath):
        _refuse_reading_only(folder)
        return
    broken = broken_link_above(folder)
    if broken is not None:
        raise OutputError(why_broken(broken))
    try:
        nearest = next(place for place in (folder, *folder.parents) if place.exists())
        is_folder = nearest.is_dir()
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror or error}") from error
    named = "" if nearest == out else f"{nearest} "
    if not is_folder:
        raise OutputError(f"{out}: {named}is not a folder; give another out")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"{out}: {named}cannot be written to; give another out")


def _refuse_reading_only(folder: Location) -> None:
    if isinstance(folder, RemotePath) and not folder.store.writes:
        raise OutputError(f"{folder}: {folder.protocol} can only be read; give another out")


def clear_output_folder(folder: Location) -> None:
    """Remove the selection in a folder, and nothing else.

    Raises:
        OutputError: the selection cannot be removed.
    """
    try:
        for path in own_files(folder):
            path.unlink()
        remove_empty_folders(folder, [])
    except OSError as error:
        raise OutputError(f"{folder}: cannot be overwritten: {error}") from error


def remove_unfinished(folder: Location) -> None:
    """Remove the files that an interrupted run left under temporary names."""
    for parent in (folder, *(folder / name for name in _FOLDERS)):
        if parent.is_dir():
            for path in parent.iterdir():
                if _UNFINISHED.fullmatch(path.name):
                    path.unlink()


def remove_empty_folders(folder: Location, more: Iterable[Path]) -> None:
    """Remove the folders of an output folder that are empty, and those of `more` that are."""
    if isinstance(folder, RemotePath):
        return  # A folder disappears with its last file.
    for place in (*(folder / name for name in _FOLDERS), *more):
        with contextlib.suppress(OSError):
            place.rmdir()


def own_files(folder: Location) -> Iterator[Location]:
    """Yield the files that dsir writes into an output folder, the manifest first.

    The manifest says that a selection is whole, so it has to be removed before the rest.
    """
    if not (folder / SIDE_FOLDER).is_dir():
        return  # What is in `data` is somebody else's.
    for name in (
        SELECTION_FILE,
        RANKING_FILE,
        INSTANCES_FILE,
        COMPARISON_FILE,
        RUN_FILE,
        REJECTS_FILE,
        CONTAMINATED_FILE,
        MODEL_FILE,
        REPORT_FILE,
        CARD_FILE,
        DATASET_NOTE,
    ):
        if (folder / name).is_file():
            yield folder / name
    if (folder / SUMMARIES_FILE).is_file():
        yield folder / SUMMARIES_FILE
    for parent in (folder / name for name in (DATA_FOLDER, WEIGHTS_FOLDER, ORIGINS_FOLDER)):
        if parent.is_dir():
            names = sorted(path.name for path in parent.iterdir())
            yield from (parent / name for name in names if _SHARD.fullmatch(name))


def _names_in(folder: Location) -> Iterator[str]:
    """Yield what is in an output folder, from there; unfinished files are nothing."""
    for parent in ("", *_FOLDERS):
        place = folder / parent if parent else folder
        if not place.is_dir():
            continue
        for entry in place.iterdir():
            name = f"{parent}/{entry.name}" if parent else entry.name
            is_own = name in _FOLDERS and (
                # In a store an emptied folder may remain as an object with its name and a slash.
                not entry.is_file() if isinstance(entry, RemotePath) else entry.is_dir()
            )
            is_own |= name in (LOCK_FILE, CLAIM_FILE)
            if not is_own and not _UNFINISHED.fullmatch(entry.name):
                yield name
