"""The tasks of a stage between workers: each is done once, and failures are left."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import pytest

import dsir
from dsir.engine import LocalEngine
from dsir.run.shared_tasks import Share, SharedTasks
from dsir.storage.place import Place
from dsir.storage.workers import Worker


@dataclass(frozen=True)
class Unit:
    place: Place
    number: int


class Stage:
    """Notes which units it did, and on behalf of whom."""

    def __init__(self, seconds: float = 0.0, bad: tuple[int, ...] = ()) -> None:
        self.done: list[int] = []
        self._seconds = seconds
        self._bad = bad

    def __call__(self, unit: Unit, progress) -> None:
        time.sleep(self._seconds)
        progress(1)
        if unit.number in self._bad:
            raise dsir.RowError("is bad", path="a.jsonl", row=unit.number)
        self.done.append(unit.number)
        unit.place.finish({})


@pytest.fixture
def units(tmp_path):
    (tmp_path / "scores").mkdir()
    return [
        Unit(Place.at(tmp_path / "scores" / f"{number:05d}", "print", durable=False), number)
        for number in range(12)
    ]


def share_out(folder, units, stage, *, share=None, threads=1, sizes=None):
    worker = Worker(folder)
    advanced = []
    with worker.at_work():
        tasks = SharedTasks(units, sizes or [1] * len(units), worker, share or Share())
        tasks.run(stage, LocalEngine(threads), advanced.append)
    return tasks, sum(advanced)


def test_one_worker_does_everything_and_large_units_first(tmp_path, units):
    stage = Stage()
    tasks, _ = share_out(tmp_path, units, stage, sizes=[1, 9] * 6)
    assert stage.done == [1, 3, 5, 7, 9, 11, 0, 2, 4, 6, 8, 10]
    assert not tasks.failures
    assert not list((tmp_path / "claims").iterdir())


def test_a_worker_begins_with_its_share_and_helps_with_the_rest(tmp_path, units):
    stage = Stage()
    share_out(tmp_path, units, stage, share=Share(1, 4))
    assert stage.done[:3] == [1, 5, 9]
    assert sorted(stage.done) == list(range(12))


def test_workers_at_a_time_do_each_unit_once(tmp_path, units):
    stage = Stage(seconds=0.02)
    workers = [
        threading.Thread(target=share_out, args=(tmp_path, units, stage), kwargs={"threads": 2})
        for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(stage.done) == list(range(12))


def test_what_is_done_is_not_done_again_and_counts_as_progress(tmp_path, units):
    share_out(tmp_path, units[:5], Stage())
    stage = Stage()
    tasks, advanced = share_out(tmp_path, units, stage)
    assert stage.done == list(range(5, 12))
    assert advanced == 12
    assert tasks.all_done
    again, _ = share_out(tmp_path, units, Stage())
    assert again.all_done


def test_a_marker_of_other_settings_does_not_count(tmp_path, units):
    share_out(tmp_path, [Unit(Place.at(units[3].place.stem, "other", durable=False), 3)], Stage())
    stage = Stage()
    share_out(tmp_path, units, stage)
    assert stage.done == list(range(12))


def test_units_that_fail_are_left_and_the_others_are_done(tmp_path, units):
    stage = Stage(bad=(2, 7))
    tasks, _ = share_out(tmp_path, units, stage, threads=2)
    assert sorted(stage.done) == [0, 1, 3, 4, 5, 6, 8, 9, 10, 11]
    assert sorted(error.row for error in tasks.failures) == [2, 7]
    assert not list((tmp_path / "claims").iterdir())


def test_a_fault_of_the_machine_ends_the_worker(tmp_path, units):
    def stage(unit, progress):
        raise dsir.StoreError("does not answer", path="s3://b/a.parquet")

    with pytest.raises(dsir.StoreError):
        share_out(tmp_path, units, stage)
    assert not list((tmp_path / "claims").iterdir())


def test_a_worker_waits_for_units_that_others_are_at_and_takes_them_over(tmp_path, units):
    """Another worker holds a unit, and dies."""
    other = Worker(tmp_path)
    stage = Stage()
    with other.at_work():
        assert other.claim("scores-00004")
        thread = threading.Thread(target=share_out, args=(tmp_path, units, stage))
        thread.start()
        end = time.monotonic() + 120
        while len(stage.done) < 11:
            assert time.monotonic() < end
            time.sleep(0.01)
        time.sleep(0.3)
        assert thread.is_alive()
        assert 4 not in stage.done
    thread.join(120)
    assert stage.done[-1] == 4
