"""Two runs at once in one work directory."""

from __future__ import annotations

import errno
import json
import os
import platform
import subprocess
import sys

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
