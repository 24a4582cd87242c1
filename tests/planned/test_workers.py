"""Workers and their claims: hints that a living worker is at a unit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from dsir.storage import board
from dsir.storage.workers import Worker, remove_dead, workers_of


def dead_worker(folder, *, host=None, age=0.0):
    """Write the file of a worker whose process is gone, as it looks after so many seconds."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    path = folder / "workers" / "elsewhere-1.json"
    path.parent.mkdir(exist_ok=True)
    described = {"host": host or os.uname().nodename, "pid": ended.pid, "since": "?"}
    path.write_text(json.dumps(described))
    set_age(path, age)
    claims = folder / "claims"
    claims.mkdir(exist_ok=True)
    (claims / "scores-00001").write_text(json.dumps({"worker": "elsewhere-1"}))


def test_a_claim_of_a_living_worker_counts(tmp_path):
    one, other = Worker(tmp_path), Worker(tmp_path)
    with one.at_work(), other.at_work():
        assert one.claim("scores-00001")
        assert not other.claim("scores-00001")
        assert other.claim("scores-00002")
        one.release("scores-00001")
        assert other.claim("scores-00001")


def test_a_claim_ends_with_its_worker(tmp_path):
    one, other = Worker(tmp_path), Worker(tmp_path)
    with other.at_work():
        with one.at_work():
            assert one.claim("unit")
        assert other.claim("unit")


@pytest.mark.parametrize(
    ("host", "age", "claimed"),
    [
        (None, 0, True),  # It may have died just now; nobody can tell.
        (None, 20, False),  # Its process is gone from this machine.
        ("elsewhere", 20, True),  # Nobody here can see the processes of another machine,
        ("elsewhere", 1000, False),  # but its file would have been written again.
    ],
)
def test_claims_of_dead_workers_are_taken_over(tmp_path, host, age, claimed):
    worker = Worker(tmp_path)
    dead_worker(tmp_path, host=host, age=age)
    with worker.at_work():
        assert worker.claim("scores-00001") is not claimed


def test_a_worker_that_stops_writing_is_dead_after_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr(board._FolderBoard, "beat", 0.15)
    one, other = Worker(tmp_path), Worker(tmp_path)
    with one.at_work(), other.at_work():
        assert one.claim("unit")
        file = tmp_path / "workers" / f"{one.name}.json"
        set_age(file, 1000)
        wait_for(lambda: time.time() - file.stat().st_mtime < 500)
        assert not other.claim("unit")  # Its file is written all the time.
        monkeypatch.setattr(one, "_write", lambda: None)

        def taken_over() -> bool:
            set_age(file, 1000)  # Again and again: a last write may have been under way.
            return other.claim("unit")

        wait_for(taken_over)


def set_age(path, seconds):
    """Let a file look as if it was last written so many seconds ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def wait_for(happened):
    end = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"worker": 3}', b"\xff\xfe"])
def test_a_claim_that_says_nothing_counts_for_seconds(tmp_path, content):
    worker = Worker(tmp_path)
    with worker.at_work():
        path = tmp_path / "claims" / "unit"
        path.write_bytes(content)
        assert not worker.claim("unit")  # It may be being written.
        set_age(path, 100)
        assert worker.claim("unit")


def test_status_of_workers(tmp_path):
    worker = Worker(tmp_path)
    dead_worker(tmp_path, age=1000)
    with worker.at_work():
        worker.stage = "score"
        worker.finished(1000)
        worker._write()
        found = {one.name: one for one in workers_of(tmp_path)}
        mine = found.pop(worker.name)
        assert (mine.pid, mine.stage, mine.units, mine.bytes) == (os.getpid(), "score", 1, 1000)
        assert mine.alive
        [other] = found.values()
        assert not other.alive
        remove_dead(tmp_path)
        assert [one.name for one in workers_of(tmp_path)] == [worker.name]
        assert not list((tmp_path / "claims").iterdir())
    assert workers_of(tmp_path) == []


def test_no_workers_in_a_folder_that_has_none(tmp_path):
    assert workers_of(tmp_path) == []
    assert workers_of(tmp_path / "missing") == []
    remove_dead(tmp_path)
