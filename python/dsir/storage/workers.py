"""The workers of a planned run: who is at work in a work directory, and on which unit.

Several processes, on one machine or many, work on one run. Each has a file in the folder `workers`,
which it writes again every few seconds, and makes a *claim* in the folder `claims` before it begins
a unit. Both are hints that keep two workers from doing the same work. They are no locks: a unit
that two workers do has the same result twice, and the second rename replaces the first.

A claim counts as long as its worker is alive. A worker is dead if its file is gone or was not
written for a minute. On the worker's own machine a process that does not exist any more is dead
after a few seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsir.storage.atomic import write_json
from dsir.storage.workdir import FOLDERS_OF_WORKERS

_WORKERS, _CLAIMS = FOLDERS_OF_WORKERS
_BEAT = 2.0  # Seconds between two writes of a worker's file.
# Seconds after which a silent worker is dead. Clients of NFS may see a new time only after 60 s.
_SILENT = 90.0
_SILENT_HERE = 3 * _BEAT  # The same, if its process is known to be gone.
_LONGEST = 1 << 16  # Characters to read of a worker's file or a claim.


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """What a worker's file says.

    Attributes:
        name: the worker, unique in its work directory.
        host, pid, since: where it runs, and since when (UTC).
        stage: what it is doing.
        units: units of work that it has finished.
        bytes: bytes of input in these units.
        seconds: since it began.
        alive: whether its claims count.
    """

    name: str
    host: str
    pid: int
    since: str
    stage: str
    units: int
    bytes: int
    seconds: float
    alive: bool

    @property
    def bytes_per_second(self) -> float | None:
        """The rate since the worker began; None if it has finished no unit."""
        return self.bytes / self.seconds if self.bytes and self.seconds > 0 else None

    def describe(self) -> dict[str, Any]:
        """Return the same as plain values."""
        return {
            "name": self.name,
            "host": self.host,
            "pid": self.pid,
            "since": self.since,
            "stage": self.stage,
            "units": self.units,
            "bytes_per_second": self.bytes_per_second,
            "alive": self.alive,
        }


class Worker:
    """This process as one of the workers of a run.

    Args:
        folder: the work directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = f"{platform.node() or 'host'}-{os.getpid()}-{secrets.token_hex(3)}"
        self._file = folder / _WORKERS / f"{self.name}.json"
        self._since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self.stage = ""
        self._units = 0
        self._bytes = 0
        self._written = (0.0, 0.0)
        self._seen: dict[str, tuple[float, bool]] = {}

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Show this worker to the others during a block, and take back its claims at the end.

        Raises:
            OSError: the work directory cannot be written to.
        """
        for name in (_WORKERS, _CLAIMS):
            (self._folder / name).mkdir(exist_ok=True)
        self._write()
        over = threading.Event()
        beating = threading.Thread(target=self._beat, args=(over,), name="dsir-beat", daemon=True)
        beating.start()
        try:
            yield
        finally:
            over.set()
            beating.join()
            self._file.unlink(missing_ok=True)

    def _beat(self, over: threading.Event) -> None:
        while not over.wait(_BEAT):
            # The others take a worker that cannot write for dead, which does no harm.
            with contextlib.suppress(OSError):
                self._write()

    def _write(self) -> None:
        with self._lock:
            described = {
                "host": platform.node(),
                "pid": os.getpid(),
                "since": self._since,
                "stage": self.stage,
                "units": self._units,
                "bytes": self._bytes,
                "seconds": round(time.monotonic() - self._begun, 1),
            }
        write_json(self._file, described, durable=False)
        # A file server has a clock of its own, which gives files their times.
        self._written = (self._file.stat().st_mtime, time.monotonic())

    def _now(self) -> float:
        """Return the time by the clock of the file system."""
        at, then = self._written
        return at + time.monotonic() - then

    @property
    def units(self) -> int:
        """How many units this worker has finished."""
        return self._units

    def finished(self, size: int) -> None:
        """Count a unit of so many bytes as finished by this worker."""
        with self._lock:
            self._units += 1
            self._bytes += size

    def claim(self, name: str) -> bool:
        """Claim a unit, or return False because a living worker has claimed it."""
        path = self._folder / _CLAIMS / name
        described = json.dumps({"worker": self.name})
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(described)
        except FileExistsError:
            if self._is_claimed(path):
                return False
            temporary = path.with_name(f".{name}.tmp-{os.getpid()}-{secrets.token_hex(4)}")
            temporary.write_text(described, encoding="utf-8")
            temporary.replace(path)
        return True

    def release(self, name: str) -> None:
        """Take back a claim."""
        (self._folder / _CLAIMS / name).unlink(missing_ok=True)

    def _is_claimed(self, path: Path) -> bool:
        worker = _read(path).get("worker")
        if isinstance(worker, str):
            return worker != self.name and self._lives(worker)
        try:  # It may be being written.
            return self._now() - path.stat().st_mtime < _SILENT_HERE
        except OSError:
            return False

    def _lives(self, worker: str) -> bool:
        """Tell whether another worker is alive; asked of the file system once a second."""
        known = self._seen.get(worker)
        if known is None or time.monotonic() - known[0] > 1:
            alive = _is_alive(self._file.with_name(f"{worker}.json"), self._now())
            known = self._seen[worker] = (time.monotonic(), alive)
        return known[1]


def workers_of(folder: Path) -> list[WorkerStatus]:
    """Return the workers that have a file in a work directory, by name."""
    found = []
    for path in sorted((folder / _WORKERS).glob("*.json")):
        described = _read(path)
        with contextlib.suppress(TypeError, ValueError, OSError):
            found.append(
                WorkerStatus(
                    name=path.stem,
                    host=str(described.get("host", "?")),
                    pid=int(described.get("pid", 0)),
                    since=str(described.get("since", "?")),
                    stage=str(described.get("stage", "")),
                    units=int(described.get("units", 0)),
                    bytes=int(described.get("bytes", 0)),
                    seconds=float(described.get("seconds", 0)),
                    alive=_is_alive(path, time.time()),
                )
            )
    return found


def remove_dead(folder: Path) -> None:
    """Remove the files and claims that dead workers left in a work directory."""
    for worker in workers_of(folder):
        if not worker.alive:
            (folder / _WORKERS / f"{worker.name}.json").unlink(missing_ok=True)
    living = {worker.name for worker in workers_of(folder)}
    for path in (folder / _CLAIMS).glob("*"):
        if _read(path).get("worker") not in living:
            path.unlink(missing_ok=True)


def _is_alive(file: Path, now: float) -> bool:
    """Tell from its file whether a worker is alive; `now` is by the clock of the file system."""
    try:
        age = now - file.stat().st_mtime
    except OSError:
        return False
    if age > _SILENT:
        return False
    if age <= _SILENT_HERE:
        return True
    described = _read(file)
    return described.get("host") != platform.node() or _runs(described.get("pid"))


def _runs(pid: object) -> bool:
    """Tell whether this machine has a process of that number."""
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            found = json.loads(file.read(_LONGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
