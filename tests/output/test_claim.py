"""An output folder belongs to one run: at a time, and until another one replaces it on purpose."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import dsir
from dsir.output.claim import claimed
from dsir.output.folder import DATASET_NOTE
from dsir.stages import write

SETTINGS: dict[str, Any] = {
    "min_tokens": 5,
    "length": "mean",
    "temperature": 0.3,
    "shard_size": 4000,
    "threads": 2,
    "progress": False,
}
HOLD = """
import sys
from pathlib import Path
from dsir.output.claim import claimed
with claimed(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def raw(small_world, tmp_path) -> list[Path]:
    return small_world.write_parquet(tmp_path / "raw", parts=2, group=9)


def test_a_finished_run_does_not_write_over_the_selection_of_another(
    raw, target, tmp_path, contents
):
    out = tmp_path / "out"
    mine = {**SETTINGS, "n": 24, "out": out, "workdir": tmp_path / "mine"}
    dsir.select(raw, target, **mine)
    first = contents(out)
    dsir.select(raw, target, **SETTINGS, n=48, out=out, workdir=tmp_path / "other", overwrite=True)
    theirs = contents(out)
    assert theirs != first
    with pytest.raises(dsir.OutputError, match=r"is not empty.*overwrite=True"):
        dsir.select(raw, target, **mine)
    assert contents(out) == theirs
    dsir.select(raw, target, **mine, overwrite=True)
    assert contents(out) == first
    dsir.select(raw, target, **mine)  # It is the same run's again.
    assert contents(out) == first


@pytest.mark.parametrize("command", ["gais", "lexrank"])
def test_what_another_command_wrote_is_another_runs(
    raw, target, tmp_path, invoke_dsir, contents, command
):
    out = tmp_path / "out"
    mine = {**SETTINGS, "n": 24, "out": out, "workdir": tmp_path / "mine"}
    dsir.select(raw, target, **mine)
    options = (
        ["--label", "domain", "--text", "text", "--missing", "fill"] if command == "gais" else []
    )
    done = invoke_dsir(command, *raw, *options, "--out", out, "--overwrite", "-q")
    assert done.returncode == 0, done.stderr
    theirs = contents(out)
    with pytest.raises(dsir.OutputError, match="is not empty"):
        dsir.select(raw, target, **mine)
    assert contents(out) == theirs


def test_the_second_of_two_runs_into_a_new_folder_is_refused(
    raw, target, tmp_path, contents, monkeypatch
):
    """The second starts while the first writes its first part."""
    out = tmp_path / "new" / "out"
    refused = []
    write_shard = write.write_shard

    def other() -> None:
        with pytest.raises(
            dsir.OutputError, match=f"at work in it .process {os.getpid()} on "
        ) as it:
            dsir.select(raw, target, **SETTINGS, n=48, out=out, overwrite=True)
        refused.append(it)

    def with_another_run(task: Any, progress: Any) -> Any:
        if task.output.number == 0 and not refused:
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        return write_shard(task, progress)

    monkeypatch.setattr("dsir.run.writing.write_shard", with_another_run)
    dsir.select(raw, target, **SETTINGS, n=24, out=out)
    assert refused
    monkeypatch.undo()
    dsir.select(raw, target, **SETTINGS, n=24, out=tmp_path / "alone")
    assert contents(out) == contents(tmp_path / "alone")


def test_a_killed_holder_holds_nothing(raw, target, tmp_path):
    out = tmp_path / "out"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(dsir.OutputError, match=f"process {holder.pid} on "):
            dsir.select(raw, target, **SETTINGS, n=9, out=out)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert json.loads((out / "_dsir/.lock").read_text())["pid"] == holder.pid
    dsir.select(raw, target, **SETTINGS, n=9, out=out)  # The folder counts as empty.
    assert [path.name for path in out.rglob(".*")] == [DATASET_NOTE]


def test_another_machine_may_still_be_at_it(raw, target, tmp_path):
    out = tmp_path / "out"
    (out / "_dsir").mkdir(parents=True)
    lock = out / "_dsir/.lock"
    lock.write_text(json.dumps({"host": "elsewhere", "pid": 7, "since": "then"}))
    with pytest.raises(dsir.OutputError, match=r"process 7 on elsewhere.*remove .*\.lock"):
        dsir.select(raw, target, **SETTINGS, n=9, out=out)
    lock.write_text(json.dumps({"host": platform.node(), "pid": 7, "since": "then"}))
    dsir.select(raw, target, **SETTINGS, n=9, out=out)


class KilledError(BaseException):
    """The run ends here."""


def killed_while_writing(monkeypatch: pytest.MonkeyPatch, *arguments: Any, **keywords: Any) -> None:
    """Run select(), and end it after the first part."""
    write_shard = write.write_shard

    def one_part(task: Any, progress: Any) -> Any:
        if task.output.number:
            raise KilledError
        return write_shard(task, progress)

    with monkeypatch.context() as patched:
        patched.setattr("dsir.run.writing.write_shard", one_part)
        with pytest.raises(KilledError):
            dsir.select(*arguments, **{**keywords, "threads": 1})


def test_unfinished_output_is_that_of_its_run(raw, target, tmp_path, contents, monkeypatch):
    out = tmp_path / "out"
    mine = {**SETTINGS, "n": 24, "out": out, "workdir": tmp_path / "mine"}
    killed_while_writing(monkeypatch, raw, target, **mine)
    other = {**SETTINGS, "n": 48, "out": out, "workdir": tmp_path / "other"}
    for keywords in (other, {**mine, "n": 48}, {**SETTINGS, "n": 24, "out": out}):
        with pytest.raises(dsir.OutputError, match="is not empty"):
            dsir.select(raw, target, **keywords)
    dsir.select(raw, target, **mine)
    dsir.select(raw, target, **{**mine, "out": tmp_path / "alone", "workdir": tmp_path / "fresh"})
    assert contents(out) == contents(tmp_path / "alone")


def test_a_run_that_began_there_once_does_not_go_on_with_the_parts_of_another(
    raw, target, tmp_path, contents, monkeypatch
):
    """Both were killed while they wrote: the parts that lie there are the second one's."""
    out = tmp_path / "out"
    mine = {**SETTINGS, "n": 24, "out": out, "workdir": tmp_path / "mine"}
    killed_while_writing(monkeypatch, raw, target, **mine)
    other = {**SETTINGS, "n": 48, "out": out, "workdir": tmp_path / "other", "overwrite": True}
    killed_while_writing(monkeypatch, raw, target, **other)
    before = contents(out)
    with pytest.raises(dsir.OutputError, match="is not empty"):
        dsir.select(raw, target, **mine)
    assert contents(out) == before
    dsir.select(raw, target, **other)
    dsir.select(raw, target, **{**SETTINGS, "n": 48, "out": tmp_path / "alone"})
    assert contents(out) == contents(tmp_path / "alone")


def test_killed_while_it_cleared_the_folder(raw, target, tmp_path, contents, monkeypatch):
    """What is left of the earlier selection is no part of the new one."""
    out = tmp_path / "out"
    mine = {**SETTINGS, "n": 24, "out": out, "workdir": tmp_path / "mine", "overwrite": True}
    dsir.select(raw, target, **mine)
    dsir.select(raw, target, **SETTINGS, n=80, out=out, overwrite=True)
    parts = len(list((out / "data").iterdir()))
    unlink, removed = Path.unlink, 0

    def dies(path: Path, missing_ok: bool = False) -> None:
        nonlocal removed
        removed += path.is_relative_to(out) and path.name[0] != "."
        if removed == 3:
            raise KilledError
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", dies)
        with pytest.raises(KilledError):
            dsir.select(raw, target, **mine)
    assert len(list((out / "data").iterdir())) == parts
    dsir.select(raw, target, **mine)
    dsir.select(raw, target, **{**SETTINGS, "n": 24, "out": tmp_path / "alone"})
    assert contents(out) == contents(tmp_path / "alone")


@pytest.mark.parametrize("damage", ["gone", "shorter", "side file gone"])
def test_a_part_that_goes_while_the_run_writes_is_noticed(
    raw, target, tmp_path, contents, monkeypatch, damage
):
    out = tmp_path / "out"
    mine = {**SETTINGS, "n": 24, "out": out, "workdir": tmp_path / "mine"}
    write_shard = write.write_shard

    def with_a_stranger(task: Any, progress: Any) -> Any:
        done = write_shard(task, progress)
        if task.output.number == 1:
            part = out / "data/part-00000.parquet"
            if damage == "shorter":
                part.write_bytes(part.read_bytes()[:-1])
            elif damage == "gone":
                part.unlink()
            else:
                (out / "_dsir/rows/part-00000.arrow").unlink()
        return done

    with monkeypatch.context() as patched:
        patched.setattr("dsir.run.writing.write_shard", with_a_stranger)
        with pytest.raises(dsir.OutputError, match=r"part-00000\..*: was removed or changed"):
            dsir.select(raw, target, **{**mine, "threads": 1})
    assert not (out / "_dsir/selection.json").exists()
    dsir.select(raw, target, **mine)
    dsir.select(raw, target, **{**SETTINGS, "n": 24, "out": tmp_path / "alone"})
    assert contents(out) == contents(tmp_path / "alone")


def test_a_run_that_writes_nothing_leaves_nothing(raw, target, tmp_path):
    out = tmp_path / "new" / "out"
    with pytest.raises(dsir.BudgetError):
        dsir.select(raw, target, **{**SETTINGS, "min_tokens": 10**6}, n=9, out=out)
    assert not out.parent.exists()
    out.mkdir(parents=True)
    with claimed(out):
        assert (out / "_dsir/.lock").exists()
    assert not list(out.iterdir())


def test_rows_are_written_to_no_folder_that_is_in_use(
    raw, target, tmp_path, invoke_dsir, run_dsir, contents
):
    """`dsir write`, `gais` and `lexrank` claim their folder too."""
    at = {"cwd": tmp_path}
    assert invoke_dsir("fit", *raw, "-t", target, "-o", "m.dsir", "-q", **at).returncode == 0
    assert invoke_dsir("score", *raw, "-m", "m.dsir", "-o", "scores", "-q", **at).returncode == 0
    sampled = invoke_dsir("sample", "scores", "--n", 9, "-o", "rows", "-q", **at)
    assert sampled.returncode == 0
    commands = [
        ["write", "rows", "-m", "m.dsir"],
        ["gais", *raw, "--label", "domain", "--text", "text", "--missing", "fill"],
        ["lexrank", *raw],
    ]
    for command in commands:
        with claimed(tmp_path / "out"):
            done = run_dsir(*command, "-o", "out", "-q", **at)
            assert done.returncode == 1
            assert f"at work in it (process {os.getpid()} on " in done.stderr
        left = tmp_path / "out/_dsir/.run.json.tmp-1-0123abcd"
        left.parent.mkdir(parents=True)
        left.write_bytes(b"half")
        assert run_dsir(*command, "-o", "out", "-q", **at).returncode == 0
        assert [path.name for path in (tmp_path / "out").rglob(".*")] == [DATASET_NOTE]
        shutil.rmtree(tmp_path / "out")
