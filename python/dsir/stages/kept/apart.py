"""Rows that several processes keep while they score, for whoever writes them.

The processes are workers of a planned run, or of a cluster. Each has a gate of its own
(`stages.kept.gate`). So that several let through little more than one, each leaves what its gate
has seen in a file after a unit, and takes in the files of others. Nothing depends on these files
but the time: rows that were not kept come from the input.
"""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dsir.engine import Shared
from dsir.stages.kept.gate import Gate, Keep
from dsir.stages.kept.named import give_name

_SUFFIX = ".seen.npy"
_EVERY = 1.0  # Seconds between two exchanges.
_AT_ONCE = 32  # Files of other workers that an exchange reads.
_LARGEST = 1 << 28  # Bytes of such a file.
_UNKNOWN, _NOT_KEPT = -1, -2  # In place of the global number of a unit's first row.

Seen = list[tuple[int, npt.NDArray[np.uint64]]]


class KeptApart(Shared):
    """Says which rows tasks in several processes keep, and takes the files.

    A copy in another process is the same, with a gate that begins anew and is told what the others
    have seen.

    Args:
        folder: the folder of the kept rows, which all processes see; it exists.
        keeps: by unit, which rows to keep; None for none.
        least_free: keep no more rows once the disk has only so many bytes free.
    """

    def __init__(self, folder: Path, keeps: Sequence[Keep | None], least_free: int) -> None:
        # Not the keeps themselves: a path for each unit weighs more than the rest of them.
        rows = (_NOT_KEPT if keep is None else _corpus_row_of(keep) for keep in keeps)
        of_unit = np.fromiter(rows, dtype=np.int64, count=len(keeps))
        gate = next((keep.gate for keep in keeps if keep is not None), None)
        self._begin(folder, of_unit, gate, least_free)

    def _begin(
        self, folder: Path, of_unit: npt.NDArray[np.int64], gate: Gate | None, least_free: int
    ) -> None:
        self._folder = folder
        self._of_unit = of_unit
        self._gate = gate
        self._least_free = least_free
        host = platform.node() or "host"
        self._mine = f"{host}-{os.getpid()}-{secrets.token_hex(3)}{_SUFFIX}"
        self._lock = threading.Lock()
        self._due = 0.0
        self._read: dict[str, tuple[int, Seen]] = {}  # By worker: when it was written, and what.
        self._turn = secrets.randbelow(1 << 30)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (_copied, (self._folder, self._of_unit, self._gate, self._least_free))

    @contextlib.contextmanager
    def keeping(self, number: int) -> Iterator[Keep | None]:
        """Give what to keep while a unit is scored, in a file that is gone after the block."""
        keep = self._keep_of(number)
        try:
            yield keep
        finally:
            if keep is not None:
                with contextlib.suppress(OSError):
                    keep.path.unlink(missing_ok=True)
        if keep is not None:
            self._exchange()

    def taken(self, number: int, path: Path | None) -> Path | None:
        """Take the finished file of a unit, inside the block; return where it stays."""
        if path is None:
            return None
        try:
            return give_name(path, number)
        except OSError:  # The rows come from the input.
            return None

    def _keep_of(self, number: int) -> Keep | None:
        row = _NOT_KEPT if number >= len(self._of_unit) else int(self._of_unit[number])
        if self._gate is None or row == _NOT_KEPT:
            return None
        with contextlib.suppress(OSError):
            if shutil.disk_usage(self._folder).free >= self._least_free:
                # Named like the other unfinished files of a work directory, which are swept.
                name = f".{number:05d}.arrows.tmp-{os.getpid()}-{secrets.token_hex(4)}"
                return Keep(self._gate, None if row == _UNKNOWN else row, self._folder / name)
        return None

    def _exchange(self) -> None:
        """Tell the others what this gate has seen, and take in what they tell."""
        if self._gate is None or not self._lock.acquire(blocking=False):
            return
        try:
            if time.monotonic() >= self._due:
                with contextlib.suppress(OSError):
                    self._tell(self._gate)
                    self._listen(self._gate)
                self._due = time.monotonic() + _EVERY
        finally:
            self._lock.release()

    def _tell(self, gate: Gate) -> None:
        flat = [np.zeros(0, np.uint64)]
        for first, costs in gate.seen():
            flat += [np.array([first, len(costs)], np.uint64), costs]
        temporary = self._folder / f".{self._mine}.tmp-{os.getpid()}-{secrets.token_hex(4)}"
        try:
            with temporary.open("wb") as file:
                np.save(file, np.concatenate(flat))
            temporary.replace(self._folder / self._mine)
        finally:
            temporary.unlink(missing_ok=True)

    def _listen(self, gate: Gate) -> None:
        with os.scandir(self._folder) as entries:
            names = sorted(
                entry.name
                for entry in entries
                if entry.name.endswith(_SUFFIX) and entry.name[0] != "."
            )
        others = [name for name in names if name != self._mine]
        first = self._turn % max(1, len(others))
        self._turn = first + _AT_ONCE
        for name in (others[first:] + others[:first])[:_AT_ONCE]:
            path = self._folder / name
            before = self._read.get(name, (0, []))
            with contextlib.suppress(OSError, ValueError, EOFError):
                state = path.stat()
                if state.st_mtime_ns == before[0] or state.st_size > _LARGEST:
                    continue
                seen = _seen_in(np.load(path, allow_pickle=False))
                gate.add_seen(_since(before[1], seen))
                self._read[name] = state.st_mtime_ns, seen


def _corpus_row_of(keep: Keep) -> int:
    return _UNKNOWN if keep.corpus_row is None else keep.corpus_row


def _copied(
    folder: Path, of_unit: npt.NDArray[np.int64], gate: Gate | None, least_free: int
) -> KeptApart:
    made = KeptApart.__new__(KeptApart)
    made._begin(folder, of_unit, gate, least_free)
    return made


def _seen_in(flat: npt.NDArray[np.uint64]) -> Seen:
    """Return what a file says.

    Raises:
        ValueError: it is no such file.
    """
    if flat.dtype != np.uint64 or flat.ndim != 1:
        raise ValueError("is no list of costs")
    found: Seen = []
    at = 0
    while at < len(flat):
        first, length = (int(number) for number in flat[at : at + 2])
        costs = flat[at + 2 : at + 2 + length]
        if len(costs) != length:
            raise ValueError("ends too early")
        found.append((first, costs))
        at += 2 + length
    return found


def _since(before: Seen, seen: Seen) -> Seen:
    """Return what has come since an earlier file of the same worker."""
    if not before:
        return seen
    more: Seen = []
    for (old_first, old), (first, costs) in zip(before, seen, strict=True):
        known = np.zeros(len(costs), np.uint64)
        start, stop = max(old_first, first), min(old_first + len(old), first + len(costs))
        if start < stop:
            known[start - first : stop - first] = old[start - old_first : stop - old_first]
        more.append((first, costs - np.minimum(known, costs)))
    return more
