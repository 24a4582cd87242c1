"""Files that get their names when they are whole, or never.

On this machine a rename does it. Stores have no rename and need none: a file is written to a
temporary folder here and uploaded at once, and the store shows it only when all of it is there.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import io
import json
import os
import platform
import re
import secrets
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from dsir.remote import Location, RemotePath
from dsir.remote.store import RemoteError
from dsir.storage.links import followed

_ABANDONED_SECONDS = 24 * 3600
# Name of the final file, process, machine.
_TEMPORARY = re.compile(r"\.(.+)\.tmp-(\d+)-([0-9a-f]{8})[0-9a-f]*", re.DOTALL)


class UnfinishedFile(io.RawIOBase):
    """A file to write to, which gets its name on `commit`.

    Until then its name has a leading dot, in the folder of the final file. A file for a store is
    written to a temporary folder of this machine (TMPDIR).

    Attributes:
        path: where the file appears when it is whole.
        temporary: where the file is until then.
        size: bytes written so far.

    Args:
        path: where the file appears when it is whole.
        durable: flush the file to the disk before it gets its name, so that it survives a power
            cut. Files that the run itself removes can do without: the flush takes longer than
            a small shard.
        hashed: compute the SHA-256 of the bytes as they are written (hashlib releases the GIL).
    """

    def __init__(self, path: Location, *, durable: bool = True, hashed: bool = False) -> None:
        super().__init__()
        self.path: Location = path
        self.size = 0
        self._sha256 = hashlib.sha256() if hashed else None
        self._durable = durable
        self._given_up = False
        self._is_there = False
        if isinstance(path, RemotePath):
            descriptor, name = tempfile.mkstemp(prefix="dsir-", suffix=f"-{path.name}")
            self.temporary = Path(name)
            self._is_there = True
            self._file: IO[bytes] = os.fdopen(descriptor, "wb")
            return
        refuse_special(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise NotADirectoryError(errno.ENOTDIR, "is not a folder", str(path.parent)) from None
        token = _host() + secrets.token_hex(4)
        self.temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}-{token}")
        self._is_there = True
        try:
            # The system's error names the file if opening fails, but not if writing fails.
            with _naming(path):
                self._file = self.temporary.open("xb")
        except KeyboardInterrupt:
            # It may come when the file is already there, and nobody else knows its name.
            self.temporary.unlink(missing_ok=True)
            raise

    def writable(self) -> bool:
        """Return True; pyarrow checks it."""
        return True

    def write(self, data: object, /) -> int:
        """Write bytes, or drop them after `discard`.

        pyarrow's writers write a footer when they are destroyed, even after an error.
        """
        view = memoryview(data)  # type: ignore[arg-type]
        if not self._given_up:
            with _naming(self.path):
                self._file.write(view)
            self.size += view.nbytes
            if self._sha256 is not None:
                self._sha256.update(view)
        return view.nbytes

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes written, in hexadecimal digits; empty unless `hashed`."""
        return "" if self._sha256 is None else self._sha256.hexdigest()

    def tell(self) -> int:
        """Return the number of bytes written."""
        return 0 if self._given_up else self._file.tell()

    def settle(self) -> None:
        """Flush all bytes to the temporary file, so that it can be read."""
        self._file.flush()

    def commit(self) -> Location:
        """Flush the file to the disk, give it its name, and return the path."""
        with _naming(self.path):
            self._file.flush()
            if isinstance(self.path, RemotePath):
                self._file.close()
                self.path.upload(self.temporary)
                self._given_up = True
                self.temporary.unlink(missing_ok=True)
                self._is_there = False
                return self.path
            if self._durable:
                os.fsync(self._file.fileno())
            self._file.close()
            self.temporary.replace(self.path)
            self._given_up, self._is_there = True, False
            if self._durable:
                _sync_folder(self.path.parent)
        return self.path

    def discard(self) -> None:
        """Remove the file. Does nothing after `commit`, or if it is already removed."""
        if not self._is_there:
            return
        self._given_up = True
        # The disk may be full or the folder gone. Either way there is nothing left to save.
        with contextlib.suppress(OSError, AttributeError):
            self._file.close()
        with contextlib.suppress(OSError):
            self.temporary.unlink(missing_ok=True)
        self._is_there = False

    def __del__(self) -> None:
        """Remove the file if nobody can: an exception came before anyone had a name for it."""
        if getattr(self, "_is_there", False):
            self.discard()


@contextmanager
def atomic_file(
    path: Location, *, durable: bool = True, named: bool = False
) -> Iterator[UnfinishedFile]:
    """Open a file that gets its name only when the block ends without an exception.

    Args:
        path: the file.
        durable: see `UnfinishedFile`.
        named: the user has named the file. What a link leads to is written, and what killed runs
            left of the file under temporary names is removed, since nothing else looks after its
            folder.

    Raises:
        OSError: the file cannot be written.
    """
    if named and isinstance(path, Path):
        path = followed(path)
        remove_abandoned(path.parent, path.name)
    file = UnfinishedFile(path, durable=durable)
    try:
        yield file
        file.commit()
    except BaseException:
        file.discard()
        raise


def refuse_special(path: Location) -> None:
    """Raise OSError if a path names something that a file must not take the place of.

    A rename would replace a device, a pipe or a socket, and not write to it.

    Raises:
        OSError: the path is that of a folder or of no regular file.
    """
    if not isinstance(path, Path):
        return
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # There is none, or opening it says why not.
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder, not a file", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "is not a regular file; give another path", str(path))


def remove_abandoned(folder: Path, name: str | None = None) -> None:
    """Remove files that killed runs left in a folder under temporary names.

    Other runs may be writing to the folder. So only the files of processes of this machine that no
    longer exist are removed, and files that nobody has written to for a day.

    Args:
        folder: the folder; it need not exist.
        name: remove only what was to become the file of this name; None for any file.
    """
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        match = _TEMPORARY.fullmatch(entry.name)
        if match is None or name not in (None, match[1]):
            continue
        with contextlib.suppress(OSError):
            of_this_machine = match[3] == _host()
            old = time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED_SECONDS
            if old or (of_this_machine and not _is_alive(int(match[2]))):
                Path(entry).unlink()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


@functools.cache
def _host() -> str:
    """Return 8 hexadecimal digits that tell this machine from others."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def json_bytes(value: Any, *, indent: int | None = 2) -> bytes:
    """Return a value as JSON; equal values give equal bytes.

    Args:
        value: JSON values.
        indent: spaces a level, for files that people read; None is ten times as fast.
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    # File names may not be UTF-8. Their other bytes become JSON escapes.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def write_json(path: Location, value: Any, *, durable: bool = True, indent: int | None = 2) -> None:
    """Write a value as JSON, atomically; see `json_bytes`."""
    with atomic_file(path, durable=durable) as file:
        file.write(json_bytes(value, indent=indent))


@contextmanager
def _naming(path: Location) -> Iterator[None]:
    """Make the system's errors in a block name a file by its final path."""
    try:
        yield
    except OSError as error:
        # A store's errors name the file themselves, in their `url`.
        if not isinstance(error, RemoteError):
            error.filename = str(path)
            del error.filename2  # None would be shown as the name of another file.
        raise


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut: names are the content of their folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
