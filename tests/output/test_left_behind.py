"""What a run that failed, or was killed, leaves in its output folder: nothing that stops the next.

Such a run says "start again", and nobody goes on with its files unless it had a work directory.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import dsir

# What each command writes last: the function that writes it, and the words of a large output.
COMMANDS = {
    "select": (
        "dsir.run.run_output.write_manifest",
        ["{raw}", "-t", "{target}", "-n", "60", "--min-tokens", "0", "--shard-size", "4kB"],
    ),
    "write": ("dsir.run.write_folder.write_manifest", ["rows", "-m", "m.dsir"]),
    "lexrank": ("dsir.lexrank.corpus.write_json", ["{raw}"]),
    "gais": (
        "dsir.gais.labelled_files.write_json",
        ["{raw}", "--label", "domain", "--text", "text", "--keep", "20%", "--missing", "drop"],
    ),
    "compare": (
        "dsir.comparison.result.write_json",
        ["{raw}", "-t", "{target}", "--budgets", "2000", "--seeds", "1", "--min-tokens", "0"],
    ),
}
FULL = """
def stopped(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
"""
KILLED = """
def stopped(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
"""
RUN = """
import errno, importlib, os, signal, sys
{stopped}
module, name = sys.argv[1].rsplit(".", 1)
setattr(importlib.import_module(module), name, stopped)
from dsir.cli.main import main
sys.argv = ["dsir", *sys.argv[2:]]
main()
"""


@pytest.fixture
def raw(small_world, tmp_path) -> Path:
    small_world.write_parquet(tmp_path / "raw")
    return tmp_path / "raw"


def stop_before_the_end(stopped: str, command: str, words: list[str], cwd: Path) -> str:
    """Run a command that stops when all but its last file is written; return what it says."""
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(stopped=stopped), COMMANDS[command][0], command, *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == (1 if stopped is FULL else -9), done.stderr
    return done.stderr


def files_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("stopped", [FULL, KILLED], ids=["full", "killed"])
@pytest.mark.parametrize("command", COMMANDS)
def test_the_same_command_starts_again(command, stopped, raw, target, tmp_path, invoke_dsir):
    at = {"cwd": tmp_path}
    if command == "write":
        for words in (
            ("fit", raw, "-t", target, "-o", "m.dsir"),
            ("score", raw, "-m", "m.dsir", "-o", "scores"),
            ("sample", "scores", "--n", 20, "--min-tokens", 0, "-o", "rows"),
        ):
            assert invoke_dsir(*words, "-q", **at).returncode == 0
    given = [word.format(raw=raw, target=target) for word in COMMANDS[command][1]]
    words = [*given, "-o", "out", "-q"]
    said = stop_before_the_end(stopped, command, words, tmp_path)
    if stopped is FULL:
        assert said.endswith("then start again\n")
        assert not (tmp_path / "out").exists()  # Half an output opens as if it were whole.
    else:
        assert files_under(tmp_path / "out")
    again = invoke_dsir(command, *words, **at)
    assert again.returncode == 0, again.stderr
    assert not (tmp_path / "out/_dsir/.claim.json").exists()


def test_what_a_killed_run_left_is_not_among_the_rows_of_another(raw, target, tmp_path):
    words = [word.format(raw=raw, target=target) for word in COMMANDS["select"][1]]
    stop_before_the_end(KILLED, "select", [*words, "-o", "out"], tmp_path)
    left = files_under(tmp_path / "out/data")
    dsir.select(raw, target, n=2, min_tokens=0, out=tmp_path / "out", progress=False)
    assert len(left) > len(files_under(tmp_path / "out/data"))
    assert pq.read_table(tmp_path / "out/data").num_rows == 2
    assert dsir.verify(tmp_path / "out").stands


def test_what_a_call_goes_on_with_is_kept(raw, target, tmp_path):
    words = [word.format(raw=raw, target=target) for word in COMMANDS["select"][1]]
    words += ["-o", "out", "--workdir", "work"]
    said = stop_before_the_end(FULL, "select", words, tmp_path)
    assert "run the same command again to continue" in said
    left = files_under(tmp_path / "out")
    assert any(name.startswith("data/") for name in left)
    with pytest.raises(dsir.OutputError, match="is not empty"):
        dsir.select(raw, target, n=2, min_tokens=0, out=tmp_path / "out", progress=False)
    assert files_under(tmp_path / "out") == left


def test_a_run_that_fails_before_it_writes_keeps_the_selection_that_it_replaces(
    raw, target, tmp_path, contents, monkeypatch
):
    call = {"n": 9, "min_tokens": 0, "out": tmp_path / "out", "progress": False}
    dsir.select(raw, target, **call)
    before = contents(tmp_path / "out")

    def full(*_, **__):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("dsir.run.select_run.plan_parts", full)
    with pytest.raises(OSError, match="No space"):
        dsir.select(raw, target, **call, overwrite=True)
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("manifest", ["selection.json", "ranking.json", "instances.json"])
def test_a_whole_output_is_never_taken_for_a_failed_one(manifest, raw, target, tmp_path):
    """A run that is killed between its last file and the end of its note."""
    out = tmp_path / "out"
    call = {"n": 9, "min_tokens": 0, "out": out, "progress": False}
    dsir.select(raw, target, **call)
    (out / "_dsir/selection.json").rename(out / "_dsir" / manifest)
    (out / "_dsir/.claim.json").write_text('{"run": "0123456789abcdef", "resumable": false}')
    with pytest.raises(dsir.OutputError, match="is not empty"):
        dsir.select(raw, target, **call)
