"""The sign of life of a run that holds a lock, and how long it may be missing.

A lock that names a process of another machine says nothing of whether that process is alive. So the
holder renews the lock file at every beat. Whoever finds the lock compares two times by the same
clock, that of the file server or store: when the lock file was last renewed, and when a file that
is written now appears. The clocks of the machines themselves do not matter.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

# Beats without a sign of life after which a holder is dead. Clients of NFS may see a new time only
# after 60 seconds, and a busy server or store may answer late.
_MOST_MISSED = 20
_SLOWEST = 3600.0


@contextmanager
def beating(beat: Callable[[], object], seconds: float) -> Iterator[None]:
    """Call a function every so many seconds during a block, in a thread of its own.

    Errors of the system are passed over: the next beat may succeed, and if none does, the others
    take this run for dead.
    """
    over = threading.Event()

    def run() -> None:
        while not over.wait(seconds):
            with contextlib.suppress(OSError):
                beat()

    thread = threading.Thread(target=run, name="dsir-lock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def patience_of(holder: Mapping[str, Any]) -> float | None:
    """Return the seconds without a sign of life after which a holder is dead.

    None if it gives none, such as one of an earlier version: then only a person can tell.
    """
    beat = holder.get("beat")
    if isinstance(beat, bool) or not isinstance(beat, (int, float)) or not 0 < beat <= _SLOWEST:
        return None
    return _MOST_MISSED * float(beat)


def is_silent(holder: Mapping[str, Any], renewed: float, now: float) -> bool:
    """Tell whether a holder has given no sign of life for too long.

    Args:
        holder: what the lock file says.
        renewed: when it was last written, in seconds; 0 if that is not known.
        now: the time by the same clock.
    """
    patience = patience_of(holder)
    return patience is not None and renewed > 0 and now - renewed > patience


def way_out(holder: Mapping[str, Any], path: object) -> str:
    """Return what to do about a lock that a dead run may have left behind."""
    patience = patience_of(holder)
    if patience is None:
        return f"if that run is dead, remove {path}"
    return (
        f"if that run is dead, remove {path}, or start again in {patience / 60:.0f} minutes: a "
        "lock without a sign of life for so long does not count"
    )
