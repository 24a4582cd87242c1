"""The local engine: a pool of threads in this process.

The pool has threads and not processes, because decoding (pyarrow) and the kernels (dsir's core)
release the GIL, and nothing has to be copied between workers.
"""

from __future__ import annotations

import itertools
import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

import pyarrow as pa

from dsir.arguments.values import whole_number
from dsir.engine.base import Engine, Progress, Result, Stopped, Task
from dsir.errors import DsirError
from dsir.thread_pool import ThreadPool

_RELEASE_EVERY = 16  # Tasks, per thread.
_AHEAD = 16  # Tasks per thread that may begin before the result that the caller waits for.


class LocalEngine(Engine):
    """Runs tasks on threads of this process.

    Args:
        threads: number of threads; None for one per core that this process may use.

    Raises:
        SettingError: threads is not a whole number from 1 to 4096.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = thread_count(threads)

    def run(
        self,
        stage: Callable[[Task, Progress], Result],
        tasks: Sequence[Task],
        progress: Callable[[int], None],
    ) -> Iterator[Result]:
        """Run all tasks; see `Engine.run`."""
        stop = threading.Event()
        failed = _FirstFailure()
        done = itertools.count(1)
        lock = threading.Lock()

        def run_task(number: int, task: Task) -> Result:
            def check() -> None:
                if stop.is_set() or failed.is_before(number):
                    raise Stopped

            def report(amount: int, /) -> None:
                check()
                with lock:
                    progress(amount)

            try:
                check()
                return stage(task, report)
            except Stopped:
                raise
            except BaseException:
                # At once: the result of the failed task may be due much later.
                failed.at(number)
                raise
            finally:
                # Arrow's allocator keeps the memory of finished shards, per thread, and fragments:
                # without this call the process grows with the number of shards. Not after every
                # task, because memory that is given back has to be mapped again.
                if next(done) % (_RELEASE_EVERY * self.threads) < self.threads:
                    pa.default_memory_pool().release_unused()

        waiting: deque[Future[Result]] = deque()
        try:
            with ThreadPool(self.threads, stop=stop.set) as pool:
                for number, task in enumerate(tasks):
                    waiting.append(_submitted(pool, run_task, number, task))
                    if len(waiting) > _AHEAD * self.threads:
                        yield _result(waiting)
                while waiting:
                    yield _result(waiting)
        finally:
            # Give back what the ended threads held before the next stage begins.
            pa.default_memory_pool().release_unused()


class _FirstFailure:
    """The number of the first task that has failed: the tasks behind it are stopped.

    Those before it run to their end. One of them may fail too, and then its error is the one to
    tell, however many threads there are.
    """

    def __init__(self) -> None:
        self._number: float = math.inf
        self._lock = threading.Lock()

    def at(self, number: int) -> None:
        """Note that a task has failed."""
        with self._lock:
            self._number = min(self._number, number)

    def is_before(self, number: int) -> bool:
        """Tell whether a task before this one has failed."""
        return self._number < number


def _submitted(
    pool: ThreadPool, run_task: Callable[[int, Task], Result], number: int, task: Task
) -> Future[Result]:
    try:
        return pool.submit(run_task, number, task)
    except RuntimeError as error:
        if "interpreter shutdown" not in str(error):
            raise
        raise DsirError(
            "the program ended while the run was at work in another thread; wait for that thread "
            "(thread.join()) before the end"
        ) from None


def _result(waiting: deque[Future[Result]]) -> Result:
    return waiting.popleft().result()


# More threads than any machine has cores; a system may refuse to start more.
_MOST_THREADS = 4096


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_count(threads: int | None) -> int:
    """Return how many threads a call may use: the number given, or every usable core for None.

    Raises:
        SettingError: threads is not a whole number from 1 to 4096.
    """
    return usable_cores() if threads is None else whole_number("threads", threads, 1, _MOST_THREADS)
