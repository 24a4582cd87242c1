"""One run at a time in a work directory of a store.

Locks of a store do not end with the process that holds them. Where the store can create a file only
if there is none, two runs cannot both get it; S3 and Google Cloud Storage through pyarrow cannot be
asked for that, so the file is written and looked at again after a moment: the last of those who
came at once has it. What a dead process of this machine has left is taken over; what one of another
machine has left is only taken for dead by a person.
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

from dsir.errors import WorkdirError
from dsir.remote.location import RemotePath
from dsir.remote.store import RemoteError

# Longer than it takes from looking whether there is a lock to having written one.
SETTLE_SECONDS = 1.0


@contextmanager
def locked_remotely(path: RemotePath) -> Iterator[None]:
    """Hold a lock file of a store during a block.

    Raises:
        WorkdirError: another run holds it, or has left it behind on another machine; or the store
            does not take it.
    """
    mine = {
        "host": platform.node(),
        "pid": os.getpid(),
        "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "token": secrets.token_hex(8),
    }
    try:
        found = remote_holder(path)
        if found is not None:
            if not _is_dead(found):
                raise _held(path, found)
            path.unlink(missing_ok=True)
        _write(path, mine)
    except RemoteError as error:
        raise WorkdirError(f"{path}: {error}") from error
    try:
        yield
    finally:
        # A store out of reach: who comes next on this machine sees that the process is dead.
        with contextlib.suppress(OSError):
            if remote_holder(path) == mine:
                path.unlink(missing_ok=True)


def remote_holder(path: RemotePath) -> dict[str, Any] | None:
    """Return who holds a lock file of a store; None where there is none.

    Raises:
        RemoteError: the store does not say.
    """
    try:
        found = json.loads(path.read_bytes() or b"{}")
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: RemotePath, mine: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="dsir-") as folder:
        local = Path(folder) / "lock"
        local.write_text(json.dumps(mine), encoding="utf-8")
        created = path.store.create(local, path.key)
        if created is None:
            path.upload(local)
            time.sleep(SETTLE_SECONDS)
    found = remote_holder(path)
    if found != mine:
        raise _held(path, found or {})


def _is_dead(holder: dict[str, Any]) -> bool:
    """Tell whether a holder was a process of this machine that is no more."""
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


def _held(path: RemotePath, holder: dict[str, Any]) -> WorkdirError:
    named = (
        f"process {holder.get('pid', '?')} on {holder.get('host', '?')}, "
        f"since {holder.get('since', '?')}"
    )
    return WorkdirError(
        f"{path.parent}: another run is at work in it ({named}); wait for it, or give another "
        f"work directory; if that run is dead, remove {path}"
    )
