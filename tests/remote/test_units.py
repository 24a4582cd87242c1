"""Large files of a store are cut into units, and read by ranges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dsir
from dsir.corpus import line_blocks
from dsir.remote import remote_file
from dsir.run.status import run_status
from dsir.stages import units
from dsir.storage.workdir_manifest import read_manifest

SETTINGS = {"n": 40, "min_tokens": 20, "length": "mean", "temperature": 0.3, "progress": False}


@pytest.fixture
def raw(world, tmp_path) -> list[Path]:
    [parquet] = world.write_parquet(tmp_path / "raw", parts=1, group=40)
    [lines] = world.write_jsonl(tmp_path / "raw", [".jsonl"])
    return [parquet, lines]


@pytest.fixture
def small_units(monkeypatch):
    monkeypatch.setattr(units, "UNIT_BYTES", 50_000)


def test_in_units_as_on_this_machine(raw, target, s3, tmp_path, contents, comparable, monkeypatch):
    settings = {**SETTINGS, "shard_size": "15kB", "max_per": {"domain": 0.6}, "dedup": "exact"}
    dsir.select(raw, target, out=tmp_path / "out", **settings)
    there = [s3.put(path, path.name) for path in raw]
    wanted = s3.put(target, "target.jsonl")
    monkeypatch.setattr(units, "UNIT_BYTES", 75_000)
    work = f"{s3.url}/work"
    for _ in range(2):  # The second time from the results in the store.
        dsir.select(there, wanted, out=f"{s3.url}/out", workdir=work, **settings)
        assert comparable(s3.files("out")) == comparable(contents(tmp_path / "out"))
    names = {name for name in s3.files("out") if name.startswith("_dsir/rows/")}
    assert names == {name for name in contents(tmp_path / "out") if name.startswith("_dsir/rows/")}
    layout = json.loads(s3.read("work/manifest.json"))["units"]["raw"]
    assert min(len(layout[number]["bytes"]) for number in ("0", "1")) >= 3
    assert len(s3.keys("work/scores/")) > 2 * sum(len(one["bytes"]) for one in layout.values())


def test_a_unit_reads_its_range(raw, target, s3, proxy, monkeypatch):
    """No unit reads what is before it, and little of what is behind."""
    monkeypatch.setattr(units, "UNIT_BYTES", 100_000)
    monkeypatch.setattr(line_blocks, "_PIECE_BYTES", 4096)
    monkeypatch.setattr(line_blocks, "_LARGE_PIECE_BYTES", 4096)
    monkeypatch.setattr(remote_file, "_TAIL_BYTES", 1000)
    there = s3.put(raw[1], "lines.jsonl")
    dsir.fit(there, [target.read_text()], fit_tokens="all", threads=1, progress=False)
    ranges = [asked.range.removeprefix("bytes=") for asked in proxy.asked if asked.range]
    spans = [tuple(map(int, one.split("-"))) for one in ranges]
    behind = [stop + 1 - start for start, stop in spans if start]
    cuts = raw[1].stat().st_size // 100_000
    assert cuts == 5
    assert len(behind) >= 2 * cuts  # Where lines begin, and the units.
    assert max(behind) <= 102_400 + 4096


def test_bad_rows_are_those_of_the_file(raw, target, s3, tmp_path, small_units):
    lines = raw[1].read_bytes().splitlines()
    lines[250], lines[444] = b'{"text": 7}', b"{"
    raw[1].write_bytes(b"\n".join(lines))
    there = [s3.put(path, path.name) for path in raw]
    out = f"{s3.url}/out"
    selection = dsir.select(there, target, out=out, on_error="skip", **SETTINGS)
    assert [(entry.path, entry.row) for entry in selection.skipped] == [
        (there[1], 250),
        (there[1], 444),
    ]
    rejects = s3.read("out/_dsir/rejects.jsonl").splitlines()
    assert [json.loads(entry)["row"] for entry in rejects] == [250, 444]
    with pytest.raises(dsir.RowError, match=r"row 250 \(line 251\)"):
        dsir.select(there[1], target, threads=1, **SETTINGS)
    with pytest.raises(dsir.BadDataError, match="row 444"):
        dsir.select(there[1], target, on_error="skip", max_bad_rows=1, **SETTINGS)


def test_a_changed_file_is_refused(raw, target, s3, tmp_path, small_units):
    there = [s3.put(path, path.name) for path in raw]
    settings = {**SETTINGS, "out": tmp_path / "out", "workdir": tmp_path / "work"}
    dsir.select(there, target, **settings)
    assert run_status(tmp_path / "work").finished
    assert all("version" in entry for entry in read_manifest(tmp_path / "work")["inputs"]["raw"])
    verified = dsir.verify(tmp_path / "out")
    assert verified.stands, [str(finding) for finding in verified.findings]
    s3.put(raw[1], raw[0].name)
    with pytest.raises(dsir.DsirError):
        dsir.select(there, target, **settings)
    assert not dsir.verify(tmp_path / "out").stands
