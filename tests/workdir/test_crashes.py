"""A run that dies at any moment goes on to the same files; damage is never a result."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_run import SETTINGS

import dsir
from dsir.storage.workdir_lock import locked


class Crash(BaseException):
    """The process dies here, as far as Python code can tell."""


class Renames:
    """Counts the renames that make files final, and crashes at one of them.

    Attributes:
        crash_at: which; None for none.
        after: crash when it is done, instead of before.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done = 0
        self.crash_at: int | None = None
        self.after = False
        rename = Path.replace

        def replace(path: Path, target: Path) -> Path:
            number, self.done = self.done, self.done + 1
            if number == self.crash_at and not self.after:
                raise Crash
            result = rename(path, target)
            if number == self.crash_at:
                raise Crash
            return result

        monkeypatch.setattr(Path, "replace", replace)

    def arm(self, crash_at: int | None, after: bool = False) -> None:
        self.done, self.crash_at, self.after = 0, crash_at, after


def whole(out: Path, expected: dict[str, bytes]) -> None:
    """Whatever has a final name is whole."""
    if out.exists():
        for path in out.rglob("*"):
            name = str(path.relative_to(out))
            if path.is_file() and path.name[0] != "." and path.name != "run.json":
                assert path.read_bytes() == expected[name]


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_step(raw, goal, tmp_path, expected, contents, monkeypatch, after):
    renames = Renames(monkeypatch)
    for step in range(1000):
        folder = tmp_path / str(step)
        keywords = {**SETTINGS, "out": folder / "out", "workdir": folder / "work"}
        renames.arm(step, after)
        try:
            dsir.select(raw, goal, **keywords)
        except Crash:
            whole(folder / "out", expected)
            assert not list(folder.rglob(".*.tmp-*"))
            assert not list(folder.rglob(".lock"))
        else:
            break
        renames.arm(None)
        dsir.select(raw, goal, **keywords)
        assert contents(folder / "out") == expected
        shutil.rmtree(folder)
    assert step > 25  # So many files are made.


def test_a_crash_at_every_step_in_turn(raw, goal, tmp_path, expected, contents, monkeypatch):
    """Each run gets one file further than the one before."""
    renames = Renames(monkeypatch)
    keywords = {**SETTINGS, "out": tmp_path / "out", "workdir": tmp_path / "work"}
    for crashes in range(1000):  # noqa: B007
        # The model is written in every run; lines, their weights and counts come with one marker.
        renames.arm(5, after=True)
        try:
            dsir.select(raw, goal, **keywords)
        except Crash:
            whole(tmp_path / "out", expected)
        else:
            break
    assert crashes > 5
    assert contents(tmp_path / "out") == expected


