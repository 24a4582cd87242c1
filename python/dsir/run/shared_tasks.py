"""The tasks of a stage, shared between the workers of a planned run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from dsir.engine import Engine, Progress
from dsir.errors import InputError, StoreError
from dsir.remote import Mirror
from dsir.storage.place import Place
from dsir.storage.workers import Worker

# Seconds between two looks at units that others work on: at first, and at most.
_FIRST_LOOK, _LOOK = 0.05, 1.0

# Errors that are a unit's own. Others are those of the machine or the call and end the worker.
UNIT_ERRORS = (InputError,)


class PlacedTask(Protocol):
    """A task that stores its result."""

    @property
    def place(self) -> Place | None:
        """Where the result is stored."""


SharedTask = TypeVar("SharedTask", bound=PlacedTask)


@dataclass(frozen=True, slots=True)
class Share:
    """Which units a worker does first: those whose number is `part` modulo `parts`."""

    part: int = 0
    parts: int = 1

    def has(self, number: int) -> bool:
        """Tell whether a unit belongs to the share."""
        return number % self.parts == self.part


class SharedTasks(Generic[SharedTask]):
    """The unfinished tasks of a stage, as one worker sees them.

    Args:
        tasks: the tasks of the stage; each has a place.
        sizes: int64[tasks], how much each task is, in bytes or rows.
        worker: makes the claims.
        share: the units to do first.
    """

    def __init__(
        self,
        tasks: Sequence[SharedTask],
        sizes: npt.ArrayLike,
        worker: Worker,
        share: Share,
    ) -> None:
        self._tasks = tasks
        self._sizes = of_tasks = np.asarray(sizes, dtype=np.int64)
        self._worker = worker
        numbers = (number for number, task in enumerate(tasks) if not _is_done(task))
        left = np.fromiter(numbers, dtype=np.int64)
        # Asking a store for a unit that another worker is at costs two requests, so workers begin
        # in different places there.
        first = hash(worker.name) % len(tasks) if tasks and _mirror_of(tasks[0]) else 0
        # Its own share first, then by size; an array, because there may be a million of them.
        others = left % share.parts != share.part
        turn = (left - first) % max(1, len(tasks))
        self._next = left[np.lexsort((turn, -of_tasks[left], others))]
        self._at = 0  # The first of these that this worker has not looked at.
        self._mirrors = list(
            {id(mirror): mirror for mirror in map(_mirror_of, tasks) if mirror}.values()
        )
        self._done_before = int(of_tasks.sum() - of_tasks[left].sum())
        self._claimed: list[int] = []
        self._moved = True
        self._lock = threading.Lock()
        self.failures: list[InputError] = []

    @property
    def all_done(self) -> bool:
        """Whether no task is left for this worker to look at."""
        return self._at == len(self._next)

    def run(
        self,
        stage: Callable[[SharedTask, Progress], object],
        engine: Engine,
        advance: Callable[[int], None],
    ) -> None:
        """Do tasks until none is left that no other worker has done.

        A task that fails is not tried again by this worker; its error goes to `failures`.

        Args:
            stage: does a task.
            engine: gives the threads.
            advance: called with the size of what is done, by this worker or others.
        """
        advance(self._done_before)
        lanes = range(min(engine.threads, len(self._next) - self._at))

        def lane(number: int, progress: Progress) -> None:
            del number
            while (taken := self._take(progress)) is not None:
                self._do(taken, stage, progress)

        for _ in engine.run(lane, lanes, advance):
            pass

    def _do(
        self, number: int, stage: Callable[[SharedTask, Progress], object], progress: Progress
    ) -> None:
        task = self._tasks[number]
        try:
            stage(task, progress)
            self._worker.finished(int(self._sizes[number]))
        except StoreError:
            raise
        except UNIT_ERRORS as error:
            with self._lock:
                self.failures.append(error)
        finally:
            self._worker.release(_claim_of(task))

    def _take(self, progress: Progress) -> int | None:
        """Claim the next task, and wait for one if others work on all that is left."""
        pause = _FIRST_LOOK
        while True:
            with self._lock:
                found = self._look(progress)
                if found is not None:
                    return found
                if not self._claimed:
                    return None
                wait = not self._moved
                self._next, self._at = np.array(self._claimed, dtype=np.int64), 0
                self._claimed, self._moved = [], False
            if wait:
                progress(0)
                time.sleep(pause)
                pause = min(_LOOK, 2 * pause)

    def _look(self, progress: Progress) -> int | None:
        """Go through the tasks that were not looked at yet; claim one, or return None."""
        for mirror in self._mirrors:
            mirror.look_again()
        while self._at < len(self._next):
            number = int(self._next[self._at])
            self._at += 1
            task = self._tasks[number]
            if _is_done(task):
                self._moved = True
                progress(int(self._sizes[number]))
                continue
            if not self._worker.claim(_claim_of(task)):
                self._claimed.append(number)
                continue
            self._moved = True
            if _is_done(task, fresh=True):  # In the meantime.
                self._worker.release(_claim_of(task))
                progress(int(self._sizes[number]))
                continue
            return number
        return None


def _place_of(task: PlacedTask) -> Place:
    if task.place is None:
        raise ValueError("a shared task needs a place for its result")
    return task.place


def _mirror_of(task: PlacedTask) -> Mirror | None:
    return _place_of(task).mirror


def _is_done(task: PlacedTask, *, fresh: bool = False) -> bool:
    return _place_of(task).is_marked(fresh=fresh)


def _claim_of(task: PlacedTask) -> str:
    place = _place_of(task)
    return f"{place.folder.name}-{place.name}"
