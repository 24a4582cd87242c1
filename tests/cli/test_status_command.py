"""dsir status: how far a run is, from its work directory alone."""

from __future__ import annotations

import json
import os
import re
import shutil

import pytest

import dsir
from dsir.run.status import StageStatus, run_status
from dsir.storage.workdir_lock import locked

SETTINGS = {"n": 9, "min_tokens": 20, "length": "mean", "temperature": 0.3, "progress": False}


@pytest.fixture
def work(parquet, target, tmp_path):
    dsir.select(parquet, target, workdir=tmp_path / "w", out=tmp_path / "out", **SETTINGS)
    return tmp_path / "w"


def test_a_finished_run(work, run_dsir):
    done = run_dsir("status", work)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "finished",
        "  fit     3 of 3 units",
        "  score   3 of 3 units",
        "  sample  3 of 3 units",
        "  write   1 of 1 unit",
    ]
    told = json.loads(run_dsir("status", work, "--json").stdout)
    assert told == run_status(work).describe()
    assert told["finished"]
    assert told["holder"] is None


def test_a_run_that_died_and_one_at_work(work, tmp_path, invoke_dsir):
    shutil.rmtree(tmp_path / "out")
    shutil.rmtree(work / "outputs")
    shutil.rmtree(work / "rows")
    (work / "scores" / "00001.json").unlink()
    for number, name in enumerate(("00000.json", "00002.json")):
        os.utime(work / "scores" / name, (1000 + 10 * number, 1000 + 10 * number))
    done = invoke_dsir("status", work)
    assert done.stdout.startswith("nobody is at work; run the same command again to continue\n")
    assert re.search(r"score   2 of 3 units, \d+\.\d MB/s, \d+ (s|min) left\n", done.stdout)
    assert re.search(r"sample  0 of 3 units\n  write   0 units\n", done.stdout)
    with locked(work):
        assert f"at work: process {os.getpid()} on " in invoke_dsir("status", work).stdout


def test_what_was_skipped(parquet, target, tmp_path):
    (tmp_path / "bad.parquet").write_bytes(b"nothing of the kind")
    dsir.select(
        [*parquet, tmp_path / "bad.parquet"],
        target,
        workdir=tmp_path / "w",
        on_error="skip",
        **SETTINGS,
    )
    found = run_status(tmp_path / "w")
    assert found.skipped == 1
    assert not found.finished  # The rows were handed back, not written.


def test_markers_of_another_run_do_not_count(work):
    marker = json.loads((work / "scores" / "00001.json").read_text())
    (work / "scores" / "00001.json").write_text(json.dumps({**marker, "fingerprint": "0"}))
    (work / "scores" / "00002.json").write_text("half a li")
    assert run_status(work).stages[1].done == 1


def test_rates():
    stage = StageStatus("score", 3, 5, 300, 500, 100.0, 120.0)
    assert stage.bytes_per_second == 10
    assert stage.seconds_left == 20
    for unknown in (StageStatus("score", 0, 5), StageStatus("score", 1, 5, 9, 20, 7.0, 7.0)):
        assert unknown.bytes_per_second is None
        assert unknown.seconds_left is None


def test_no_work_directory(invoke_dsir, tmp_path):
    done = invoke_dsir("status", tmp_path)
    assert done.returncode == 1
    assert "is not a work directory of dsir" in done.stderr


@pytest.mark.parametrize("kind", ["lexrank", "gais", "selection"])
def test_finished_folders_of_other_commands_are_named(invoke_dsir, tmp_path, kind):
    raw = tmp_path / "raw.jsonl"
    raw.write_text("".join(f'{{"text": "ship {k} at sea", "x": {k}}}\n' for k in range(40)))
    raw.write_text(raw.read_text().replace('"x": 1', '"y": 0, "x": 1'))
    out = tmp_path / "out"
    if kind == "lexrank":
        call = ["lexrank", raw]
    elif kind == "gais":
        rows = "".join(f'{{"x": {k}, "label": {k % 2}}}\n' for k in range(40))
        raw.write_text(rows)
        call = ["gais", raw, "--label", "label", "--epochs", 2]
    else:
        call = ["select", raw, "-t", raw, "-n", 2, "--min-tokens", 1]
    assert invoke_dsir(*call, "-o", out, "-q").returncode == 0
    done = invoke_dsir("status", out)
    assert done.returncode == 1
    what = "a selection" if kind == "selection" else f"what dsir {kind} wrote"
    assert f"holds {what}, which is finished, and is no work directory" in done.stderr
    if kind == "selection":
        return
    for command in (["verify", out], ["diff", out, out]):
        done = invoke_dsir(*command)
        assert done.returncode == 1
        assert f"holds {what}, and no selection" in done.stderr
