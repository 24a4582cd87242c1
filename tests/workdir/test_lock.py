"""Two runs at once in one work directory."""

from __future__ import annotations

import errno
import json
import os
import platform
import subprocess
import sys
import threading

import pytest

import dsir
from dsir.storage.workdir_lock import NAME, locked

SETTINGS = {"n": 9, "min_tokens": 20, "length": "mean", "temperature": 0.3, "progress": False}
HOLD = """
import sys, time
from pathlib import Path
from dsir.storage.workdir_lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_is_refused(parquet, target, tmp_path, run_dsir):
    work = tmp_path / "work"
    arguments = ["select", *parquet, "-t", target, "-n", 9, "-o", "out", "--workdir", work]
    arguments += ["--min-tokens", 20, "--length", "mean", "-q"]
    assert run_dsir(*arguments, cwd=tmp_path).returncode == 0
    with locked(work):
        done = run_dsir(*arguments, cwd=tmp_path)
        assert done.returncode == 1
        assert f"(process {os.getpid()} on {platform.node()}, since 20" in done.stderr
        assert done.stderr.count("\n") == 1
    assert run_dsir(*arguments, cwd=tmp_path).returncode == 0


def test_a_killed_holder_holds_nothing(parquet, target, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(work)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(dsir.WorkdirError, match=f"process {holder.pid} on "), locked(work):
            pass
        holder.kill()
        holder.wait()
        # What it wrote is still there, and does not count.
        assert json.loads((work / NAME).read_text())["pid"] == holder.pid
        with locked(work):
            assert json.loads((work / NAME).read_text())["pid"] == os.getpid()
    assert (work / NAME).read_text() == ""


def test_a_run_that_was_killed_goes_on(parquet, target, tmp_path):
    settings = {**SETTINGS, "workdir": tmp_path / "work", "out": tmp_path / "out"}
    dsir.select(parquet, target, **settings)
    (tmp_path / "work" / NAME).write_text(json.dumps({"host": platform.node(), "pid": 1}))
    dsir.select(parquet, target, **settings)


def test_another_machine_may_still_be_at_it(parquet, target, tmp_path):
    settings = {**SETTINGS, "workdir": tmp_path / "work", "out": tmp_path / "out"}
    dsir.select(parquet, target, **settings)
    lock = tmp_path / "work" / NAME
    for content in (
        json.dumps({"host": "elsewhere", "pid": 7, "since": "then"}),
        "{}",
        "half a li",
    ):
        lock.write_text(content)
        with pytest.raises(dsir.WorkdirError, match=r"or died and left its lock .*remove .*lock"):
            dsir.select(parquet, target, **settings)
    lock.unlink()
    dsir.select(parquet, target, **settings)


ELSEWHERE = {"host": "elsewhere", "pid": 7, "since": "then", "token": "f"}


@pytest.fixture
def left(tmp_path):
    """A function: leave a lock of another machine, renewed so many seconds ago."""

    def leave(seconds, **beat):
        path = tmp_path / NAME
        path.write_text(json.dumps({**ELSEWHERE, **beat}))
        renewed = path.stat().st_mtime - seconds
        os.utime(path, (renewed, renewed))
        return path

    return leave


def test_a_holder_on_another_machine_without_a_sign_of_life_is_dead(left, tmp_path, monkeypatch):
    monkeypatch.setattr("dsir.storage.workdir_lock.SETTLE_SECONDS", 0)
    path = left(601, beat=30)
    with locked(tmp_path):
        mine = json.loads(path.read_text())
        assert (mine["host"], mine["pid"]) == (platform.node(), os.getpid())
    assert path.read_text() == ""
    assert [entry.name for entry in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize(
    ("seconds", "beat"),
    [
        (590, {"beat": 30}),
        # A clock that is behind makes no lock older: both times are of the file server.
        (-3600, {"beat": 30}),
        (10**8, {}),
        *((10**8, {"beat": wrong}) for wrong in (0, -1, True, "30", None, [30], 1e9, 1e-400)),
    ],
)
def test_what_is_no_proof_of_death_is_refused(seconds, beat, left, tmp_path):
    path = left(seconds, **beat)
    before = path.read_bytes()
    with (
        pytest.raises(dsir.WorkdirError, match=r"or died and left its lock .*remove .*lock"),
        locked(tmp_path),
    ):
        pass
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [NAME]


def test_of_two_that_take_over_the_last_one_has_the_lock(left, tmp_path, monkeypatch):
    path = left(601, beat=30)

    def another(seconds):
        path.write_text(json.dumps({**ELSEWHERE, "pid": 8}))

    monkeypatch.setattr("dsir.storage.workdir_lock.time.sleep", another)
    with pytest.raises(dsir.WorkdirError, match="process 8 on elsewhere"), locked(tmp_path):
        pass
    assert json.loads(path.read_text())["pid"] == 8


def test_a_holder_gives_signs_of_life(tmp_path, monkeypatch):
    monkeypatch.setattr("dsir.storage.workdir_lock._BEAT", 0.01)
    renewed = threading.Event()
    monkeypatch.setattr("dsir.storage.workdir_lock.os.utime", lambda _: renewed.set())
    with locked(tmp_path):
        assert renewed.wait(60)


def test_a_lock_that_another_run_has_taken_over_stays(tmp_path):
    with locked(tmp_path):
        (tmp_path / NAME).write_text(json.dumps(ELSEWHERE))
    assert json.loads((tmp_path / NAME).read_text()) == ELSEWHERE


def test_where_the_file_system_has_no_locks_the_sign_of_life_decides(left, tmp_path, monkeypatch):
    def none(file, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("dsir.storage.workdir_lock.fcntl.flock", none)
    monkeypatch.setattr("dsir.storage.workdir_lock.SETTLE_SECONDS", 0)
    left(30, beat=30, host=platform.node())
    with pytest.raises(dsir.WorkdirError, match="start again in 10 minutes"), locked(tmp_path):
        pass
    left(601, beat=30, host=platform.node())
    with locked(tmp_path), pytest.raises(dsir.WorkdirError), locked(tmp_path):
        pass


def test_a_failed_run_lets_go(parquet, target, tmp_path):
    settings = {**SETTINGS, "workdir": tmp_path / "work"}
    with pytest.raises(dsir.BudgetError):
        dsir.select(parquet, target, **{**settings, "n": 600})
    assert (tmp_path / "work" / NAME).read_text() == ""


def test_a_lock_that_cannot_be_written_is_named(parquet, target, tmp_path, monkeypatch):
    """The disk fails when the holder is written down; once it is mended the run goes on."""
    settings = {**SETTINGS, "workdir": tmp_path / "work"}

    def failing(file, data):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr("dsir.storage.workdir_lock.os.write", failing)
        with pytest.raises(dsir.WorkdirError, match="lock: cannot be written: Input/output error"):
            dsir.select(parquet, target, **settings)
    dsir.select(parquet, target, **settings)
