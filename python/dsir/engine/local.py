"""The local engine: a pool of threads in this process.

Threads, not processes: decoding (pyarrow) and the kernels (dsir's core) release the GIL, and
nothing is copied between workers.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from dsir.engine.base import Engine, Progress, Result, Stopped, Task
from dsir.errors import SettingError


class LocalEngine(Engine):
    """Runs tasks on threads of this process.

    Args:
        threads: how many; None for every core that this process may use.

    Raises:
        SettingError: threads is not a positive whole number.
    """

    def __init__(self, threads: int | None = None) -> None:
        if threads is None:
            threads = usable_cores()
        if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
            raise SettingError(f"threads={threads!r}: expected a whole number, 1 or more")
        self.threads = threads

    def run(
        self,
        stage: Callable[[Task, Progress], Result],
        tasks: Sequence[Task],
        progress: Callable[[int], None],
    ) -> list[Result]:
        """Run all tasks; see `Engine.run`."""
        stop = threading.Event()
        lock = threading.Lock()

        def report(amount: int, /) -> None:
            if stop.is_set():
                raise Stopped
            with lock:
                progress(amount)

        if not tasks:
            return []
        with ThreadPoolExecutor(min(self.threads, len(tasks)), "dsir") as pool:
            futures = [pool.submit(stage, task, report) for task in tasks]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                # Reached on failure and on Ctrl-C too; on success nothing is left to stop.
                stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
        _raise_first_failure(futures)
        return [future.result() for future in futures]


def _raise_first_failure(futures: Sequence[Future[Result]]) -> None:
    for future in futures:
        if future.cancelled():
            continue
        error = future.exception()
        if error is not None and not isinstance(error, Stopped):
            raise error


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
