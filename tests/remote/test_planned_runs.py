"""dsir plan, work, finish and status over inputs, an output and a work directory in a store."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from dsir.errors import WorkdirError
from dsir.remote import RemotePath
from dsir.remote.arrow_store import ArrowStore
from dsir.run.planned import open_planned
from dsir.run.shared_tasks import Share
from dsir.run.work import work_on
from dsir.settings.machine import Machine
from dsir.stages.duplicates import layout
from dsir.stages.duplicates.slices import SUFFIX
from dsir.storage import board

SETTINGS = ("--n", 40, "--min-tokens", 20, "--shard-size", "8kB")


@pytest.fixture
def call(parquet, target, s3):
    """The options of a call over files in the store."""
    there = [s3.put(path, f"raw/{path.name}") for path in parquet]
    return (*there, "-t", s3.put(target, "t.jsonl"), *SETTINGS)


@pytest.fixture
def alone(call, invoke_dsir, tmp_path, contents):
    """What `dsir select` writes."""
    done = invoke_dsir("select", *call, "-o", "alone", "-q", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return contents(tmp_path / "alone")


@pytest.mark.parametrize("conditional", [True, False])
def test_workers_share_a_store(conditional, call, alone, s3, tmp_path, invoke_dsir, monkeypatch):
    """Also where the store cannot put with a condition: claims are hints."""
    if not conditional:
        monkeypatch.setattr(ArrowStore, "create", lambda self, local, key: None)
    out, work = f"{s3.url}/out", f"{s3.url}/work"
    for words in (
        ("plan", *call, "-o", out, "--workdir", work),
        ("work", work, "--part", "1/2", "--until", "score"),
        ("work", work, "--part", "0/2"),
        ("finish", work),
    ):
        done = invoke_dsir(*words, "-q", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert s3.files("out") == alone
    done = invoke_dsir("status", work)
    assert done.returncode == 0, done.stderr
    assert "finished" in done.stdout
    left = s3.keys("work/claims/") + s3.keys("work/workers/")
    assert not [key for key in left if not key.endswith("/")]


def test_workers_find_duplicates_in_a_store(
    call, s3, proxy, tmp_path, invoke_dsir, contents, monkeypatch
):
    """A worker reads the slices that another wrote by range, and nobody fetches a whole file."""
    given = (*call, "--dedup", "near")
    assert invoke_dsir("select", *given, "-o", "alone", "-q", cwd=tmp_path).returncode == 0
    monkeypatch.setattr("dsir.run.work._APART_ROWS", 1)
    for name, value in {"_LEAST": 90, "_SLICE": 3, "RUN_ROWS": 64}.items():
        monkeypatch.setattr(layout, name, value)
    out, work = f"{s3.url}/out", f"{s3.url}/work"
    assert invoke_dsir("plan", *given, "-o", out, "--workdir", work, "-q").returncode == 0

    def stopping(task, progress):
        raise WorkdirError("stopped")

    with monkeypatch.context() as patched:
        patched.setattr("dsir.stages.duplicates.search.match_range", stopping)
        assert invoke_dsir("work", work, "-q").returncode == 1
    written = [key for key in s3.keys("work/duplicates/") if key.endswith(SUFFIX)]
    assert len(written) > 3
    proxy.asked.clear()
    for step in ("work", "finish"):
        done = invoke_dsir(step, work, "-q", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    asked = [one for one in proxy.asked if one.method == "GET" and one.key.endswith(SUFFIX)]
    assert len(asked) > 3 * len(written)
    assert all(one.range for one in asked)
    assert not [key for key in s3.keys("work/duplicates/") if key.endswith(SUFFIX)]
    assert s3.files("out") == contents(tmp_path / "alone")


def test_another_worker_takes_over_from_one_that_was_killed(
    call, alone, s3, tmp_path, invoke_dsir, monkeypatch
):
    monkeypatch.setattr(board._StoreBoard, "beat", 0.3)
    out, work = f"{s3.url}/out", f"{s3.url}/work"
    assert invoke_dsir("plan", *call, "-o", out, "--workdir", work, "-q").returncode == 0
    dying = subprocess.Popen([sys.executable, "-m", "dsir", "work", work, "-q"])
    while not s3.keys("work/claims/") and dying.poll() is None:
        time.sleep(0.01)
    dying.send_signal(signal.SIGKILL)
    dying.wait()
    # Its file is as old as it may be at the moment of its death.
    with open_planned(work, Machine.of({"progress": False})) as planned:
        done = work_on(planned, Share())
    assert done.complete
    assert invoke_dsir("finish", work, "-q", cwd=tmp_path).returncode == 0
    assert s3.files("out") == alone


def test_two_claims_at_a_time(s3, tmp_path):
    """S3 takes the second put of a claim for what it is."""
    pytest.importorskip("botocore")
    local = tmp_path / "claim"
    local.write_text("{}")
    place = RemotePath(f"{s3.url}/work/claims/one")
    assert place.store.create(local, place.key) is True
    assert place.store.create(local, place.key) is False


def test_a_part_does_not_download_the_scores_of_another(call, s3, proxy, tmp_path, invoke_dsir):
    scores = f"{s3.url}/scores"
    *raw, _, target = call[:-6]
    done = invoke_dsir("fit", *raw, "-t", target, "-o", "m.dsir", "-q", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for part in ("0/2", "1/2"):
        proxy.asked.clear()
        done = invoke_dsir(
            "score", *raw, "--model", "m.dsir", "-o", scores, "--part", part, "-q", cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        got = [one.key for one in proxy.asked if one.method == "GET" and "/scores/" in one.key]
        assert not [key for key in got if key.endswith(".arrow")]
