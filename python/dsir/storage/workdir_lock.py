"""The lock of a folder, which lets one run at a time work in it.

It is a lock of the system (flock), so it ends with the process that holds it, however that ends.
The lock file also says who holds it: for the message, and because on some file systems locks do not
reach other machines. A run on another machine is dead if it has not renewed the lock file for ten
minutes (`dsir.remote.beat`).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from dsir.errors import DsirError, WorkdirError
from dsir.remote import Folder, Mirror
from dsir.remote.beat import beating, is_silent, way_out
from dsir.remote.lock import SETTLE_SECONDS, locked_remotely, remote_holder
from dsir.remote.store import RemoteError

NAME = "lock"
_BEAT = 30  # Seconds between two signs of life.
_LONGEST = 1 << 16  # Characters to read. The entry of a holder has about a hundred.


@contextmanager
def locked(
    workdir: Folder,
    *,
    name: str = NAME,
    error: type[DsirError] = WorkdirError,
    instead: str = "work directory",
    removes: bool = False,
) -> Iterator[None]:
    """Hold the lock of an existing folder during a block.

    Args:
        workdir: the folder, a work directory unless the other arguments say otherwise.
        name: the lock file, from the folder.
        error: the type of the errors.
        instead: what messages call the folder.
        removes: remove the lock file at the end. Otherwise an empty file stays.

    Raises:
        WorkdirError: another run holds the lock, or left it behind on another machine; or the lock
            file cannot be written.
    """
    if isinstance(workdir, Mirror):
        with locked_remotely(workdir.remote / name):
            yield
        return
    path = workdir / name
    with _opened(path, error) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise error(
                f"{workdir}: another run is at work in it ({_named(_holder(file))}); wait for it, "
                f"or give another {instead}"
            ) from None
        except OSError:
            # The file system has no locks: all there is to go by is the holder in the file.
            left = _holder(file)
        else:
            if removes and not _is_at(file, path):
                # The run that held the lock has removed the file in the meantime.
                raise error(f"{workdir}: another run has just ended in it; start again")
            left = _holder(file)
            if left is not None and left.get("host") == platform.node():
                left = None
        if left is not None and not _is_silent(path, left):
            raise _left_behind(workdir, path, left, error)
        mine = {
            **{"host": platform.node(), "pid": os.getpid(), "since": _now()},
            **{"beat": _BEAT, "token": secrets.token_hex(8)},
        }
        try:
            _write(file, mine)
        except OSError as cause:
            raise error(f"{path}: cannot be written: {cause.strerror}") from cause
        if left is not None:
            # Runs on several machines may take over at the same time: the last one has the lock.
            time.sleep(SETTLE_SECONDS)
            if _holder(file) != mine:
                raise _left_behind(workdir, path, _holder(file) or {}, error)
        try:
            with beating(lambda: os.utime(file.fileno()), _BEAT):
                yield
        finally:
            with contextlib.suppress(OSError):
                if _holder(file) == mine:
                    if removes:
                        path.unlink()  # Before the lock ends: then the file may be another's.
                    else:
                        file.truncate(0)


def _opened(path: Path, error: type[DsirError]) -> IO[str]:
    try:
        return path.open("a+", encoding="utf-8", errors="replace")
    except OSError as cause:
        raise error(f"{path}: cannot be written: {cause.strerror}") from cause


def _is_at(file: IO[str], path: Path) -> bool:
    """Tell whether an open file is the one at a path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def holder_of(workdir: Folder) -> dict[str, Any] | None:
    """Return who is at work in a work directory (host, pid, since); None if nobody is."""
    if isinstance(workdir, Mirror):
        try:
            return remote_holder(workdir.remote / NAME)
        except RemoteError as error:
            raise WorkdirError(f"{workdir}: cannot be read: {error}") from error
    path = workdir / NAME
    try:
        file = path.open(encoding="utf-8", errors="replace")
    except OSError:
        return None
    with file:
        holder = _holder(file)
        if holder is None or holder.get("host") != platform.node():
            return holder
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return holder
        return None


def _left_behind(
    workdir: Path, path: Path, holder: dict[str, Any], error: type[DsirError]
) -> DsirError:
    return error(
        f"{workdir}: another run is at work in it, or died and left its lock "
        f"({_named(holder)}); {way_out(holder, path)}"
    )


def _is_silent(path: Path, holder: dict[str, Any]) -> bool:
    """Tell by the clock that gives files their times whether a holder shows no sign of life."""
    probe = path.with_name(f".lock.tmp-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        renewed = path.stat().st_mtime
        probe.touch()
        now = probe.stat().st_mtime
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return is_silent(holder, renewed, now)


def _holder(file: IO[str]) -> dict[str, Any] | None:
    """Return who holds the lock according to its file; None if the file is empty."""
    file.seek(0)
    content = file.read(_LONGEST)
    if not content:
        return None
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _named(holder: dict[str, Any] | None) -> str:
    known = holder or {}
    return (
        f"process {known.get('pid', '?')} on {known.get('host', '?')}, "
        f"since {known.get('since', '?')}"
    )


def _write(file: IO[str], holder: dict[str, Any]) -> None:
    # Not through the file object: bytes it failed to write, it would try to write again on close.
    os.ftruncate(file.fileno(), 0)
    os.write(file.fileno(), json.dumps(holder).encode())


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
