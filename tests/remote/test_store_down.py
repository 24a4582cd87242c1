"""A store that stays down is no bad data: the run stops, whatever is to be skipped, and goes on."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import dsir
from dsir.corpus import resolve
from dsir.remote import remote_file, retries
from dsir.stages import units

SETTINGS: dict[str, Any] = {
    "n": 40,
    "min_tokens": 20,
    "length": "mean",
    "temperature": 0.3,
    "on_error": "skip",
    "threads": 2,
    "progress": False,
}


@pytest.fixture(autouse=True)
def two_attempts(monkeypatch):
    monkeypatch.setattr(retries, "POLICY", retries.RetryPolicy(2, 0.01, 0.02))


@pytest.fixture
def raw(s3, parquet, jsonl):
    """Files of three kinds, one of them damaged, in the bucket."""
    data = bytearray(jsonl[1].read_bytes())
    data[200:] = b"\0" * (len(data) - 200)
    s3.write("raw/damaged.jsonl.gz", bytes(data))
    return [
        *(s3.put(path, f"raw/{path.name}") for path in (parquet[0], parquet[2], jsonl[0])),
        f"{s3.url}/raw/damaged.jsonl.gz",
    ]


def down_after(requests: int, kind: str, wanted: str = "raw/"):
    """A fault: the store answers so many requests for what is wanted, and then no more."""
    seen = []

    def fault(asked):
        if re.search(wanted, asked.key):
            seen.append(asked)
            return kind if len(seen) > requests else None
        return None

    return fault


@pytest.mark.parametrize("kind", ["503", "reset", "403"])
def test_the_run_stops_and_goes_on(kind, raw, target, s3, proxy, tmp_path, contents, monkeypatch):
    monkeypatch.setattr(units, "UNIT_BYTES", 60_000)
    expected = dsir.select(raw, target, out=tmp_path / "whole", **SETTINGS)
    assert [(entry.path, entry.kind) for entry in expected.skipped] == [(raw[3], "shard")]
    asked = sum("raw/" in one.key for one in proxy.asked)
    out, work = tmp_path / "out", tmp_path / "work"
    stopped = []
    for requests in (0, 4, asked // 4, asked // 2, asked * 3 // 4):
        proxy.fault = down_after(requests, kind)
        try:
            dsir.select(raw, target, out=out, workdir=work, **SETTINGS)
            break  # As few requests are enough, with what the runs before have done.
        except dsir.StoreError as error:
            stopped.append(error)
        assert not (out / "_dsir/selection.json").exists()
    assert len(stopped) >= 3
    for error in stopped:
        assert str(error).startswith(f"{error.path}: cannot be read: ")
        assert f"{s3.url}/raw/" in str(error)
    proxy.fault = lambda asked: None
    found = dsir.select(raw, target, out=out, workdir=work, **SETTINGS)
    assert found.skipped == expected.skipped
    assert contents(out) == contents(tmp_path / "whole")


def test_files_are_not_cut_otherwise_for_it(raw, target, s3, proxy, monkeypatch):
    """What cannot be looked at now would have other units in the next run."""
    for name in (raw[1], raw[2]):
        [shard] = resolve(name).shards
        assert len(units.cut_shard(units.CutTask(shard, 5000), lambda _: None)) > 1
        [shard] = resolve(name).shards
        monkeypatch.setattr(remote_file, "_tails", remote_file._Tails())
        proxy.fault = lambda asked: "503"
        with pytest.raises(dsir.StoreError, match="tried 2 times"):
            units.cut_shard(units.CutTask(shard, 5000), lambda _: None)
        proxy.fault = lambda asked: None


def test_a_file_that_goes_ends_the_run_as_on_this_machine(raw, target, s3, parquet, tmp_path):
    """It is not bad data: somebody works on the corpus."""
    here = Path(shutil.copy(parquet[2], tmp_path / "part-2.parquet"))
    corpora = (resolve(raw[:2]), resolve([parquet[0], here]))
    assert s3.ask("DELETE", "raw/part-2.parquet")[0] == 204
    here.unlink()
    for corpus in corpora:
        with pytest.raises(dsir.ShardError, match="no such file"):
            dsir.select(corpus, target, **SETTINGS)


def test_the_commands(raw, target, s3, proxy, tmp_path, invoke_dsir):
    model = tmp_path / "m.dsir"
    dsir.fit(raw[:3], target, progress=False).save(model)
    proxy.fault = down_after(6, "503")
    call = [
        "select",
        *raw,
        "-t",
        target,
        "-n",
        40,
        "-o",
        tmp_path / "o",
        "--on-error",
        "skip",
        "-q",
    ]
    done = invoke_dsir(*call, "--workdir", tmp_path / "w")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "raw/" in done.stderr
    assert done.stderr.endswith("check the store, then run the same command again to continue\n")
    for command in (
        ["score", *raw, "-m", model, "-o", tmp_path / "s", "--on-error", "skip", "-q"],
        ["lexrank", *raw, "-o", tmp_path / "l", "--on-error", "skip", "-q"],
    ):
        proxy.fault = down_after(6, "503")
        done = invoke_dsir(*command)
        assert done.returncode == 1
        assert "check the store, then " in done.stderr
