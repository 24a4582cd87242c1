"""Rows that the workers of a planned run keep while they score, for whoever writes them.

Each worker has a gate of its own (`stages.kept.gate`). So that several let through no more rows
than one, a worker leaves what its gate has seen in a file after a unit, and takes in the files of
others. Nothing depends on these files but the time: rows that were not kept come from the input.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dsir.engine import Progress
from dsir.stages.kept.gate import Gate, Keep
from dsir.stages.kept.named import give_name
from dsir.stages.score import ScoreTask, ShardScores, score_shard

FOLDER = "kept"
_SUFFIX = ".seen.npy"
_EVERY = 1.0  # Seconds between two exchanges.
_AT_ONCE = 32  # Files of other workers that an exchange reads.
_LARGEST = 1 << 28  # Bytes of such a file.

Seen = list[tuple[int, npt.NDArray[np.uint64]]]


class KeptApart:
    """Scores units for one worker, and keeps rows of them.

    Args:
        folder: the folder of the kept rows, which all workers see; it exists.
        worker: the name of this worker.
        keeps: by unit, which rows to keep; None for none.
        least_free: keep no more rows once the disk has only so many bytes free.
    """

    def __init__(
        self, folder: Path, worker: str, keeps: Sequence[Keep | None], least_free: int
    ) -> None:
        self._folder = folder
        self._mine = f"{worker}{_SUFFIX}"
        self._keeps = keeps
        self._gate: Gate | None = next((keep.gate for keep in keeps if keep is not None), None)
        self._least_free = least_free
        self._lock = threading.Lock()
        self._due = 0.0
        self._read: dict[str, tuple[int, Seen]] = {}  # By worker: when it was written, and what.
        self._turn = secrets.randbelow(1 << 30)

    def score(self, task: ScoreTask, progress: Progress) -> ShardScores:
        """Score a unit; see `stages.score.score_shard`."""
        assert task.place is not None
        number = int(task.place.stem.name)
        keep = self._keep_of(number)
        if keep is None:
            return score_shard(task, progress)
        try:
            result = score_shard(replace(task, keep=keep), progress)
            if result.kept is not None:
                with contextlib.suppress(OSError):  # The rows come from the input.
                    give_name(result.kept, number)
        finally:
            with contextlib.suppress(OSError):
                keep.path.unlink(missing_ok=True)
        self._exchange()
        return result

    def _keep_of(self, number: int) -> Keep | None:
        keep = self._keeps[number]
        if keep is None:
            return None
        with contextlib.suppress(OSError):
            if shutil.disk_usage(self._folder).free >= self._least_free:
                # Named like the other unfinished files of a work directory, which are swept.
                name = f".{number:05d}.arrows.tmp-{os.getpid()}-{secrets.token_hex(4)}"
                return replace(keep, path=self._folder / name)
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
