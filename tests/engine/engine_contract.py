"""What every engine must do: `dsir.engine.base.Engine` as tests.

A test module makes a class of `EngineContract` with a fixture `engine`, an engine of two workers or
more that is used for all of the tests.
"""

from __future__ import annotations

import pickle
import signal
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

import dsir
from dsir.engine import Engine, Progress, Stopped

MANY = 5000
PATIENCE = 120.0  # Seconds, before something that should have happened counts as missing.


@dataclass(frozen=True)
class Task:
    """What a worker is to do, here and in another process.

    Attributes:
        number: of the task.
        folder: where it notes what it has seen.
        delay: seconds to work before it ends.
        fails: how it fails; "" for not at all.
        endless: whether it works until it is stopped.
    """

    number: int
    folder: Path | None = None
    delay: float = 0.0
    fails: str = ""
    endless: bool = False

    def note(self, word: str) -> None:
        assert self.folder is not None
        (self.folder / f"{word}-{self.number}").touch()


def work(task: Task, progress: Progress) -> int:
    if task.folder is not None:
        task.note("begun")
    if task.fails:
        others = task.folder
        assert others is not None
        wait_for(lambda: list(others.glob("working-*")), "another task at work")
        raise dsir.RowError("row 3 is bad", path="a.jsonl", row=3)
    try:
        progress(1)
        time.sleep(task.delay)
        if task.endless:
            task.note("working")
        while task.endless:
            time.sleep(0.001)
            progress(0)
    except Stopped:
        task.note("stopped")
        raise
    return task.number * task.number


def wait_for(condition, what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"no {what} in {PATIENCE:.0f} s"
        time.sleep(0.005)


def names(folder: Path, word: str) -> set[str]:
    return {path.name.partition("-")[2] for path in folder.glob(f"{word}-*")}


class EngineContract:
    """The tests."""

    def test_says_what_it_is(self, engine):
        assert isinstance(engine, Engine)
        assert engine.threads >= 2
        assert isinstance(engine.shares_files, bool)

    @pytest.mark.parametrize("count", [0, 1, 2, 100])
    def test_results_come_in_the_order_of_the_tasks(self, engine, count):
        # The earlier a task, the later it is done.
        tasks = [Task(number, delay=0.02 * (number % 3 == 0)) for number in range(count)]
        assert list(engine.run(work, tasks, lambda _: None)) == [n * n for n in range(count)]

    def test_progress_is_told_in_full_and_one_amount_at_a_time(self, engine):
        amounts: list[int] = []
        inside = 0

        def progress(amount: int) -> None:
            nonlocal inside
            assert inside == 0
            inside += 1
            time.sleep(0.0005)
            amounts.append(amount)
            inside -= 1

        list(engine.run(work, [Task(number) for number in range(40)], progress))
        assert [amount for amount in amounts if amount] == [1] * 40

    def test_few_results_wait_for_a_slow_caller(self, engine):
        begun = 0

        def progress(amount: int) -> None:
            nonlocal begun
            begun += amount

        tasks = [Task(number) for number in range(MANY)]
        with closing(engine.run(work, tasks, progress)) as results:
            assert next(results) == 0
            before = -1
            while before != begun:
                before = begun
                time.sleep(0.3)
            assert 0 < begun < MANY // 4
            assert next(results) == 1

    def test_a_failure_stops_the_others_and_is_raised_as_it_was(self, engine, tmp_path):
        tasks = [
            Task(0, tmp_path, fails="bad row"),
            *(Task(number, tmp_path, endless=True) for number in range(1, 200)),
        ]
        with pytest.raises(dsir.RowError, match="row 3 is bad") as caught:
            list(engine.run(work, tasks, lambda _: None))
        assert (caught.value.path, caught.value.row) == ("a.jsonl", 3)
        begun, stopped = names(tmp_path, "begun"), names(tmp_path, "stopped")
        # None is at work any more, and those whose turn had not come never began.
        assert stopped == begun - {"0"}
        assert "1" in stopped
        assert len(begun) < 100

    def test_results_before_a_failure_are_handed_over(self, engine, tmp_path):
        tasks = [
            Task(0),
            Task(1, tmp_path, fails="bad row"),
            Task(2, tmp_path, endless=True),
        ]
        results = engine.run(work, tasks, lambda _: None)
        assert next(results) == 0
        with pytest.raises(dsir.RowError):
            list(results)

    def test_closing_stops_the_run(self, engine, tmp_path):
        tasks = [Task(0), *(Task(number, tmp_path, endless=True) for number in range(1, 200))]
        with closing(engine.run(work, tasks, lambda _: None)) as results:
            assert next(results) == 0
            wait_for(lambda: names(tmp_path, "working"), "task at work")
        begun = names(tmp_path, "begun")
        assert names(tmp_path, "stopped") == begun
        assert len(begun) < 100

    def test_ctrl_c_stops_the_run(self, engine, tmp_path):
        interrupted = False

        def progress(amount: int) -> None:
            nonlocal interrupted
            # Tasks end only when they are stopped, so the caller waits in the run.
            if not interrupted and names(tmp_path, "working"):
                interrupted = True
                main = threading.main_thread().ident
                assert main is not None
                signal.pthread_kill(main, signal.SIGINT)

        tasks = [Task(number, tmp_path, endless=True) for number in range(200)]
        # A process that a shell has put in the background ignores it.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with pytest.raises(KeyboardInterrupt):
                list(engine.run(work, tasks, progress))
        finally:
            signal.signal(signal.SIGINT, before)
        begun = names(tmp_path, "begun")
        assert names(tmp_path, "stopped") == begun
        assert 0 < len(begun) < 100

    def test_it_can_be_used_again(self, engine, tmp_path):
        tasks = [Task(0, tmp_path, fails="bad row"), Task(1, tmp_path, endless=True)]
        with pytest.raises(dsir.RowError):
            list(engine.run(work, tasks, lambda _: None))
        assert list(engine.run(work, [Task(3)], lambda _: None)) == [9]

    def test_stopped_is_no_error_that_a_stage_may_swallow(self):
        assert not issubclass(Stopped, Exception)
        assert isinstance(pickle.loads(pickle.dumps(Stopped())), Stopped)
