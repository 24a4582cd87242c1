"""Work directories: the same call goes on, another call is refused, damage is never a result."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir import _core
from dsir.storage.place import Place
from dsir.storage.workdir import Workdir
from dsir.storage.workdir_lock import locked
from dsir.storage.workdir_manifest import read_manifest

SETTINGS: dict[str, Any] = {
    "n": 12,
    "min_tokens": 5,
    "length": "mean",
    "shard_size": "2kB",
    "progress": False,
    "threads": 1,
}


@pytest.fixture
def raw(small_world, tmp_path) -> list[Path]:
    """Two shards: one of Parquet, one of JSON Lines."""
    first = small_world.write_parquet(tmp_path / "raw", parts=2, group=20)[0]
    second = small_world.write_jsonl(tmp_path / "raw", [".jsonl", ".jsonl.gz"])[1]
    return [first, second]


@pytest.fixture
def goal(small_world, tmp_path) -> Path:
    path = tmp_path / "target.parquet"
    columns = {"text": small_world.target, "domain": ["sea"] * len(small_world.target)}
    pq.write_table(pa.table(columns), path)
    return path


@pytest.fixture
def expected(raw, goal, tmp_path, contents) -> dict[str, bytes]:
    """What the output folder holds when nothing goes wrong."""
    dsir.select(raw, goal, out=tmp_path / "expected", **SETTINGS)
    found = contents(tmp_path / "expected")
    assert len(found) > 6
    return found


@pytest.fixture
def calls(monkeypatch) -> Counter[str]:
    """How often the core is asked to count and to score."""
    made: Counter[str] = Counter()

    def counted(name: str) -> None:
        kernel = getattr(_core, name)

        def call(*arguments: Any, **keywords: Any) -> Any:
            made[name] += 1
            return kernel(*arguments, **keywords)

        monkeypatch.setattr(_core, name, call)

    counted("count")
    counted("score")
    return made


def test_the_same_call_again_reuses_everything(raw, goal, tmp_path, expected, calls, contents):
    keywords = {**SETTINGS, "out": tmp_path / "out", "workdir": tmp_path / "work"}
    first = dsir.select(raw, goal, **keywords)
    assert calls["score"] > 0
    assert contents(tmp_path / "out") == expected
    work = contents(tmp_path / "work")
    stamps = {path: path.stat().st_mtime_ns for path in first.paths}
    calls.clear()
    again = dsir.select(raw, goal, **{**keywords, "threads": 2})
    assert calls == {}
    assert contents(tmp_path / "out") == expected
    assert contents(tmp_path / "work") == work
    assert {path: path.stat().st_mtime_ns for path in again.paths} == stamps
    assert again.rows.tolist() == first.rows.tolist()
    assert again.log_weights.tobytes() == first.log_weights.tobytes()
    assert {k: v for k, v in again.metrics.items() if k != "stages"} == {
        k: v for k, v in first.metrics.items() if k != "stages"
    }


def test_lost_output_is_written_again(raw, goal, tmp_path, expected, calls, contents):
    keywords = {**SETTINGS, "out": tmp_path / "out", "workdir": tmp_path / "work"}
    first = dsir.select(raw, goal, **keywords)
    first.paths[1].unlink()
    (tmp_path / "out" / "_dsir/selection.json").unlink()
    calls.clear()
    dsir.select(raw, goal, **keywords)
    assert calls["score"] == 0
    assert calls["count"] > 0  # The rows of one shard, for the metrics.
    assert contents(tmp_path / "out") == expected
    shutil.rmtree(tmp_path / "out")
    dsir.select(raw, goal, **keywords)
    assert contents(tmp_path / "out") == expected


def test_output_that_another_run_replaced_is_written_again(raw, goal, tmp_path, expected, contents):
    """Two runs that share an output folder may well write files of the same size."""
    keywords = {**SETTINGS, "out": tmp_path / "out", "workdir": tmp_path / "work"}
    dsir.select(raw, goal, **keywords)
    for name, data in expected.items():
        if name.endswith((".parquet", ".jsonl")):
            (tmp_path / "out" / name).write_bytes(data[::-1])
    dsir.select(raw, goal, **keywords)
    assert contents(tmp_path / "out") == expected


def test_without_out(raw, goal, tmp_path, calls):
    keywords = {**SETTINGS, "n": 4, "workdir": tmp_path / "work"}
    first = dsir.select(raw[:1], goal, **keywords)
    calls.clear()
    again = dsir.select(raw[:1], goal, **keywords)
    assert calls["score"] == 0
    assert again.table.equals(first.table)


DRAWN = {"counts", "scores"}
WRITTEN = {"counts", "scores", "rows"}


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"n": 21}, DRAWN),
        ({"n": None, "fraction": 0.5}, DRAWN),
        ({"seed": 1}, DRAWN),
        ({"method": "top-k"}, DRAWN),
        ({"temperature": 2.0}, DRAWN),
        ({"min_tokens": 6}, DRAWN),
        ({"allow_fewer": True}, DRAWN),
        ({"shard_size": "5kB"}, WRITTEN),
        ({"weight_column": "w"}, WRITTEN),
        ({"combine": {"dsir": 1.0, "lexrank": 0.5}}, DRAWN),
        ({"length": "sum"}, {"counts"}),
        ({"smoothing": 1.0}, {"counts"}),
        ({"filters": {"min_words": 8}}, {"counts"}),
        # All of raw is counted either way, so that the model is the same.
        ({"fit_tokens": "all"}, {"scores", "rows"}),
        ({"text": "domain"}, set()),
        ({"on_error": "skip"}, set()),
        ({"features": dsir.HashedNgrams(buckets=99)}, set()),
        ({"features": dsir.HashedNgrams(hash="sha256")}, set()),
        ({"chunk_tokens": 9, "min_tokens": 5}, set()),
    ],
)
@pytest.mark.filterwarnings("ignore::dsir.DsirWarning")
def test_other_settings_repeat_the_stages_that_depend_on_them(
    raw, goal, tmp_path, contents, change, kept
):
    """And what comes of it is what a run without a work directory gives."""
    keywords = {**SETTINGS, "workdir": tmp_path / "work"}
    dsir.select(raw, goal, out=tmp_path / "first", **keywords)
    before = results(tmp_path / "work")
    if "text" in change:
        keywords["min_tokens"] = 1
    dsir.select(raw, goal, out=tmp_path / "changed", **{**keywords, **change})
    after = results(tmp_path / "work")
    stages = {"counts", "scores", "rows", "outputs"}
    assert {name for name in stages if before[name] == after[name]} == kept
    dsir.select(raw, goal, out=tmp_path / "fresh", **{**keywords, **change, "workdir": None})
    assert contents(tmp_path / "changed") == contents(tmp_path / "fresh")
    # And back again.
    dsir.select(raw, goal, out=tmp_path / "first", overwrite=True, **keywords)


def results(work: Path) -> dict[str, dict[str, int]]:
    """By stage, the inode of every file: a file that is written again has another one."""
    return {
        stage.name: {path.name: path.stat().st_ino for path in stage.iterdir()}
        for stage in work.iterdir()
        if stage.is_dir()
    }


def test_scores_serve_draws_with_fewer_or_other_quotas(raw, goal, tmp_path, contents, calls):
    """Scores with more columns than a draw needs are kept; scores that lack one gain it."""
    keywords = {**SETTINGS, "workdir": tmp_path / "work", "allow_fewer": True}
    quotas = [
        {"max_per": {"domain": 0.5}, "dedup": "exact"},
        {"max_per": {"domain": 3}, "dedup": "exact"},
        {"group_by": "domain"},
        {"dedup": "exact"},
        {},
        {"max_per": {"meta.chars": 2}},
        {"max_per": {"meta.chars": 1, "domain": 0.5}, "dedup": "exact"},
        {"group_by": "domain"},
    ]
    scored = []
    for number, quota in enumerate(quotas):
        calls.clear()
        dsir.select(raw, goal, out=tmp_path / f"out-{number}", **keywords, **quota)
        scored.append(calls["score"] > 0)
        dsir.select(
            raw, goal, out=tmp_path / f"fresh-{number}", **{**keywords, "workdir": None}, **quota
        )
        assert contents(tmp_path / f"out-{number}") == contents(tmp_path / f"fresh-{number}")
    assert scored == [True, *[False] * 7]


@pytest.mark.parametrize(
    "settings",
    [
        {"chunk_tokens": 9, "min_tokens": 4},
        {"filters": "min_words=6"},
        {"targets": "separate"},
        {"on_error": "skip"},
    ],
    ids=lambda settings: "-".join(settings),
)
def test_columns_are_added_to_scores_of_every_form(raw, goal, tmp_path, contents, calls, settings):
    raw[1].with_name("bad.jsonl").write_text('{"text": 7}\n{"text": "a ship and a sail at sea"}\n')
    inputs = [*raw, raw[1].with_name("bad.jsonl")] if "on_error" in settings else raw
    target = {"a": goal, "b": ["the judge heard the court and the jury"] * 5}
    wanted = target if "targets" in settings else goal
    keywords = {**SETTINGS, "allow_fewer": True, **settings}
    work = tmp_path / "work"
    dsir.select(inputs, wanted, out=tmp_path / "first", workdir=work, **keywords)
    calls.clear()
    quota = {"group_by": "domain", "dedup": "exact"}
    if "on_error" in settings:
        quota = {"dedup": "exact"}  # The broken file has no other column.
    dsir.select(inputs, wanted, out=tmp_path / "more", workdir=work, **keywords, **quota)
    assert calls["score"] == 0
    dsir.select(inputs, wanted, out=tmp_path / "fresh", **keywords, **quota)
    assert contents(tmp_path / "more") == contents(tmp_path / "fresh")


def test_a_run_that_dies_while_columns_are_added(raw, goal, tmp_path, contents, calls, monkeypatch):
    keywords = {**SETTINGS, "workdir": tmp_path / "work", "group_by": "domain", "allow_fewer": True}
    dsir.select(raw, goal, out=tmp_path / "first", **{**keywords, "group_by": None})
    finish = Place.finish
    finished = []

    def dying(place: Place, result: Any) -> None:
        if finished:  # The file of the second shard is there, and its marker is not.
            raise KeyboardInterrupt
        finished.append(place)
        finish(place, result)

    monkeypatch.setattr(Place, "finish", dying)
    with pytest.raises(KeyboardInterrupt):
        dsir.select(raw, goal, out=tmp_path / "out", **keywords)
    monkeypatch.undo()
    calls.clear()
    dsir.select(raw, goal, out=tmp_path / "out", **keywords)
    dsir.select(raw, goal, out=tmp_path / "fresh", **{**keywords, "workdir": None})
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_another_output_folder_keeps_what_was_drawn(raw, goal, tmp_path, contents, calls):
    keywords = {**SETTINGS, "workdir": tmp_path / "work"}
    dsir.select(raw, goal, out=tmp_path / "out", **keywords)
    calls.clear()
    dsir.select(raw, goal, out=tmp_path / "elsewhere", **keywords)
    assert calls["score"] == 0
    assert contents(tmp_path / "elsewhere") == contents(tmp_path / "out")


def test_a_changed_call_does_not_write_over_another_selection(raw, goal, tmp_path, contents):
    keywords = {**SETTINGS, "out": tmp_path / "out", "workdir": tmp_path / "work"}
    dsir.select(raw, goal, **keywords)
    written = contents(tmp_path / "out")
    with pytest.raises(dsir.OutputError, match="overwrite=True"):
        dsir.select(raw, goal, **{**keywords, "n": 21})
    assert contents(tmp_path / "out") == written
    dsir.select(raw, goal, **{**keywords, "n": 21, "overwrite": True})
    dsir.select(raw, goal, out=tmp_path / "fresh", **{**SETTINGS, "n": 21})
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_other_inputs_are_refused(raw, goal, small_world, tmp_path):
    keywords = {**SETTINGS, "out": tmp_path / "out", "workdir": tmp_path / "work"}
    dsir.select(raw, goal, **keywords)
    copy = tmp_path / "copy.parquet"
    shutil.copy(raw[0], copy)
    cases = [
        (raw[:1], goal, r"inputs\.raw are 1, were 2"),
        ([copy, raw[1]], goal, r"inputs\.raw\[0\]\.path is .*copy\.parquet.*, was .*part-0"),
        (raw[::-1], goal, r"inputs\.raw\[0\]\.path is"),
        (raw, raw[0], r"inputs\.target\[0\]\.path is"),
        (raw, small_world.target, r"inputs\.target\[0\]"),
        (raw, [goal, raw[0]], r"inputs\.target are 2, were 1"),
    ]
    for other_raw, other_target, named in cases:
        with pytest.raises(dsir.WorkdirError, match=named):
            dsir.select(other_raw, other_target, **keywords)
    raw[1].touch()
    with pytest.raises(dsir.WorkdirError, match=r"inputs\.raw\[1\]\.mtime_ns is"):
        dsir.select(raw, goal, **keywords)
    raw[1].unlink()
    with pytest.raises(dsir.ShardError, match="no such file"):
        dsir.select(raw, goal, **keywords)


def test_another_target_in_memory_is_refused(raw, small_world, tmp_path):
    keywords = {**SETTINGS, "n": 4, "workdir": tmp_path / "work"}
    target = small_world.target
    first = dsir.select(raw[:1], target, **keywords)
    again = dsir.select(raw[:1], list(target), **keywords)
    assert again.rows.tolist() == first.rows.tolist()
    with pytest.raises(dsir.WorkdirError, match=r"inputs\.target\[0\]"):
        dsir.select(raw[:1], [*target[:-1], "another text"], **keywords)


def test_raw_in_memory_is_refused(small_world, raw, tmp_path):
    for source in (small_world.texts, [raw[0], small_world.table()]):
        with pytest.raises(dsir.SettingError, match="raw is in memory"):
            dsir.select(source, small_world.target, workdir=tmp_path / "work", **SETTINGS)
    assert not (tmp_path / "work").exists()


def test_foreign_folders_are_refused(raw, goal, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").touch()
    with pytest.raises(dsir.WorkdirError, match="not a work directory of dsir"):
        dsir.select(raw, goal, workdir=foreign, **SETTINGS)
    with pytest.raises(dsir.WorkdirError, match="cannot be used as a work directory"):
        dsir.select(raw, goal, workdir=raw[0], **SETTINGS)
    for content in ("", "{", "[]", '{"format": 99}'):
        (foreign / "manifest.json").write_text(content)
        with pytest.raises(dsir.WorkdirError, match=r"manifest\.json"):
            dsir.select(raw, goal, workdir=foreign, **SETTINGS)


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


def test_markers_are_names_of_what_they_finish(tmp_path):
    workdir = Workdir(tmp_path / "w", {"a": 1}, {"raw": []})
    place = workdir.stage("scores", {"b": 2}).place(7)
    assert place.path(".arrow") == tmp_path / "w" / "scores" / "00007.arrow"
    assert place.finished() is None
    place.finish({"rows": 3})
    assert place.finished() == {"rows": 3}
    assert Place(place.stem, "of another run").finished() is None
    again = Workdir(tmp_path / "w", {"a": 1}, {"raw": []})
    assert again.fingerprint == workdir.fingerprint
    assert again.stage("scores", {"b": 2}).place(7) == place
    assert again.stage("scores", {"b": 3}).place(7).finished() is None
    assert read_manifest(tmp_path / "w") == workdir.manifest
    with pytest.raises(dsir.WorkdirError, match=r"settings\.a is 2, was 1; settings\.b is 3, was"):
        Workdir(tmp_path / "w", {"a": 2, "b": 3}, {"raw": []})


def test_a_work_directory_with_a_skipped_shard(raw, goal, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "a ship"}\n{"text": 7}\n')
    gone = tmp_path / "gone.parquet"
    gone.write_bytes(b"no")
    keywords = {**SETTINGS, "on_error": "skip", "workdir": tmp_path / "work"}
    keywords["out"] = tmp_path / "out"
    first = dsir.select([bad, *raw, gone], goal, **keywords)
    again = dsir.select([bad, *raw, gone], goal, **keywords)
    assert [(s.path, s.row) for s in first.skipped] == [(str(bad), 1), (str(gone), None)]
    assert again.skipped == first.skipped
    assert again.rows.tolist() == first.rows.tolist()


def test_the_work_directory_holds_the_scores(raw, goal, small_world, tmp_path):
    selection = dsir.select(raw, goal, workdir=tmp_path / "work", out=tmp_path / "out", **SETTINGS)
    model = dsir.ImportanceModel.load(tmp_path / "work" / "model.dsir")
    assert model.fingerprint == selection.model.fingerprint
    parts = [
        pa.ipc.open_file(tmp_path / "work" / "scores" / f"{i:05d}.arrow").read_all()
        for i in range(2)
    ]
    scores = pa.concat_tables(parts)
    assert len(scores) == len(small_world.rows)
    weights = model.score(small_world.texts)
    np.testing.assert_array_equal(scores["log_weight"].to_numpy(), weights)
    draw = dsir.sample(np.where(scores["tokens"].to_numpy() >= 5, weights, -np.inf), 12, seed=0)
    assert draw.tolist() == selection.rows.tolist()


@pytest.mark.parametrize("where", ["{}/out", "memory://refused/out"])
def test_a_refused_call_makes_no_work_directory(raw, goal, tmp_path, where):
    out = where.format(tmp_path)
    dsir.select(raw, goal, out=out, overwrite=True, **SETTINGS)
    with pytest.raises(dsir.OutputError, match="not empty"):
        dsir.select(raw, goal, out=out, workdir=tmp_path / "work", **SETTINGS)
    assert not (tmp_path / "work").exists()
    mixed = {**SETTINGS, "workdir": tmp_path / "work"}
    with pytest.raises(dsir.SettingError, match="cannot be one table"):
        dsir.select(raw, goal, **mixed)
    assert not (tmp_path / "work").exists()
