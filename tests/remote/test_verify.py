"""Selections in stores are verified and compared where they are."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import dsir
from dsir.remote import retries

SETTINGS: dict[str, Any] = {"min_tokens": 20, "length": "mean", "shard_size": "4kB"}


@pytest.fixture(scope="module")
def written(small_world, target, tmp_path_factory) -> Path:
    """Selections of Parquet and of lines, on this machine. Not to be changed."""
    folder = tmp_path_factory.mktemp("written")
    lines = small_world.write_jsonl(folder / "lines", suffixes=(".jsonl",))
    raw = small_world.write_parquet(folder / "raw", parts=2)
    for name, source, seed in (("a", raw, 0), ("b", raw, 1), ("lines-out", lines, 0)):
        dsir.select(source, target, out=folder / name, n=40, seed=seed, progress=False, **SETTINGS)
    return folder


def messages(found: dsir.Verification) -> str:
    return "\n".join(finding.message for finding in found.findings)


@pytest.mark.parametrize("name", ["a", "lines-out"])
def test_a_selection_in_a_store_stands(name, written, s3, proxy):
    url = s3.put(written / name, "out")
    found = dsir.verify(url, threads=1)
    assert found.stands, messages(found)
    assert (found.rows.stand, found.rows.derived, found.notes) == (40, 40, [])
    assert found.files == len(s3.keys("out/")) - 2  # The manifest, run.json.
    assert str(found.folder) == url
    here = dsir.verify(written / name, threads=1)
    assert found.rows == here.rows
    # Nothing is written there.
    assert {asked.method for asked in proxy.asked} <= {"GET", "HEAD"}


def test_all_of_it_in_a_store(small_world, target, s3, tmp_path, invoke_dsir):
    for path in small_world.write_parquet(tmp_path / "raw", parts=2):
        s3.put(path, f"raw/{path.name}")
    wanted = s3.put(target, "t.jsonl")
    out = f"{s3.url}/out"
    dsir.select(f"{s3.url}/raw", wanted, out=out, n=20, progress=False, **SETTINGS)
    done = invoke_dsir("verify", out, "--threads", 1)
    assert (done.returncode, "rows: 20 of 20 verified" in done.stdout) == (0, True), done.stdout
    done = invoke_dsir("diff", out, out, "--by", "domain", "--json")
    assert json.loads(done.stdout)["rows"] == {"common": 20, "only_a": 0, "only_b": 0}
    model = f"{s3.url}/m.dsir"
    dsir.fit(f"{s3.url}/raw", wanted, length="mean", progress=False).save(model)
    place = {name: f"{s3.url}/{name}" for name in ("scores", "rows", "written")}
    for call in (
        ("score", f"{s3.url}/raw", "-m", model, "-o", place["scores"]),
        ("sample", place["scores"], "-n", 20, "--min-tokens", 20, "-o", place["rows"]),
        ("write", place["rows"], "-m", model, "-o", place["written"], "--shard-size", "4kB"),
    ):
        done = invoke_dsir(*call, "-q")
        assert done.returncode == 0, done.stderr
    found = dsir.verify(place["written"], threads=1)
    assert found.stands, messages(found)
    assert dsir.diff(out, place["written"]).same_rows


def damaged(s3, key: str) -> None:
    data = bytearray(s3.read(key))
    data[len(data) // 2] ^= 1
    s3.write(key, bytes(data))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda s3: damaged(s3, "out/data/part-00001.parquet"), "part-00001.parquet: was changed"),
        (lambda s3: damaged(s3, "out/_dsir/rows/part-00000.arrow"), "00000.arrow: was changed"),
        (lambda s3: damaged(s3, "out/_dsir/selection.json"), "selection.json: "),
        (lambda s3: s3.write("out/data/part-00000.parquet", b"PAR1"), "is cut off: it has 4 bytes"),
        (lambda s3: s3.ask("DELETE", "out/data/part-00001.parquet"), "00001.parquet: is missing"),
        (lambda s3: s3.ask("DELETE", "out/_dsir/rows/part-00001.arrow"), "00001.arrow: is missing"),
        (lambda s3: s3.write("out/data/part-00099.parquet", b"x"), "99.parquet: does not belong"),
        (lambda s3: s3.write("out/more/a.jsonl", b"x"), "more/a.jsonl: does not belong to"),
    ],
)  # fmt: skip
def test_what_was_done_to_it_is_found(written, s3, damage, message):
    url = s3.put(written / "a", "out")
    damage(s3)
    found = dsir.verify(url, quick=True)
    assert not found.stands
    assert message in messages(found)
    assert url in messages(found)
    again = dsir.verify(url, threads=1)
    assert not again.stands


def test_notes_of_what_else_is_there(written, s3):
    url = s3.put(written / "a", "out")
    s3.write("out/README", b"mine")
    s3.write("out/.hidden/part-00000.parquet", b"")
    s3.write("outer/part-00000.parquet", b"")  # A neighbour that begins alike.
    found = dsir.verify(url, quick=True)
    assert found.stands
    assert [re.search("README|hidden file", note) is not None for note in found.notes] == [True] * 2


def test_compared_across_places(written, s3):
    here = dsir.diff(written / "a", written / "b", by="domain")
    there = dsir.diff(s3.put(written / "a", "a"), s3.put(written / "b", "b"), by="domain")
    mixed = dsir.diff(written / "a", s3 / "b", by="domain")
    assert here.rows.common > 0
    for one in (there, mixed):
        assert {**one.describe(), "a": "", "b": ""} == {**here.describe(), "a": "", "b": ""}
    assert str(there.a) == f"{s3.url}/a"


@pytest.mark.parametrize("kind", ["503", "reset", "403"])
def test_a_store_that_fails_is_no_finding(kind, written, s3, proxy, monkeypatch):
    monkeypatch.setattr(retries, "POLICY", retries.RetryPolicy(2, 0.01, 0.02))
    url = s3.put(written / "a", "out")
    dsir.verify(url, threads=1)
    asked = len(proxy.asked)
    for good in (0, 1, asked // 4, asked // 2):  # Footers are kept, so not all are asked again.
        seen: list[Any] = []

        def fault(request: Any, good: int = good, seen: list[Any] = seen) -> str | None:
            seen.append(request)
            return kind if len(seen) > good else None

        proxy.fault = fault
        with pytest.raises(dsir.StoreError, match=rf"{url}.*: cannot be read"):
            dsir.verify(url, threads=1)
        seen.clear()
        if good < 2:
            with pytest.raises(dsir.StoreError, match=rf"{url}.*: cannot be read"):
                dsir.diff(url, written / "a")


def test_no_selection(s3, invoke_dsir):
    with pytest.raises(dsir.OutputError, match="holds no selection"):
        dsir.verify(f"{s3.url}/nothing")
    with pytest.raises(dsir.DsirError, match="no-such-bucket-at-all"):
        dsir.verify("s3://no-such-bucket-at-all/out")
    done = invoke_dsir("diff", f"{s3.url}/a", f"{s3.url}/b")
    assert (done.returncode, "holds no selection" in done.stderr) == (1, True)


def test_on_a_web_server(written, web, tmp_path):
    shutil.copytree(written / "a", tmp_path / "out")
    url, asked = web(tmp_path)
    found = dsir.verify(f"{url}/out", threads=1)
    assert found.stands, messages(found)
    assert "does not list" in found.notes[0]
    assert asked
    (tmp_path / "out" / "data/part-00001.parquet").unlink()
    assert "part-00001.parquet: is missing" in messages(dsir.verify(f"{url}/out", quick=True))
    assert dsir.diff(written / "a", f"{url}/out").same_rows
