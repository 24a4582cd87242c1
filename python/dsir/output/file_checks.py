"""Whether the files of a selection are those that its manifest speaks of."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from dsir.corpus.files import is_known
from dsir.errors import OutputError
from dsir.output.folder import RUN_FILE, SELECTION_FILE
from dsir.output.manifest import Manifest
from dsir.output.part_rows import own_file
from dsir.output.row_origins import ORIGINS_FOLDER

_PIECE_BYTES = 1 << 20
_READ_ERRORS = (pa.ArrowException, OSError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be.

    Attributes:
        kind: "manifest", "file", "input", "setting", "account" or "row".
        message: what is wrong, and where.
    """

    kind: str
    message: str

    def describe(self) -> dict[str, str]:
        """Return the same as plain values."""
        return {"kind": self.kind, "message": self.message}


def check_files(manifest: Manifest) -> Iterator[Finding]:
    """Compare every file of the output with what the manifest says of it."""
    for name, account in manifest.files.items():
        try:
            path = own_file(manifest, name)
            found = _check_file(path, account.bytes, account.sha256, account.rows)
        except OutputError as error:
            found = str(error)
        except OSError as error:
            found = f"{manifest.folder / name}: cannot be read: {error.strerror or error}"
        if found is not None:
            yield Finding("file", found)
    yield from _check_totals(manifest)


def _check_file(path: Path, size: int, sha256: str, rows: int) -> str | None:
    if not path.exists():
        return f"{path}: is missing"
    if not path.is_file():
        return f"{path}: is not a file"
    found = path.stat().st_size
    if found != size:
        what = "is cut off" if found < size else "is too long"
        return f"{path}: {what}: it has {found:,} bytes, and had {size:,} when it was written"
    digest = hashlib.sha256()
    lines = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            lines += piece.count(b"\n") if path.suffix == ".jsonl" else 0
    if digest.hexdigest() != sha256:
        return f"{path}: was changed after it was written: its checksum is another"
    counted = lines if path.suffix == ".jsonl" else _rows_in(path)
    if counted != rows:
        return f"{path}: has {counted:,} rows, and the manifest says {rows:,}"
    return None


def _rows_in(path: Path) -> int:
    import pyarrow.parquet as pq  # Here: long to import.

    try:
        if path.suffix == ".parquet":
            return int(pq.read_metadata(path).num_rows)
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            return sum(reader.get_batch(i).num_rows for i in range(reader.num_record_batches))
    except _READ_ERRORS as error:
        raise OutputError(f"{path}: cannot be read: {error}") from error


def _check_totals(manifest: Manifest) -> Iterator[Finding]:
    """Make sure that the manifest agrees with itself on what there is."""
    where = manifest.folder / SELECTION_FILE
    rows = sum(manifest.files[name].rows for name in manifest.parts if name in manifest.files)
    accounts = manifest.content.get("metrics", {}).get("rows", {})
    selected = accounts.get("selected") if isinstance(accounts, dict) else None
    if not manifest.content["settings"]:
        return  # Nothing is known of it; that was said.
    if not manifest.parts:
        yield Finding("manifest", f"{where}: names no part")
    if rows != selected:
        yield Finding("manifest", f"{where}: speaks of {selected} rows, its parts of {rows}")
    listed = set(manifest.parts)
    for name in manifest.files:
        if name.startswith("part-") and name not in listed:
            yield Finding("manifest", f"{where}: does not list {name} among its outputs")
    for name in manifest.parts:
        if f"{ORIGINS_FOLDER}/{Path(name).stem}.parquet" not in manifest.files:
            yield Finding(
                "manifest", f"{where}: does not say where the rows of {name:.80} are from"
            )


def check_nothing_else(manifest: Manifest) -> Iterator[tuple[bool, str]]:
    """Look for files in the folder that are not of the selection.

    Yields:
        Whether a reader of the folder would take it for a part of the selection, and a message.
    """
    own = {SELECTION_FILE, RUN_FILE, *manifest.files}
    for parent, folders, files in os.walk(manifest.folder):
        at = Path(parent).relative_to(manifest.folder)
        for name in sorted(files):
            path = at / name
            if path.as_posix() in own:
                continue
            # Hidden files and folders are nobody's input; an unfinished file has such a name.
            hidden = any(part.startswith(".") for part in path.parts)
            if hidden:
                yield False, f"{manifest.folder / path}: is a hidden file, which no reader takes"
            elif is_known(path, in_folder=True):
                yield True, f"{manifest.folder / path}: is not of this selection"
            else:
                yield False, f"{manifest.folder / path}: is not of this selection"
        folders.sort()
