"""The engine of threads, and engines by name."""

from __future__ import annotations

import threading
import time

import pytest
from engine_contract import PATIENCE, EngineContract

import dsir
from dsir.engine import LocalEngine, Stopped, open_engine


@pytest.fixture(scope="module")
def engine():
    return LocalEngine(2)


class TestLocalEngine(EngineContract):
    """The contract."""


def test_a_failure_keeps_its_cause_where_another_task_was_stopped_for_it():
    """The cause says what to do, such as to check the disk."""
    both, failed = threading.Barrier(2), threading.Event()

    def stage(task, progress):
        both.wait(PATIENCE)
        if task == 0:
            failed.set()
            raise ValueError("cannot be written") from OSError(5, "Input/output error")
        failed.wait(PATIENCE)
        while True:  # Until it is stopped.
            progress(0)

    with pytest.raises(ValueError, match="cannot be written") as caught:
        list(LocalEngine(2).run(stage, range(2), lambda _: None))
    assert isinstance(caught.value.__cause__, OSError)


def test_of_several_failures_the_first_task_s_is_raised():
    """Also when a later task fails first: tasks before a failure run to their end."""
    later = threading.Event()
    begun = []

    def stage(task, progress):
        begun.append(task)
        if task == 2:
            later.set()
            raise ValueError(f"task {task}")
        if task == 1:
            assert later.wait(PATIENCE)
            for _ in range(50):  # Long enough for the failure to be noticed.
                progress(0)
                time.sleep(0.002)
            raise ValueError(f"task {task}")
        while True:  # Those behind it are stopped.
            progress(0)
            time.sleep(0.001)

    tasks = [1, 2, *range(3, 200)]
    with pytest.raises(ValueError, match=r"^task 1$"):
        list(LocalEngine(2).run(stage, tasks, lambda _: None))
    assert len(begun) < 100


def test_engines_by_name():
    named = open_engine("local", 3)
    assert isinstance(named, LocalEngine)
    assert named.threads == 3
    assert open_engine().threads == LocalEngine().threads
    assert open_engine(named) is named
    with pytest.raises(dsir.SettingError, match="threads: cannot be given with an Engine"):
        open_engine(named, 2)


@pytest.mark.parametrize("engine", ["Local", "spark", "", None, 3, ["local"]])
def test_engines_that_there_are_not(engine):
    with pytest.raises(dsir.SettingError, match=r"engine=.*: expected 'local', 'ray' or an Engine"):
        open_engine(engine)


def test_ctrl_c_while_a_thread_starts_leaves_no_task_at_work(monkeypatch):
    """The pool forgets a thread whose start is interrupted; the run still waits for its task."""
    begun, ended = threading.Event(), threading.Event()

    def stage(task, progress):
        begun.set()
        try:
            while True:  # Until it is stopped.
                progress(0)
        except Stopped:
            time.sleep(0.2)  # Longer than the run would take if it did not wait.
            ended.set()
            raise

    start = threading.Thread.start

    def interrupted_start(thread):
        start(thread)
        assert begun.wait(PATIENCE)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted_start)
    with pytest.raises(KeyboardInterrupt):
        list(LocalEngine(2).run(stage, range(2), lambda _: None))
    assert ended.is_set()
