"""The local engine: a pool of threads in this process.

The pool has threads and not processes, because decoding (pyarrow) and the kernels (dsir's core)
release the GIL, and nothing has to be copied between workers.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

import pyarrow as pa

from dsir.arguments import whole_number
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
        done = itertools.count(1)
        lock = threading.Lock()

        def report(amount: int, /) -> None:
            if stop.is_set():
                raise Stopped
            with lock:
                progress(amount)

        def run_task(task: Task) -> Result:
            try:
                return stage(task, report)
            finally:
                # Arrow's allocator keeps the memory of finished shards, per thread, and fragments:
                # without this call the process grows with the number of shards. Not after every
                # task, because memory that is given back has to be mapped again.
                if next(done) % (_RELEASE_EVERY * self.threads) < self.threads:
                    pa.default_memory_pool().release_unused()

        def stop_on_failure(future: Future[Result]) -> None:
            # Stop at once: the result of the failed task may be due much later.
            if not future.cancelled() and future.exception() is not None:
                stop.set()

        waiting: deque[Future[Result]] = deque()
        try:
            with ThreadPool(self.threads, stop=stop.set) as pool:
                for task in tasks:
                    future = _submitted(pool, run_task, task)
                    future.add_done_callback(stop_on_failure)
                    waiting.append(future)
                    if len(waiting) > _AHEAD * self.threads:
                        yield _result(waiting)
                while waiting:
                    yield _result(waiting)
        finally:
            # Give back what the ended threads held before the next stage begins.
            pa.default_memory_pool().release_unused()


def _submitted(pool: ThreadPool, run_task: Callable[[Task], Result], task: Task) -> Future[Result]:
    try:
        return pool.submit(run_task, task)
    except RuntimeError as error:
        if "interpreter shutdown" not in str(error):
            raise
        raise DsirError(
            "the program ended while the run was at work in another thread; wait for that thread "
            "(thread.join()) before the end"
        ) from None


def _result(waiting: deque[Future[Result]]) -> Result:
    """Take the next result; if its task was stopped, raise the error that stopped it."""
    first = waiting.popleft()
    stopped = first.exception()
    if isinstance(stopped, Stopped):
        for future in waiting:
            # A task that failed is done, and its error is what stopped the others.
            if future.done() and not future.cancelled():
                error = future.exception()
                if error is not None and not isinstance(error, Stopped):
                    raise error  # Keeps its cause, which says what to do.
    return first.result()


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
