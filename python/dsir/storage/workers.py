"""The workers of a planned run: who is at work in a work directory, and on which unit.

Several processes, on one machine or many, work on one run. Each has a file in the folder `workers`,
which it writes again every few seconds, and makes a *claim* in the folder `claims` before it begins
a unit. Both are hints that keep two workers from doing the same work. They are no locks: a unit
that two workers do has the same result twice, and the second rename replaces the first.

A claim counts as long as its worker is alive. A worker is dead if its file is gone or was not
written for a minute and a half. On the worker's own machine a process that does not exist any more
is dead after a few seconds.
"""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dsir.remote import Folder
from dsir.storage.board import Board, board_of
from dsir.storage.workdir_folder import FOLDERS_OF_WORKERS

_WORKERS, _CLAIMS = FOLDERS_OF_WORKERS
# Seconds after which a silent worker is dead. Clients of NFS may see a new time only after 60 s.
_SILENT = 90.0
_SILENT_HERE = 3  # The same if its process is known to be gone, in beats of the board.


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

    def __init__(self, folder: Folder) -> None:
        self._board = board_of(folder)
        self.name = f"{platform.node() or 'host'}-{os.getpid()}-{secrets.token_hex(3)}"
        self._since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self.stage = ""
        self._units = 0
        self._bytes = 0
        self._seen: dict[str, tuple[float, bool]] = {}

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Show this worker to the others during a block, and take back its claims at the end.

        Raises:
            OSError: the work directory cannot be written to.
        """
        for name in (_WORKERS, _CLAIMS):
            self._board.make(name)
        self._write()
        over = threading.Event()
        beating = threading.Thread(target=self._beat, args=(over,), name="dsir-beat", daemon=True)
        beating.start()
        try:
            yield
        finally:
            over.set()
            beating.join()
            self._board.remove(_file_of(self.name))

    def _beat(self, over: threading.Event) -> None:
        while not over.wait(self._board.beat):
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
        self._board.write(_file_of(self.name), described)

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
        claim, mine = f"{_CLAIMS}/{name}", {"worker": self.name}
        if not self._board.create(claim, mine):
            if self._is_claimed(claim):
                return False
            self._board.replace(claim, mine)
        return True

    def release(self, name: str) -> None:
        """Take back a claim."""
        self._board.remove(f"{_CLAIMS}/{name}")

    def _is_claimed(self, claim: str) -> bool:
        worker = self._board.read(claim).get("worker")
        if isinstance(worker, str):
            return worker != self.name and self._lives(worker)
        changed = self._board.changed(claim)  # It may be being written.
        patience = _SILENT_HERE * self._board.beat
        return changed is not None and self._board.now() - changed < patience

    def _lives(self, worker: str) -> bool:
        """Tell whether another worker is alive; asked of the board twice a beat."""
        known = self._seen.get(worker)
        if known is None or time.monotonic() - known[0] > self._board.beat / 2:
            alive = _is_alive(self._board, _file_of(worker), self._board.now())
            known = self._seen[worker] = (time.monotonic(), alive)
        return known[1]


def workers_of(folder: Folder) -> list[WorkerStatus]:
    """Return the workers that have a file in a work directory, by name."""
    board = board_of(folder)
    found = []
    for name in board.names(_WORKERS):
        described = board.read(f"{_WORKERS}/{name}")
        with contextlib.suppress(TypeError, ValueError, OSError):
            found.append(
                WorkerStatus(
                    name=name.removesuffix(".json"),
                    host=str(described.get("host", "?")),
                    pid=int(described.get("pid", 0)),
                    since=str(described.get("since", "?")),
                    stage=str(described.get("stage", "")),
                    units=int(described.get("units", 0)),
                    bytes=int(described.get("bytes", 0)),
                    seconds=float(described.get("seconds", 0)),
                    alive=_is_alive(board, f"{_WORKERS}/{name}", time.time()),
                )
            )
    return found


def remove_dead(folder: Folder) -> None:
    """Remove the files and claims that dead workers left in a work directory."""
    board = board_of(folder)
    living = set()
    for worker in workers_of(folder):
        if worker.alive:
            living.add(worker.name)
        else:
            board.remove(_file_of(worker.name))
    for name in board.names(_CLAIMS):
        if board.read(f"{_CLAIMS}/{name}").get("worker") not in living:
            board.remove(f"{_CLAIMS}/{name}")


def _file_of(worker: str) -> str:
    return f"{_WORKERS}/{worker}.json"


def _is_alive(board: Board, file: str, now: float) -> bool:
    """Tell from its file whether a worker is alive; `now` is by the clock of the board."""
    changed = board.changed(file)
    if changed is None or now - changed > _SILENT:
        return False
    if now - changed <= _SILENT_HERE * board.beat:
        return True
    described = board.read(file)
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
