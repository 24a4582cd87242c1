"""Check that the files of a selection are those that its manifest lists."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dsir.check.part_rows import beside_part, own_file
from dsir.corpus.files import is_known
from dsir.errors import OutputError
from dsir.formats import how_read, loaded
from dsir.output.folder import (
    CARD_FILE,
    DATA_FOLDER,
    DATASET_NOTE,
    MODEL_FILE,
    ORIGINS_FOLDER,
    REPORT_FILE,
    RUN_FILE,
    SELECTION_FILE,
)
from dsir.output.manifest import Manifest
from dsir.plural import counted
from dsir.progress import Advance, ignore
from dsir.remote import Location, RemotePath
from dsir.remote.read_errors import translated
from dsir.remote.reading import open_bytes

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that differs from what it must be.

    Attributes:
        kind: "manifest", "file", "input", "setting", "account" or "row".
        message: what is wrong, and where.
    """

    kind: str
    message: str

    def describe(self) -> dict[str, str]:
        """Return the same as plain values."""
        return {"kind": self.kind, "message": self.message}


def check_files(manifest: Manifest, advance: Advance = ignore) -> Iterator[Finding]:
    """Compare every file of the output with its entry in the manifest; give what differs.

    Args:
        manifest: the manifest.
        advance: told of every file that has been compared.
    """
    for name in manifest.files:
        found = _problem_of(manifest, name)
        advance(1)
        if found is not None:
            yield Finding("file", found)
    yield from _check_totals(manifest)


def refuse_changed(manifest: Manifest, part: str, *, beside: bool) -> None:
    """Raise OutputError if a part, or the files beside it, are not as the manifest says.

    Args:
        manifest: the manifest of the selection.
        part: the name of the part.
        beside: check the files beside the part, which say where its rows come from, and not the
            part itself.

    Raises:
        OutputError: a file was changed, or is missing.
        StoreError: the store fails.
    """
    stem = _stem(part)
    for name in manifest.files:
        if _stem(name) == stem and name.startswith(f"{DATA_FOLDER}/") != beside:
            found = _problem_of(manifest, name)
            if found is not None:
                raise OutputError(found)


def _problem_of(manifest: Manifest, name: str) -> str | None:
    """Return how a file differs from its entry in the manifest; None if it does not."""
    account = manifest.files[name]

    def unreadable(error: Exception) -> OutputError:
        reason = getattr(error, "strerror", None) or error
        return OutputError(f"{manifest.folder / name}: cannot be read: {reason}")

    try:
        path = own_file(manifest, name)
        with translated(unreadable):
            return _check_file(path, account.bytes, account.sha256, account.rows)
    except OutputError as error:
        return str(error)


def _stem(name: str) -> str:
    return PurePosixPath(name).name.partition(".")[0]


def _check_file(path: Location, size: int, sha256: str, rows: int) -> str | None:
    found = _size_of(path)
    if isinstance(found, str):
        return f"{path}: {found}"
    if found != size:
        what = "is cut off" if found < size else "is too long"
        return f"{path}: {what}: it has {counted(found, 'byte')}, and had {size:,} when written"
    digest = hashlib.sha256()
    lines = 0
    found_format = how_read(path)
    has_rows = path.name not in (PurePosixPath(MODEL_FILE).name, DATASET_NOTE)
    if found_format is None and has_rows:
        return f"{path}: has a suffix that dsir does not read"
    has_lines = found_format is not None and found_format.format.rows_are_lines
    with open_bytes(path) as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            lines += piece.count(b"\n") if has_lines else 0
    if digest.hexdigest() != sha256:
        return f"{path}: was changed after it was written: its checksum differs"
    counter = None if found_format is None else found_format.format.row_counter
    found_rows = lines if counter is None else loaded(counter)(path)
    if found_rows != rows:
        return f"{path}: has {counted(found_rows, 'row')}, but the manifest says {rows:,}"
    return None


def _size_of(path: Location) -> int | str:
    """Return the bytes of a file, or what is wrong with it."""
    if isinstance(path, RemotePath):
        state = path.state()
        return "is missing" if state is None else state.size
    if not path.exists():
        return "is missing"
    return path.stat().st_size if path.is_file() else "is not a file"


def _check_totals(manifest: Manifest) -> Iterator[Finding]:
    """Check that the entries of the manifest agree with each other."""
    where = manifest.folder / SELECTION_FILE
    rows = sum(manifest.files[name].rows for name in manifest.parts if name in manifest.files)
    accounts = manifest.content.get("metrics", {}).get("rows", {})
    selected = accounts.get("selected") if isinstance(accounts, dict) else None
    if not manifest.content["settings"]:
        return  # The manifest could not be read, which is a finding already.
    if not manifest.parts:
        yield Finding("manifest", f"{where}: lists no part")
    if rows != selected:
        yield Finding(
            "manifest",
            f"{where}: says that {selected} rows were selected, but its parts have {rows}",
        )
    listed = set(manifest.parts)
    for name in manifest.files:
        if name.startswith(f"{DATA_FOLDER}/") and name not in listed:
            yield Finding("manifest", f"{where}: does not list {name} among its outputs")
    for name in manifest.parts:
        if beside_part(name, ORIGINS_FOLDER) not in manifest.files:
            yield Finding(
                "manifest", f"{where}: does not say where the rows of {name:.80} come from"
            )


def check_nothing_else(manifest: Manifest) -> Iterator[tuple[bool, str]]:
    """Look for files in the folder that do not belong to the selection.

    Yields:
        For each file, whether a reader of the folder would take it for a part, and a message.
    """
    own = {SELECTION_FILE, RUN_FILE, REPORT_FILE, CARD_FILE, *manifest.files}
    folder = manifest.folder
    if isinstance(folder, RemotePath) and not folder.store.lists:
        yield False, f"{folder}: the server does not list files, so other files were not looked for"
        return
    for path in _all_files(folder):
        if path.as_posix() in own:
            continue
        # No reader takes hidden files, and unfinished files are hidden.
        hidden = any(part.startswith(".") for part in path.parts)
        if hidden:
            yield False, f"{folder / str(path)}: is a hidden file, which readers ignore"
        else:
            taken = is_known(Path(path), in_folder=True)
            yield taken, f"{folder / str(path)}: does not belong to this selection"


def _all_files(folder: Location) -> Iterator[PurePosixPath]:
    """Give the paths of all files below a folder, relative to the folder."""
    if isinstance(folder, RemotePath):
        start = f"{folder.key}/"
        with translated(lambda error: OutputError(f"{folder}: cannot be listed: {error}")):
            keys = sorted(folder.store.files(folder.key))
        for key in keys:
            if key.startswith(start) and not key.endswith("/"):
                yield PurePosixPath(key[len(start) :])
        return
    for parent, folders, files in os.walk(folder):
        at = Path(parent).relative_to(folder)
        yield from (PurePosixPath((at / name).as_posix()) for name in sorted(files))
        folders.sort()
