"""Tasks that go to Ray several at a time."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import replace

import pytest
from engine_contract import Task, work
from hypothesis import given
from hypothesis import strategies as st

import dsir
from dsir.engine import open_engine
from dsir.engine.ray_flight import Flight, Group, size_of, threads_of

pytest.importorskip("ray")

from ray_cluster import two_nodes

from dsir.engine.ray_tasks import run_tasks, versions


@pytest.fixture(scope="module")
def engine():
    with two_nodes():
        yield open_engine("ray")


def sizes(seconds: float, tasks: int, threads: int, limit: int | None = None) -> list[int]:
    """Return how large the groups are, once a task took so long."""
    flight, left = Flight(), deque(range(tasks))
    flight.note([seconds])
    found = []
    while left and (limit is None or left[0] < limit):
        found.append(flight.next_group(left, tasks if limit is None else limit, threads))
    assert [number for group in found for number in group] == [
        *range(tasks if limit is None else limit)
    ]
    return [len(group) for group in found]


def test_groups_last_about_a_second():
    assert sizes(0.3, 200, 2)[:2] == [3, 3]
    assert sizes(1.1, 50, 2) == [1] * 50
    assert max(sizes(0.0, 10_000, 2)) == 8


def test_nobody_knows_yet_how_long_tasks_take():
    flight, left = Flight(), deque(range(100))
    assert flight.next_group(left, 100, 2) == (0,)


def test_groups_become_smaller_towards_the_end():
    found = sizes(0.001, 100, 2)
    assert found == sorted(found, reverse=True)
    assert found[-4:] == [1, 1, 1, 1]
    # Nor has a core nothing to do because another has all of the few tasks.
    assert sizes(0.001, 40, 100) == [1] * 40


@given(st.floats(0.0, 10.0), st.integers(1, 500), st.integers(1, 200), st.integers(1, 500))
def test_every_task_is_in_one_group(seconds, tasks, threads, limit):
    assert min(sizes(seconds, tasks, threads, min(limit, tasks))) >= 1


def test_a_group_uses_the_threads_of_its_tasks():
    assert threads_of([Task(0), object()]) == 1
    many = type("Task", (), {"threads": 3})
    assert threads_of([Task(0), many()]) == 3


def test_a_task_without_a_size_has_none():
    assert size_of(Task(3)) == 0
    sized = type("Shard", (), {"size": 70})
    assert size_of(type("Task", (), {"shard": sized})) == 70


def test_a_copy_that_ended_second_is_nobody():
    flight, group = Flight(), Group((1, 2), 3)
    flight.add(group, "a")
    flight.add(group, "b")
    assert (flight.groups, flight.threads, flight.refs) == ([group], 3, ["a", "b"])
    assert flight.ended("a") is group
    assert flight.others_of(group) == ["b"]
    assert flight.ended("b") is None
    assert not flight.groups


def fail(task: Task, progress) -> int:
    if task.fails:
        raise dsir.RowError(task.fails, path="a.jsonl", row=task.number)
    progress(1)
    return task.number


def test_in_a_group_the_first_failure_in_order_is_looked_for():
    tasks = [Task(5, fails="bad"), Task(2), Task(7), Task(1, fails="worse"), Task(3), Task(0)]
    sent = [(task.number, task) for task in tasks]
    found = run_tasks((fail, sent, versions(), "run"))
    told = [(number, outcome.state, outcome.amount) for number, outcome in found]
    assert told == [(5, "failed", 0), (2, "done", 1), (1, "failed", 0), (0, "done", 1)]


def test_another_version_fails_a_group():
    [(number, outcome)] = run_tasks((fail, [(4, Task(4)), (5, Task(5))], {"dsir": "9.9"}, "run"))
    assert (number, outcome.state) == (4, "failed")
    assert "where the driver has 9.9" in str(outcome.value)


@pytest.fixture
def sent(monkeypatch) -> list[tuple[int, ...]]:
    """The groups that are sent, in order."""
    groups: list[tuple[int, ...]] = []
    add = Flight.add

    def noted(self, group, ref):
        groups.append(group.numbers)
        add(self, group, ref)

    monkeypatch.setattr(Flight, "add", noted)
    return groups


def test_short_tasks_are_sent_together(engine, sent):
    amounts: list[int] = []
    found = list(engine.run(work, [Task(number) for number in range(300)], amounts.append))
    assert found == [number * number for number in range(300)]
    assert [amount for amount in amounts if amount] == [1] * 300
    assert sorted(number for numbers in sent for number in numbers) == list(range(300))
    assert len(sent) < 150


def die_once(task: Task, progress) -> int:
    """Task 11 kills its worker the first time, and notes who began."""
    assert task.folder is not None
    begun = task.folder / f"begun-{task.number}"
    again = begun.exists()
    begun.touch()
    if task.number == 11 and not again:
        os._exit(1)
    return fail(task, progress)


def test_a_task_that_loses_its_worker_costs_its_group_only(engine, tmp_path, monkeypatch, sent):
    monkeypatch.setattr(Flight, "_most_in_group", lambda *_: 8)
    tasks = [Task(number, tmp_path) for number in range(24)]
    assert list(engine.run(die_once, tasks, lambda _: None)) == list(range(24))
    assert sent[:3] == [tuple(range(8)), tuple(range(8, 16)), tuple(range(16, 24))]
    assert sorted(sent[3:]) == [(number,) for number in range(8, 16)]


def die(task: Task, progress) -> int:
    if task.number == 11:
        os._exit(1)
    return fail(task, progress)


def test_a_task_that_kills_its_workers_ends_the_run_and_no_other(engine, monkeypatch):
    monkeypatch.setattr(Flight, "_most_in_group", lambda *_: 8)
    tasks = [Task(number) for number in range(24)]
    results = engine.run(die, tasks, lambda _: None)
    with pytest.raises(dsir.EngineError, match="a task lost its worker 4 times"):
        list(results)
    monkeypatch.undo()
    without = [replace(task, number=99) if task.number == 11 else task for task in tasks]
    assert list(engine.run(die, without, lambda _: None))[12:] == list(range(12, 24))


def test_a_failure_in_a_group_is_raised_as_it_was(engine, monkeypatch):
    monkeypatch.setattr(Flight, "_most_in_group", lambda *_: 8)
    bad = {9: "is bad", 13: "is worse", 20: "is worst"}
    tasks = [Task(number, fails=bad.get(number, "")) for number in range(24)]
    results = engine.run(fail, tasks, lambda _: None)
    assert [next(results) for _ in range(9)] == list(range(9))
    with pytest.raises(dsir.RowError, match="is bad") as caught:
        next(results)
    assert caught.value.row == 9
