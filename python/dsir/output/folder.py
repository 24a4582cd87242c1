"""The folder that a selection is written to: what may be there before."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator

from dsir.errors import OutputError
from dsir.output.jsonl import WEIGHTS_FOLDER
from dsir.output.row_origins import ORIGINS_FOLDER
from dsir.remote import Location, RemotePath
from dsir.remote.store import RemoteError
from dsir.storage.atomic import write_json

SELECTION_FILE = "selection.json"
RUN_FILE = "run.json"
RANKING_FILE = "ranking.json"
INSTANCES_FILE = "instances.json"
SUMMARIES_FILE = "summaries.parquet"
REJECTS_FILE = "_rejects.jsonl"

# What stands beside the parts, a file for every part.
_FOLDERS = (WEIGHTS_FOLDER, ORIGINS_FOLDER)

_SHARD = re.compile(r"part-\d{5,}\.(parquet|jsonl|arrow)")
_UNFINISHED = re.compile(
    r"\.(part-\d{5,}|selection|run|ranking|summaries|instances|_rejects)\.[a-z.]+\.tmp-.*"
)


def check_output_folder(folder: Location, *, overwrite: bool, resuming: bool) -> None:
    """Make sure that a selection may be written to a folder.

    Args:
        folder: the folder; it need not exist.
        overwrite: a selection that is there may be replaced.
        resuming: what is there was written by this very run.

    Raises:
        OutputError: it is not a folder, or holds something.
    """
    _refuse_reading_only(folder)
    try:
        if not folder.exists():
            return
        is_folder = folder.is_dir()
    except RemoteError as error:
        raise OutputError(f"{folder}: cannot be read: {error}") from error
    if not is_folder:
        raise OutputError(f"{folder}: is not a folder; give another out")
    found = {entry.name for entry in folder.iterdir() if not _UNFINISHED.fullmatch(entry.name)}
    foreign = sorted(found - {entry.name for entry in _own_files(folder)} - {*_FOLDERS})
    if foreign and not resuming:
        raise OutputError(
            f"{folder}: is not empty (it holds {', '.join(foreign[:3])}"
            f"{' and more' if len(foreign) > 3 else ''}), and not only a selection; "
            "give an empty or a new folder"
        )
    if found and not overwrite and not resuming:
        raise OutputError(
            f"{folder}: is not empty; give an empty or a new folder, "
            "or overwrite=True to replace the selection there"
        )


def check_writable(folder: Location) -> None:
    """Make sure that a folder can be made or written to, before hours of work go into it.

    Raises:
        OutputError: it cannot.
    """
    if isinstance(folder, RemotePath):
        _check_remote(folder)
        return
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not nearest.is_dir():
        raise OutputError(f"{folder}: {nearest} is not a folder; give another out")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: {nearest} cannot be written to; give another out")


def _check_remote(folder: RemotePath) -> None:
    _refuse_reading_only(folder)
    if folder.protocol == "hf":
        return  # Every file is a commit there, for all to see.
    probe = folder / f".dsir-probe-{secrets.token_hex(4)}"
    try:
        write_json(probe, None)
        probe.unlink(missing_ok=True)
    except RemoteError as error:
        raise OutputError(f"{folder}: cannot be written to: {error}") from error


def _refuse_reading_only(folder: Location) -> None:
    if isinstance(folder, RemotePath) and not folder.store.writes:
        raise OutputError(f"{folder}: {folder.protocol} is for reading; give another out")


def clear_output_folder(folder: Location) -> None:
    """Remove the selection in a folder, and nothing else.

    Raises:
        OutputError: it cannot be removed.
    """
    try:
        for path in _own_files(folder):
            path.unlink()
        for beside in (folder / name for name in _FOLDERS):
            if beside.is_dir() and not any(beside.iterdir()):
                beside.rmdir()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be overwritten: {error}") from error


def remove_unfinished(folder: Location) -> None:
    """Remove what an interrupted run left under temporary names."""
    for parent in (folder, *(folder / name for name in _FOLDERS)):
        if parent.is_dir():
            for path in parent.iterdir():
                if _UNFINISHED.fullmatch(path.name):
                    path.unlink()


def _own_files(folder: Location) -> Iterator[Location]:
    """Give the files that dsir writes into an output folder; the manifest first.

    The manifest says that a selection is whole, so it has to go before the rest.
    """
    if not folder.is_dir():
        return
    for name in (
        SELECTION_FILE,
        RANKING_FILE,
        INSTANCES_FILE,
        RUN_FILE,
        SUMMARIES_FILE,
        REJECTS_FILE,
    ):
        if (folder / name).is_file():
            yield folder / name
    for parent in (folder, *(folder / name for name in _FOLDERS)):
        if parent.is_dir():
            names = sorted(path.name for path in parent.iterdir())
            yield from (parent / name for name in names if _SHARD.fullmatch(name))
