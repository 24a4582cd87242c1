"""Tasks on threads: results in order, and the error of whoever failed."""

from __future__ import annotations

import threading

import pytest

from dsir.engine import LocalEngine


def test_results_come_in_order():
    def stage(task, progress):
        progress(1)
        return task * task

    assert list(LocalEngine(3).run(stage, range(100), lambda _: None)) == [
        number * number for number in range(100)
    ]


def test_a_failure_keeps_its_cause_where_another_task_was_stopped_for_it():
    """The cause says what to do, such as to see to the disk."""
    both, failed = threading.Barrier(2), threading.Event()

    def stage(task, progress):
        both.wait(10)
        if task == 1:
            failed.set()
            raise ValueError("cannot be written") from OSError(5, "Input/output error")
        failed.wait(10)
        while True:  # Until it is stopped.
            progress(0)

    with pytest.raises(ValueError, match="cannot be written") as caught:
        list(LocalEngine(2).run(stage, range(2), lambda _: None))
    assert isinstance(caught.value.__cause__, OSError)