def test_a_failing_disk(raw, goal, tmp_path, expected, contents, monkeypatch):
    """A full disk at any file: a DsirError or OSError, nothing half-written, and on it goes."""
    fsync, calls = os.fsync, 0

    def full(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == limit:
            raise OSError(28, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    for limit in range(1, 60, 4):
        calls = 0
        folder = tmp_path / str(limit)
        keywords = {**SETTINGS, "out": folder / "out", "workdir": folder / "work"}
        with pytest.raises((dsir.DsirError, OSError), match="No space left"):
            dsir.select(raw, goal, **keywords)
        whole(folder / "out", expected)
        dsir.select(raw, goal, **keywords)
        assert contents(folder / "out") == expected


@pytest.mark.parametrize(
    "name",
    [
        "data/.part-00001.parquet.tmp-1-aaaaaaaa",
        "data/.part-00001.arrow.plain.tmp-1-aaaaaaaa",
        "data/.part-00002.jsonl.tmp-1-aaaaaaaa",
        "_dsir/weights/.part-00002.arrow.tmp-1-aaaaaaaa",
        "_dsir/.selection.json.tmp-1-aaaaaaaa",
        "_dsir/.run.json.tmp-1-aaaaaaaa",
        "_dsir/.model.dsir.tmp-1-aaaaaaaa",
    ],
)
def test_what_a_killed_run_left_is_removed(raw, goal, tmp_path, expected, contents, name):
    out = tmp_path / "out"
    keywords = {**SETTINGS, "out": out, "workdir": tmp_path / "work"}
    dsir.select(raw, goal, **keywords)
    (out / name).write_bytes(b"half")
    dsir.select(raw, goal, **keywords)
    assert contents(out) == expected
    (out / name).write_bytes(b"half")
    dsir.select(raw, goal, overwrite=True, out=out, **SETTINGS)
    assert contents(out) == expected


def test_what_a_killed_run_left_in_the_work_directory_is_removed(raw, goal, tmp_path, contents):
    work = tmp_path / "work"
    keywords = {**SETTINGS, "n": 4, "workdir": work}
    dsir.select(raw[:1], goal, **keywords)
    before = contents(work)
    left = ["model.dsir", "counts/raw-00000.npy", "scores/00000.arrow", "outputs/00000.json"]
    (work / "outputs").mkdir(exist_ok=True)
    for name in left:
        path = work / name
        path.with_name(f".{path.name}.tmp-1-0123abcd").write_bytes(b"half")
    (work / "scores" / ".mine").touch()
    with locked(work), pytest.raises(dsir.WorkdirError, match="another run is at work"):
        dsir.select(raw[:1], goal, **keywords)
    assert len(contents(work)) == len(before) + len(left) + 1  # They may be of that run.
    dsir.select(raw[:1], goal, **keywords)
    (work / "scores" / ".mine").unlink()
    assert contents(work) == before


RUN = """
import sys, dsir
sys.stdout.write("ready\\n"); sys.stdout.flush()
dsir.select({raw!r}, {target!r}, out={out!r}, workdir={work!r}, n=120, min_tokens=20,
            length="mean", shard_size="1kB", threads=2, progress=False)
"""


def count_files(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))


def test_killed_at_random_times(world, target, tmp_path, contents):
    raw = world.write_parquet(tmp_path / "raw", parts=12)
    keywords = {"n": 120, "min_tokens": 20, "length": "mean", "shard_size": "1kB"}
    dsir.select(raw, target, out=tmp_path / "expected", progress=False, **keywords)
    expected = contents(tmp_path / "expected")
    out, work = tmp_path / "out", tmp_path / "work"
    code = RUN.format(raw=list(map(str, raw)), target=str(target), out=str(out), work=str(work))
    # How far a run gets is told by its files, not by the clock: machines differ.
    whole_run = {**keywords, "out": tmp_path / "other", "workdir": tmp_path / "whole"}
    dsir.select(raw, target, progress=False, **whole_run)
    files = count_files(tmp_path / "whole")
    draw = random.Random(0)
    killed = 0
    for stop_at in sorted(draw.randrange(files) for _ in range(8)):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        while process.poll() is None:
            if count_files(work) >= stop_at:
                process.kill()
                break
            time.sleep(0.001)
        killed += process.wait() < 0
        process.stdout.close()
        whole(out, expected)
    assert killed >= 1
    selection = dsir.select(raw, target, out=out, workdir=work, progress=False, **keywords)
    assert contents(out) == expected
    assert len(selection) == 120


def damaged(data: bytes) -> Iterator[bytes]:
    yield b""
    yield data[: len(data) // 2]
    yield data[:-1]


@pytest.mark.parametrize("kept", [False, True], ids=["output gone", "output kept"])
def test_truncated_files(raw, goal, tmp_path, expected, contents, kept):
    """An error that names the file, or done again; never another answer."""
    out, work, sound = tmp_path / "out", tmp_path / "work", tmp_path / "sound"
    keywords = {**SETTINGS, "out": out, "workdir": work}
    dsir.select(raw, goal, **keywords)
    shutil.copytree(work, sound)
    files = [path for path in sorted(work.rglob("*")) if path.is_file()]
    assert len(files) > 20
    for path in files:
        data = path.read_bytes()
        for damage in (*damaged(data), None):
            if damage is None:
                path.unlink()
            else:
                path.write_bytes(damage)
            if not kept:
                shutil.rmtree(out, ignore_errors=True)
            try:
                dsir.select(raw, goal, **keywords)
            except dsir.WorkdirError as error:
                assert str(path) in str(error) or path.name == "manifest.json"  # noqa: PT017
                whole(out, expected)
            except dsir.OutputError as error:
                # Nothing says any more that the files in the output folder are this run's.
                assert path.parent.name == "outputs" or path.name == "finished.json"
                assert str(out) in str(error)  # noqa: PT017
                whole(out, expected)
            else:
                assert contents(out) == expected
            shutil.rmtree(work)
            shutil.copytree(sound, work)
