"""The lock of a folder in a store, which lets one run at a time work in it.

The lock is a file, which does not end with the process that holds it. Some stores can create a file
only if there is none, and then two runs cannot both get the lock. pyarrow cannot ask S3 and Google
Cloud Storage for this, so the file is written and read again after a moment: of the runs that write
it at the same time, the last one has the lock. The lock of a dead process of this machine is taken
over, and one of another machine that was not renewed for twenty minutes (`dsir.remote.beat`).
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dsir.errors import DsirError, WorkdirError
from dsir.remote.beat import beating, is_silent, patience_of, way_out
from dsir.remote.location import RemotePath
from dsir.remote.store import RemoteError

# Longer than it takes to look for a lock and then write one.
SETTLE_SECONDS = 1.0
_BEAT = 60  # Seconds between two signs of life. Each is three requests, of which one is paid for.


@contextmanager
def locked_remotely(
    path: RemotePath,
    folder: RemotePath | None = None,
    *,
    error: type[DsirError] = WorkdirError,
    instead: str = "work directory",
) -> Iterator[None]:
    """Hold a lock file in a store during a block.

    Args:
        path: the lock file.
        folder: the folder that it locks, for messages; None for the one that it is in.
        error: the type of the errors.
        instead: what messages call the folder.

    Raises:
        WorkdirError: another run holds the lock, or left it behind on another machine; or the store
            cannot be read or written.
    """
    mine = {
        "host": platform.node(),
        "pid": os.getpid(),
        "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "token": secrets.token_hex(8),
        "beat": _BEAT,
    }

    def held(holder: dict[str, Any]) -> DsirError:
        named = (
            f"process {holder.get('pid', '?')} on {holder.get('host', '?')}, "
            f"since {holder.get('since', '?')}"
        )
        return error(
            f"{folder or path.parent}: another run is at work in it ({named}); wait for it, or "
            f"give another {instead}; {way_out(holder, path)}"
        )

    try:
        found = remote_holder(path)
        if found is not None:
            if not _is_dead(found) and not _is_silent(path, found):
                raise held(found)
            if remote_holder(path) == found:
                path.unlink(missing_ok=True)
        now = _write(path, mine)
        if now != mine:
            raise held(now or {})
    except RemoteError as cause:
        raise error(f"{path}: {cause}") from cause

    def renew() -> None:
        # Not the lock of another run, which took this one for dead.
        if remote_holder(path) == mine:
            _upload(path, mine)

    try:
        with beating(renew, _BEAT):
            yield
    finally:
        # If the store cannot be reached now, the next run here will see that the process is dead.
        with contextlib.suppress(OSError):
            if remote_holder(path) == mine:
                path.unlink(missing_ok=True)


def remote_holder(path: RemotePath) -> dict[str, Any] | None:
    """Return who holds a lock file in a store; None if there is no such file.

    Raises:
        RemoteError: the store cannot be read.
    """
    try:
        found = json.loads(path.read_bytes() or b"{}")
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: RemotePath, mine: dict[str, Any]) -> dict[str, Any] | None:
    """Write a lock file, unless there is one, and return what is there in the end."""
    with tempfile.TemporaryDirectory(prefix="dsir-") as folder:
        local = Path(folder) / "lock"
        local.write_text(json.dumps(mine), encoding="utf-8")
        created = path.store.create(local, path.key)
        if created is None:
            path.upload(local)
            time.sleep(SETTLE_SECONDS)
    return remote_holder(path)


def _upload(path: RemotePath, value: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="dsir-") as folder:
        local = Path(folder) / "lock"
        local.write_text(json.dumps(value), encoding="utf-8")
        path.upload(local)


def _is_silent(path: RemotePath, holder: dict[str, Any]) -> bool:
    """Tell by the clock of the store whether a holder shows no sign of life."""
    if patience_of(holder) is None:
        return False
    probe = path.parent / f".dsir-probe-{secrets.token_hex(8)}"
    _upload(probe, {})
    try:
        renewed, now = path.state(), probe.state()
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return (
        renewed is not None and now is not None and is_silent(holder, renewed.changed, now.changed)
    )


def _is_dead(holder: dict[str, Any]) -> bool:
    """Tell whether a holder is a process of this machine that no longer exists."""
    pid = holder.get("pid")
    if holder.get("host") != platform.node() or not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
