"""Threads that work for a block of code, and do not outlive it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec, TypeVar

from dsir.interrupts import heard

Item = TypeVar("Item")
Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")


class ThreadPool:
    """A pool of threads. Its block ends only when no call is at work, however the block ends.

    `ThreadPoolExecutor` alone does not promise that. A Ctrl-C that arrives while the pool starts a
    thread leaves one that the pool does not know, with a call at work, and a Ctrl-C while it waits
    for its threads leaves all of them. Whoever caught the exception would then remove folders that
    the calls still write to.

    A Ctrl-C that arrives while calls end is raised after they have ended.

    Args:
        threads: the number of threads.
        name: the beginning of their names.
        stop: tells the calls that are at work to end; None to let them end by themselves.
    """

    def __init__(
        self, threads: int, name: str = "dsir", *, stop: Callable[[], None] | None = None
    ) -> None:
        self._pool = ThreadPoolExecutor(threads, name)
        self._stop = stop
        self._calls = _Calls()

    def submit(
        self,
        function: Callable[Parameters, Result],
        *arguments: Parameters.args,
        **keywords: Parameters.kwargs,
    ) -> Future[Result]:
        """Call a function on one of the threads.

        Raises:
            RuntimeError: no thread can be started, or the interpreter is ending.
        """

        def call() -> Result:
            self._calls.enter()
            try:
                return function(*arguments, **keywords)
            finally:
                self._calls.leave()

        return self._pool.submit(call)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield the results of calls with each item, in order."""
        waiting = deque(self.submit(function, item) for item in items)
        while waiting:
            yield waiting.popleft().result()

    def __enter__(self) -> ThreadPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """Drop the calls that have not begun, and wait for those that are at work."""
        heard()
        interrupted: KeyboardInterrupt | None = None
        at_work = True
        while at_work:
            try:
                if self._stop is not None:
                    self._stop()
                self._pool.shutdown(wait=True, cancel_futures=True)
                self._calls.wait_for_the_end()
                at_work = False
            except KeyboardInterrupt as error:
                interrupted = error
        if interrupted is not None:
            raise interrupted


class _Calls:
    """How many calls are at work, whatever thread they are on."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._number = 0
        self._ended = False

    def enter(self) -> None:
        """Count one call more.

        Raises:
            CancelledError: the pool waits for its end, or has ended.
        """
        with self._changed:
            if self._ended:
                raise CancelledError
            self._number += 1

    def leave(self) -> None:
        """Count one call less."""
        with self._changed:
            self._number -= 1
            self._changed.notify_all()

    def wait_for_the_end(self) -> None:
        """Let no call begin any more, and return when none is at work."""
        with self._changed:
            self._ended = True
            self._changed.wait_for(lambda: self._number == 0)
