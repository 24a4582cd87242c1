"""The claim of an output folder: one run at a time writes to it, and its files are of one run.

While a run is at work, `_dsir/.lock` says who it is. From the first file on until the last one, the
note `_dsir/.claim.json` says which run the files are of, so that the same run may go on after it
was killed, and no other. A folder with a manifest needs no note: its files are those of the run
that the manifest names.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from dsir.errors import OutputError
from dsir.output.folder import (
    CLAIM_FILE,
    LOCK_FILE,
    SIDE_FOLDER,
    check_output_folder,
    check_writable,
    clear_output_folder,
    own_files,
    refuse_no_folder,
    remove_empty_folders,
    remove_unfinished,
    unfinished_run,
)
from dsir.output.writer import writing
from dsir.remote import Location, RemotePath
from dsir.remote.lock import locked_remotely
from dsir.storage.atomic import write_json
from dsir.storage.workdir_lock import locked

_ATTEMPTS = 20


class Claim:
    """An output folder that a run holds; see `claimed`."""

    def __init__(self, folder: Location) -> None:
        self._folder = folder
        self._note = folder / CLAIM_FILE

    @property
    def owner(self) -> str | None:
        """The run whose unfinished output is in the folder; None if no note says so."""
        left = unfinished_run(self._folder)
        return None if left is None else left.run

    def clear(self) -> None:
        """Remove the output of an earlier run.

        Raises:
            OutputError: it cannot be removed.
        """
        # What is left when this run is killed meanwhile is nobody's.
        with writing(self._note):
            self._note.unlink(missing_ok=True)
        clear_output_folder(self._folder)

    def begin(self, run: str, *, resumable: bool = True) -> None:
        """Note that the files in the folder are of a run.

        Args:
            run: what tells the run from others.
            resumable: whether the same call goes on where this one stops. If not, the next run may
                replace what this one leaves when it is killed.

        Raises:
            OutputError: the note cannot be written.
        """
        if unfinished_run(self._folder) != (run, resumable):
            with writing(self._note):
                write_json(self._note, {"run": run, "resumable": resumable})

    def finish(self) -> None:
        """Note that the manifest is written: from now on it says whose files these are."""
        with writing(self._note):
            self._note.unlink(missing_ok=True)

    def forget(self, run: str) -> None:
        """Remove what a run that failed has written, if it has begun to write.

        What cannot be removed stays with its note, and the next run replaces it.

        Args:
            run: what tells the run from others.
        """
        if self.owner == run:
            with contextlib.suppress(OSError, OutputError):
                clear_output_folder(self._folder)
                self.finish()

    @contextmanager
    def unfinished(self, *, overwrite: bool) -> Iterator[None]:
        """Write, in a block, output that no later run goes on with; none is left if it fails.

        Args:
            overwrite: remove an earlier selection first. What a failed run left always goes.

        Raises:
            OutputError: the earlier output cannot be removed, or the note cannot be written.
        """
        if overwrite or self.owner is not None:
            self.clear()
        run = secrets.token_hex(8)
        self.begin(run, resumable=False)
        try:
            yield
        except BaseException:
            self.forget(run)
            raise
        self.finish()


@contextmanager
def claimed(folder: Location, *, for_others: bool = False) -> Iterator[Claim]:
    """Hold an output folder during a block: no other run may write to it.

    The folder is made if there is none, and removed again if nothing is written to it. Unfinished
    files that a killed run left are removed.

    In a store that can create a file only if there is none, and on a disk with locks, two runs
    cannot both hold a folder. In other stores each run looks again after a moment, so two runs can
    hold it only if one of them takes longer than a second to write its lock. Hugging Face
    repositories have no lock, because every file is a commit there.

    Args:
        folder: the output folder.
        for_others: keep the note of the run after the block, since other processes write for it.

    Raises:
        OutputError: another run is at work in the folder, or it cannot be made or written to.
    """
    if refuse_no_folder(folder) and not (folder / SIDE_FOLDER).is_dir():
        # Files with the names of parts are somebody else's there.
        check_output_folder(folder, overwrite=True, resuming=False)
    if isinstance(folder, Path):
        check_writable(folder)
    with contextlib.ExitStack() as stack:
        stack.callback(remove_empty_folders, folder, _missing(folder))
        stack.enter_context(_locked(folder))
        claim = Claim(folder)
        if not for_others:
            stack.callback(_forget_nothing, claim, folder)
        try:
            remove_unfinished(folder)
        except OSError as error:
            raise OutputError(f"{folder}: cannot remove unfinished files: {error}") from error
        yield claim


def _forget_nothing(claim: Claim, folder: Location) -> None:
    """Remove the note of a run that has written nothing."""
    with contextlib.suppress(OSError, OutputError):
        if claim.owner is not None and not any(own_files(folder)):
            claim.finish()


def refuse_lost(folder: Location, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise OutputError if a file that this run has written is no longer as it was written.

    Args:
        folder: the output folder.
        files: the files, as the manifest describes them. In a store only their names are looked at.
    """
    places = {name.rpartition("/")[0] for name in files}
    try:
        there = {
            str(PurePosixPath(place, entry.name))
            for place in places
            for entry in _entries(folder / place if place else folder)
        }
    except OSError as error:
        raise OutputError(f"{folder}: cannot be read: {error}") from error
    for name, described in files.items():
        path = folder / name
        lost = name not in there
        if not lost and isinstance(path, Path):
            try:
                lost = path.stat().st_size != described["bytes"]
            except OSError:
                lost = True
        if lost:
            raise OutputError(
                f"{path}: was removed or changed while this run wrote to the folder; see that "
                "nothing else uses the folder, and start again"
            )


def _entries(place: Location) -> Iterable[Location]:
    return place.iterdir() if isinstance(place, RemotePath) or place.is_dir() else ()


def _missing(folder: Location) -> list[Path]:
    """Return the folders that have to be made, the innermost first."""
    if isinstance(folder, RemotePath):
        return []
    return [place for place in (folder, *folder.parents) if not place.exists()]


def _locked(folder: Location) -> AbstractContextManager[None]:
    if isinstance(folder, RemotePath):
        if folder.commits:
            return contextlib.nullcontext()
        return locked_remotely(folder / LOCK_FILE, folder, error=OutputError, instead="out")
    return _locked_here(folder)


@contextmanager
def _locked_here(folder: Path) -> Iterator[None]:
    with ExitStack() as stack:
        for attempt in range(_ATTEMPTS):
            lock = locked(folder, name=LOCK_FILE, error=OutputError, instead="out", removes=True)
            try:
                (folder / SIDE_FOLDER).mkdir(parents=True, exist_ok=True)
                stack.enter_context(lock)
            except OSError as error:
                raise OutputError(f"{folder}: cannot be made: {error}") from error
            except OutputError as error:
                # A run that ends just now has removed the folder again.
                if attempt + 1 < _ATTEMPTS and isinstance(error.__cause__, FileNotFoundError):
                    continue
                raise
            break
        yield
