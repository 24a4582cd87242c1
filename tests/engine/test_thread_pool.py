"""Threads that do not outlive their block, whenever Ctrl-C comes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dsir.corpus.read_ahead import read_ahead
from dsir.engine import LocalEngine, Stopped
from dsir.remote import RemotePath, mirror
from dsir.thread_pool import ThreadPool, _Calls

PATIENCE = 120  # Seconds: a machine may be busy with other things.


class Slow:
    """A call that ends some time after it is told to.

    Attributes:
        begun: it is at work.
        told: it is to end.
        ended: it has ended.
        until: it does not end before this is true.
    """

    def __init__(self, until: Callable[[], bool] = lambda: True) -> None:
        self.begun, self.told, self.ended = (threading.Event() for _ in range(3))
        self.until = until

    def __call__(self, item: object = None) -> object:
        self.begun.set()
        assert self.told.wait(PATIENCE)
        time.sleep(0.2)  # Longer than the block would take if it did not wait.
        end = time.monotonic() + PATIENCE
        while not self.until() and time.monotonic() < end:
            time.sleep(0.01)
        self.ended.set()
        return item


def interrupting(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, times: int) -> None:
    """Let a function raise KeyboardInterrupt before its work, the first times that it is called."""
    function = getattr(owner, name)
    left = times

    def interrupted(*arguments: Any, **keywords: Any) -> Any:
        nonlocal left
        if left:
            left -= 1
            raise KeyboardInterrupt
        return function(*arguments, **keywords)

    monkeypatch.setattr(owner, name, interrupted)


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(
    ("owner", "name"), [(ThreadPoolExecutor, "shutdown"), (_Calls, "wait_for_the_end")]
)
def test_ctrl_c_while_the_calls_end(monkeypatch, owner, name, times):
    slow = Slow()
    with pytest.raises(KeyboardInterrupt), ThreadPool(2, stop=slow.told.set) as pool:  # noqa: PT012
        pool.submit(slow)
        assert slow.begun.wait(PATIENCE)
        interrupting(monkeypatch, owner, name, times)
    assert slow.ended.is_set()


def test_ctrl_c_while_the_calls_are_told_to_stop():
    slow = Slow()
    interrupts = iter([True, True, False])

    def stop() -> None:
        if next(interrupts):
            raise KeyboardInterrupt
        slow.told.set()

    with pytest.raises(KeyboardInterrupt), ThreadPool(2, stop=stop) as pool:  # noqa: PT012
        pool.submit(slow)
        assert slow.begun.wait(PATIENCE)
    assert slow.ended.is_set()


def test_signals_that_keep_coming():
    """As from a keyboard: each of them raises KeyboardInterrupt wherever the main thread is."""
    sent = 0
    slow = Slow(until=lambda: sent > 2)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def send() -> None:
        nonlocal sent
        while not slow.ended.is_set():
            os.kill(os.getpid(), signal.SIGINT)
            sent += 1
            time.sleep(0.02)

    sender = threading.Thread(target=send)
    try:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012
            with ThreadPool(2, stop=slow.told.set) as pool:
                pool.submit(slow)
                assert slow.begun.wait(PATIENCE)
                sender.start()
                while True:
                    time.sleep(1)
            raise AssertionError("no signal came")
        assert slow.ended.is_set()
        assert sent > 2
        sender.join()
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_second_ctrl_c_leaves_no_task_of_the_engine_at_work(monkeypatch):
    begun, ended = threading.Event(), threading.Event()

    def stage(task: int, progress: Any) -> None:
        begun.set()
        try:
            while True:  # Until it is stopped.
                progress(0)
        except Stopped:
            time.sleep(0.2)
            ended.set()
            raise

    def interrupted_while_it_waits(waiting: object) -> None:
        assert begun.wait(PATIENCE)
        raise KeyboardInterrupt

    results = LocalEngine(2).run(stage, range(1), lambda _: None)
    interrupting(monkeypatch, ThreadPoolExecutor, "shutdown", 2)
    monkeypatch.setattr("dsir.engine.local._result", interrupted_while_it_waits)
    with pytest.raises(KeyboardInterrupt):
        next(results)
    assert ended.is_set()


def interrupted_start(monkeypatch: pytest.MonkeyPatch, begun: threading.Event) -> None:
    """Let Ctrl-C come while the first thread starts: its pool does not know it."""
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        monkeypatch.setattr(threading.Thread, "start", start)
        assert begun.wait(PATIENCE)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)


def test_reading_ahead_ends_with_its_loop(monkeypatch):
    slow = Slow()
    slow.told.set()
    interrupted_start(monkeypatch, slow.begun)
    with pytest.raises(KeyboardInterrupt):
        list(read_ahead(map(slow, range(3))))
    assert slow.ended.is_set()


def test_fetching_ends_before_its_folder_goes(monkeypatch, tmp_path):
    slow = Slow()
    slow.told.set()
    copy = mirror.Mirror(tmp_path, RemotePath("s3://bucket/work"))
    monkeypatch.setattr(mirror.Mirror, "names", lambda self: ["a.json", "b.json"])
    monkeypatch.setattr(mirror.Mirror, "fetch", lambda self, name: slow(name))
    interrupted_start(monkeypatch, slow.begun)
    with pytest.raises(KeyboardInterrupt):
        copy.fetch_all()
    assert slow.ended.is_set()


def test_results_come_in_order_and_errors_are_raised():
    with ThreadPool(3) as pool:
        assert list(pool.map(lambda item: item * 2, range(50))) == list(range(0, 100, 2))
        with pytest.raises(ZeroDivisionError):
            list(pool.map(lambda item: 1 // item, [1, 0]))
