"""An engine of processes: a second implementation of the contract, with nothing shared but files.

It stands for engines on other machines: stages, tasks, results and errors travel as bytes, and
dsir must not count on the workers seeing its temporary files.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

from dsir.engine import Engine, Progress, Stopped

_AHEAD = 16

# Of a worker process.
_stop: Any = None
_amounts: Any = None


def _begin(stop: Any, amounts: Any) -> None:
    global _stop, _amounts
    _stop, _amounts = stop, amounts


def _report(amount: int, /) -> None:
    if _stop.is_set():
        raise Stopped
    _amounts.put(amount)


def _run_task(stage: Callable[[Any, Progress], Any], task: Any) -> Any:
    return stage(task, _report)


class ProcessEngine(Engine):
    """Runs tasks in processes that are kept from run to run; a context manager."""

    shares_files = False

    def __init__(self, workers: int = 2) -> None:
        self.threads = workers
        # Not forked: threads of this process may hold locks.
        self._context = multiprocessing.get_context("spawn")
        self._stop = self._context.Event()
        self._amounts = self._context.SimpleQueue()
        self._pool = self._open()

    def _open(self) -> ProcessPoolExecutor:
        arguments = (self._stop, self._amounts)
        return ProcessPoolExecutor(
            self.threads, self._context, initializer=_begin, initargs=arguments
        )

    def __enter__(self) -> ProcessEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._amounts.close()

    def run(
        self,
        stage: Callable[[Any, Progress], Any],
        tasks: Sequence[Any],
        progress: Callable[[int], None],
    ) -> Iterator[Any]:
        self._stop.clear()
        listener = threading.Thread(target=self._listen, args=(progress,), daemon=True)
        listener.start()
        waiting: deque[Future[Any]] = deque()
        try:
            for task in tasks:
                future = self._pool.submit(_run_task, stage, task)
                future.add_done_callback(self._stop_on_failure)
                waiting.append(future)
                if len(waiting) > _AHEAD * self.threads:
                    yield _next(waiting)
            while waiting:
                yield _next(waiting)
        except BaseException:  # A failure, Ctrl-C, or the iterator was closed.
            self._stop.set()
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = self._open()
            raise
        finally:
            self._amounts.put(None)
            listener.join()

    def _stop_on_failure(self, future: Future[Any]) -> None:
        if not future.cancelled() and future.exception() is not None:
            self._stop.set()

    def _listen(self, progress: Callable[[int], None]) -> None:
        while (amount := self._amounts.get()) is not None:
            progress(amount)


def _next(waiting: deque[Future[Any]]) -> Any:
    """Take the next result; if its task was stopped, raise what stopped it."""
    first = waiting.popleft()
    if isinstance(first.exception(), Stopped):
        for future in waiting:
            error = future.exception()
            if error is not None and not isinstance(error, Stopped):
                raise error
    return first.result()
