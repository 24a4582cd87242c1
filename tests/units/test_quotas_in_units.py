"""Duplicates and quotas across the units of files: the same selection however they are cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
import dsir.run.pipeline
import dsir.run.writing
from dsir.stages import score_table, units

MEAN: dict[str, Any] = {"min_tokens": 5, "length": "mean", "progress": False}
SETTINGS: dict[str, Any] = {**MEAN, "shard_size": "9kB"}
WHOLE = 1 << 40
SIZES = [1, 4000, 30_000]  # A row group or a line each, several, and a few units a file.


@pytest.fixture
def unit_bytes(monkeypatch):
    def set_to(size: int) -> None:
        monkeypatch.setattr(units, "UNIT_BYTES", size)

    return set_to


@pytest.fixture
def raw(world, tmp_path) -> list[Path]:
    """Every text of the first file is in the second too, and some are twice in a file."""
    folder = tmp_path / "raw"
    folder.mkdir()
    texts = [text or "" for text in world.texts[:160]]
    texts[120:140] = texts[40:60]
    rows = [
        {"text": text, "source": f"s{number % 7}", "doc": {"lang": number // 24}}
        for number, text in enumerate(texts)
    ]
    paths = [folder / "a.parquet", folder / "b.jsonl", folder / "c.jsonl.gz"]
    pq.write_table(pa.Table.from_pylist(rows), paths[0], row_group_size=9)
    # The first half has no source: units of it have the value null alone.
    for row in rows[:80]:
        del row["source"]
    paths[1].write_text("".join(json.dumps(row) + "\n" for row in rows[::-1] if row["text"]))
    table = pa.table({"text": texts[::2], "source": ["s1"] * 80, "doc": [{"lang": 3}] * 80})
    with pa.CompressedOutputStream(str(paths[2]), "gzip") as file:
        for row in table.to_pylist():
            file.write((json.dumps(row) + "\n").encode())
    return paths


FORMS: dict[str, dict[str, Any]] = {
    "dedup": {"n": 60, "dedup": "exact"},
    "near": {"n": 40, "max_per": {"source": 0.4}, "dedup": "near", "allow_fewer": True},
    "bytes": {"bytes": "12kB", "dedup": "exact", "method": "top-k"},
    "caps": {"n": 60, "max_per": {"source": 0.2, "doc.lang": 25}, "dedup": "exact"},
    "groups": {"n": 4, "group_by": "doc.lang", "dedup": "exact", "allow_fewer": True},
    "tokens": {"tokens": 900, "max_per": {"source": 0.3}, "fit_tokens": "all"},
    "windows": {"n": 50, "chunk_tokens": 12, "max_per": {"source": 10}, "dedup": "exact"},
    "few": {"n": 9, "dedup": "exact", "fit_tokens": 3000},
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_files(form, raw, target, tmp_path, contents, unit_bytes, monkeypatch):
    keywords = {**SETTINGS, **FORMS[form]}
    unit_bytes(WHOLE)
    expected = dsir.select(raw, target, out=tmp_path / "whole", **keywords)
    if "dedup" in keywords and "chunk_tokens" not in keywords:
        texts = []
        for path in expected.paths:
            if path.suffix == ".parquet":
                texts += pq.read_table(path)["text"].to_pylist()
            else:
                texts += [json.loads(line)["text"] for line in path.read_bytes().splitlines()]
        assert len(set(texts)) == len(texts)
        assert expected.metrics["duplicates"]["rows"] > 40
        assert len(expected.metrics["duplicates"]["by_shard"]) == len(raw)
    for threads, size in enumerate(SIZES, 1):
        unit_bytes(size)
        # In memory, on disk, and from what is on disk; rows in runs that units do not fill.
        work = tmp_path / f"work-{size}"
        places = (("a", None), ("b", work), ("c", work))
        for out, place in places if size == 4000 else places[1:] if size == 1 else places[:1]:
            folder = tmp_path / f"out-{size}-{'b' if place else 'a'}"
            found = dsir.select(raw, target, out=folder, workdir=place, threads=threads, **keywords)
            assert contents(folder) == contents(tmp_path / "whole"), (size, out)
            assert found.rows.tolist() == expected.rows.tolist()
    verified = dsir.verify(tmp_path / "whole", threads=1)
    assert verified.stands, [str(finding) for finding in verified.findings]


@pytest.mark.parametrize("run", [8, 64])
def test_runs_across_units(raw, target, unit_bytes, monkeypatch, run):
    """Whatever rows are looked at together."""
    keywords = {**MEAN, **FORMS["caps"]}
    unit_bytes(WHOLE)
    expected = dsir.select(raw[:1], target, **keywords)
    in_runs = score_table.in_runs
    for module in ("shard_scores", "survey", "pieces"):
        monkeypatch.setattr(
            f"dsir.stages.{module}.in_runs", lambda parts, form: in_runs(parts, form, run)
        )
    unit_bytes(1)
    assert dsir.select(raw[:1], target, **keywords).rows.tolist() == expected.rows.tolist()


@pytest.mark.parametrize("form", ["caps", "groups"])
def test_killed_and_resumed(form, raw, target, tmp_path, contents, unit_bytes, monkeypatch):
    keywords = {**SETTINGS, **FORMS[form]}
    unit_bytes(WHOLE)
    dsir.select(raw, target, out=tmp_path / "whole", **keywords)
    unit_bytes(4000)
    work, out = tmp_path / "work", tmp_path / "out"
    for name, lives in (("score_shard", 3), ("draw", 0), ("sample_shard", 2), ("write_shard", 1)):
        with monkeypatch.context() as patched:
            module = dsir.run.writing if name == "write_shard" else dsir.run.pipeline
            real = getattr(module, name)
            calls: list[str] = []

            def dying(*arguments, real=real, calls=calls, name=name, lives=lives):
                calls.append(name)
                if len(calls) > lives:
                    raise KeyboardInterrupt
                return real(*arguments)

            patched.setattr(module, name, dying)
            with pytest.raises(KeyboardInterrupt):
                dsir.select(raw, target, out=out, workdir=work, threads=1, **keywords)
    dsir.select(raw, target, out=out, workdir=work, **keywords)
    assert contents(out) == contents(tmp_path / "whole")


def test_the_stages_on_their_own(raw, target, tmp_path, unit_bytes, invoke_dsir):
    def run(*arguments: object) -> None:
        done = invoke_dsir(*arguments, "-q")
        assert done.returncode == 0, done.stderr

    unit_bytes(WHOLE)
    keywords = {**MEAN, **FORMS["caps"]}
    expected = dsir.select(raw[0], target, out=tmp_path / "whole", **keywords)
    unit_bytes(4000)
    model, scores, rows = (tmp_path / name for name in ("model.dsir", "scores", "rows"))
    run("fit", raw[0], "-t", target, "-o", model, "--length", "mean")
    for part in range(3):
        columns = ("--dedup", "exact", "--groups", "doc.lang,source")
        run("score", raw[0], "-m", model, "-o", scores, "--part", f"{part}/3", *columns)
    caps = ("--max-per", "source=0.2", "--max-per", "doc.lang=25", "--dedup", "exact")
    run("sample", scores, "--n", 60, "--min-tokens", 5, "-o", rows, *caps)
    run("write", rows, "-m", model, "-o", tmp_path / "out")
    found = [pq.read_table(path) for path in sorted((tmp_path / "out").glob("data/*.parquet"))]
    wanted = [pq.read_table(path) for path in expected.paths]
    assert pa.concat_tables(found).equals(pa.concat_tables(wanted))


def test_a_field_is_looked_for_in_all_of_the_file(raw, target, unit_bytes):
    for size in (WHOLE, *SIZES):
        unit_bytes(size)
        with pytest.raises(dsir.ShardError, match=r"b\.jsonl: no line has a field 'sauce'"):
            dsir.select(raw[1], target, n=5, group_by="sauce", **MEAN)


def test_dots_mean_what_the_first_line_of_the_file_says(world, target, tmp_path, unit_bytes):
    path = tmp_path / "dots.jsonl"
    rows: list[dict[str, Any]] = [
        {"text": text or "", "a.b": number % 3, "a": {"b": 9}}
        for number, text in enumerate(world.texts[:160])
    ]
    for row in rows[80:]:
        row["a"]["b"] = row.pop("a.b")  # The other spelling, which does not count here.
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = set()
    for size in (WHOLE, *SIZES):
        unit_bytes(size)
        selection = dsir.select(path, target, n=5, group_by="a.b", **MEAN)
        found.add(tuple(selection.rows.tolist()))
        assert selection.metrics["groups"]["a.b"]["values"] == 4
    assert len(found) == 1
