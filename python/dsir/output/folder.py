"""The folder that a selection is written to: what it may hold before, and clearing it."""

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

# Folders that hold another file for every part.
_FOLDERS = (WEIGHTS_FOLDER, ORIGINS_FOLDER)

_SHARD = re.compile(r"part-\d{5,}\.(parquet|jsonl|arrow)")
_UNFINISHED = re.compile(
    r"\.(part-\d{5,}|selection|run|ranking|summaries|instances|_rejects)\.[a-z.]+\.tmp-.*"
)


def check_output_folder(folder: Location, *, overwrite: bool, resuming: bool) -> None:
    """Raise OutputError unless a selection may be written to a folder.

    Args:
        folder: the folder; it need not exist.
        overwrite: a selection in the folder may be replaced.
        resuming: this run itself wrote what is in the folder.

    Raises:
        OutputError: `folder` is not a folder, or is not empty.
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
            f"{folder}: is not empty: it holds files that no selection has "
            f"({', '.join(foreign[:3])}{' and more' if len(foreign) > 3 else ''}); "
            "give an empty or a new folder"
        )
    if found and not overwrite and not resuming:
        raise OutputError(
            f"{folder}: is not empty; give an empty or a new folder, "
            "or overwrite=True to replace the selection there"
        )


def check_writable(folder: Location) -> None:
    """Raise OutputError unless a folder can be made or written to, before hours of work go into it.

    Raises:
        OutputError: the folder cannot be made or written to.
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
        return  # A probe would be a commit there, for all to see.
    probe = folder / f".dsir-probe-{secrets.token_hex(4)}"
    try:
        write_json(probe, None)
        probe.unlink(missing_ok=True)
    except RemoteError as error:
        raise OutputError(f"{folder}: cannot be written to: {error}") from error


def _refuse_reading_only(folder: Location) -> None:
    if isinstance(folder, RemotePath) and not folder.store.writes:
        raise OutputError(f"{folder}: {folder.protocol} can only be read; give another out")


def clear_output_folder(folder: Location) -> None:
    """Remove the selection in a folder, and nothing else.

    Raises:
        OutputError: the selection cannot be removed.
    """
    try:
        for path in _own_files(folder):
            path.unlink()
        for subfolder in (folder / name for name in _FOLDERS):
            if subfolder.is_dir() and not any(subfolder.iterdir()):
                subfolder.rmdir()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be overwritten: {error}") from error


def remove_unfinished(folder: Location) -> None:
    """Remove the files that an interrupted run left under temporary names."""
    for parent in (folder, *(folder / name for name in _FOLDERS)):
        if parent.is_dir():
            for path in parent.iterdir():
                if _UNFINISHED.fullmatch(path.name):
                    path.unlink()


def _own_files(folder: Location) -> Iterator[Location]:
    """Yield the files that dsir writes into an output folder, the manifest first.

    The manifest says that a selection is whole, so it has to be removed before the rest.
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
