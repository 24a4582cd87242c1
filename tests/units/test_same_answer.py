"""A selection is the same, byte for byte, however its files were cut into units of work."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.corpus import parquet_footer
from dsir.run.status import run_status
from dsir.stages import count_files, units
from dsir.storage.workdir_manifest import read_manifest

SETTINGS: dict[str, Any] = {
    "n": 40,
    "min_tokens": 5,
    "length": "mean",
    "shard_size": "9kB",
    "progress": False,
}
SIZES = [3000, 20_000]


@pytest.fixture
def unit_bytes(monkeypatch):
    def set_to(size: int) -> None:
        monkeypatch.setattr(units, "UNIT_BYTES", size)

    return set_to


@pytest.fixture
def raw(world, tmp_path) -> list[Path]:
    """A file of each kind that is cut, and one that is not."""
    first = world.write_parquet(tmp_path / "raw", parts=2, group=23)[1]
    return [first, *world.write_jsonl(tmp_path / "raw", [".jsonl", ".jsonl.gz"])]


@pytest.mark.filterwarnings("ignore:target.* is part of raw:dsir.DsirWarning")
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"fit_tokens": "all"},
        {"fit_tokens": 20_000},
        {"fit_tokens": 3000, "features": dsir.HashedNgrams(hash="sha256")},
        {"estimator": "classifier", "length": "sum", "features": dsir.HashedNgrams(buckets=999)},
        {"chunk_tokens": 16, "filters": {"min_words": 6}},
        {"combine": {"dsir": 1.0, "lexrank": 0.5}},
        {"n": None, "tokens": 3000, "targets": "separate"},
    ],
    ids=str,
)
def test_the_same_files(raw, world, target, tmp_path, contents, unit_bytes, settings):
    goal = target
    if "targets" in settings:
        goal = {"sea": target, "all": raw[1]}
    keywords = {**SETTINGS, **settings}
    expected = dsir.select(raw, goal, out=tmp_path / "whole", **keywords)
    for size in SIZES:
        unit_bytes(size)
        out, work = tmp_path / f"out-{size}", tmp_path / f"work-{size}"
        found = dsir.select(raw, goal, out=out, workdir=work, threads=1 + size % 3, **keywords)
        assert contents(out) == contents(tmp_path / "whole")
        assert found.rows.tolist() == expected.rows.tolist()
        layout = read_manifest(work)["units"]["raw"]
        assert list(layout) == ["0", "1"]
        assert sum(layout["0"]["bytes"]) == raw[0].stat().st_size
        stages = run_status(work).stages
        assert {stage.done for stage in stages[:3]} == {stages[0].total}


@pytest.mark.parametrize("limit", [0, 500, 9_000, 30_000, 200_000])
@pytest.mark.parametrize("likely", [True, False])
def test_the_same_model(world, target, tmp_path, unit_bytes, monkeypatch, limit, likely):
    """Whatever was thought to be likely, and wherever the budget ends."""
    files = [
        world.write_parquet(tmp_path, parts=1, group=50)[0],
        world.write_jsonl(tmp_path, [".jsonl"])[0],
    ]
    fit = {"fit_tokens": max(1, 2 * limit), "progress": False}
    expected = dsir.fit(files, target, **fit)
    monkeypatch.setattr(count_files, "likely_whole", lambda size, limit: limit < 0 or likely)
    for size, threads in zip(SIZES, (1, 3), strict=True):
        unit_bytes(size)
        found = dsir.fit(files, target, threads=threads, **fit)
        assert found.fingerprint == expected.fingerprint


def spoiled(folder: Path, world) -> Path:
    """Lines of which some are bad, in the middle of a file, and blank ones."""
    folder.mkdir()
    path = folder / "spoiled.jsonl"
    lines = [json.dumps({"text": text}) for text in world.texts]
    for at in (100, 101, 340):
        lines[at] = '{"text": 7}'
    lines[50] = "\n\n" + lines[50]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.filterwarnings("ignore:target.* is part of raw:dsir.DsirWarning")
def test_messages_name_the_row_of_the_file(world, target, tmp_path, unit_bytes):
    path = spoiled(tmp_path / "raw", world)
    bytes_path = tmp_path / "bytes.parquet"
    texts = [text.encode() if text else text for text in world.texts]
    texts[333] = b"\xff\xfe not text"
    column = pa.array(texts, pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": column}), bytes_path, row_group_size=20)
    found = []
    for size in (1 << 30, *SIZES):
        unit_bytes(size)
        for target_too in {size == SIZES[0], False}:
            goal = [target, path] if target_too else target
            keywords = {**SETTINGS, "on_error": "skip", "out": tmp_path / f"{size}-{target_too}"}
            selection = dsir.select([path, bytes_path], goal, **keywords)
            where = [(Path(entry.path).name, entry.row) for entry in selection.skipped]
            lines = [("spoiled.jsonl", row) for row in (100, 101, 340)]
            assert where == lines * (1 + target_too) + [("bytes.parquet", 333)]
        for source, row, line in ((path, 100, " (line 103)"), (bytes_path, 333, "")):
            with pytest.raises(dsir.RowError) as caught:
                dsir.select(source, target, threads=1, **SETTINGS)
            assert caught.value.row == row
            assert f"{source}: row {row}{line}: " in str(caught.value)
            found.append(str(caught.value))
    assert len(set(found)) == 2


def test_a_damaged_row_group_is_lost_alone(world, target, tmp_path, unit_bytes):
    path = tmp_path / "raw.parquet"
    plain = {"use_dictionary": False, "write_page_checksum": True}
    pq.write_table(world.table(), path, row_group_size=50, **plain)
    content = bytearray(path.read_bytes())
    column = pq.read_metadata(path).row_group(4).column(1)
    end = column.data_page_offset + column.total_compressed_size
    content[end - 9 : end - 5] = bytes(4)
    path.write_bytes(content)
    unit_bytes(1)
    keywords = {**SETTINGS, "on_error": "skip"}
    selection = dsir.select(path, target, out=tmp_path / "out", **keywords)
    [lost] = selection.skipped
    assert (lost.row, lost.rows) == (200, 50)
    assert "row group 4 cannot be read" in lost.reason
    assert selection.metrics["shards"] == {"read": 1, "skipped": 0}
    assert selection.metrics["rows"]["read"] == 600
    assert selection.metrics["rows"]["bad"] == 50
    ids = pa.concat_tables([pq.read_table(one) for one in selection.paths])["id"].to_pylist()
    assert not set(ids) & set(range(200, 250))
    assert max(ids) > 250


def test_a_missing_column_is_said_once(world, target, tmp_path, unit_bytes):
    raw = world.write_parquet(tmp_path / "raw", parts=2, group=30)
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"body": world.texts}), other, row_group_size=30)
    unit_bytes(1)
    keywords = {**SETTINGS, "on_error": "skip"}
    selection = dsir.select([*raw, other], target, **keywords)
    assert [(entry.path, entry.row) for entry in selection.skipped] == [(str(other), None)]
    assert selection.metrics["shards"] == {"read": 2, "skipped": 1}


def test_stages_of_their_own(raw, target, tmp_path, contents, unit_bytes, invoke_dsir):
    def run(*arguments: object) -> str:
        done = invoke_dsir(*arguments)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    unit_bytes(3000)
    model, scores, rows = (tmp_path / name for name in ("model.dsir", "scores", "rows"))
    windows = ("--chunk-tokens", 20, "-q")
    run("fit", *raw, "-t", target, "-o", model, "--length", "mean", *windows)
    score = ("score", *raw, "-m", model, "-o", scores, *windows)
    run(*score, "--part", "0/2")
    done = invoke_dsir("sample", scores, "--n", 40, "-o", rows)
    assert done.returncode == 1
    assert "units are not scored yet" in done.stderr
    run(*score, "--part", "1/2")
    run("sample", scores, "--n", 40, "--min-tokens", 5, "-o", rows, "-q")
    run("write", rows, "-m", model, "-o", tmp_path / "out", "-q")
    unit_bytes(1 << 30)
    dsir.select(raw, target, out=tmp_path / "all", chunk_tokens=20, **SETTINGS)
    names = [name for name in contents(tmp_path / "all") if "part-" in name]
    assert names
    # Another size of shards, so other files: the same rows.
    for kind, read in (("parquet", pq.read_table), ("jsonl", Path.read_bytes)):
        one, other = (
            [read(path) for path in sorted((tmp_path / name).glob(f"data/*.{kind}"))]
            for name in ("out", "all")
        )
        if kind == "jsonl":
            assert b"".join(one) == b"".join(other)  # type: ignore[arg-type]
        else:
            assert pa.concat_tables(one).equals(pa.concat_tables(other))  # type: ignore[arg-type]


def test_every_footer_is_read_once(world, target, tmp_path, unit_bytes, monkeypatch):
    raw = world.write_parquet(tmp_path / "raw", parts=5, group=60)
    read: Counter[str] = Counter()
    footer_bytes = parquet_footer._footer_bytes

    def counted(path: str) -> bytes:
        read[path] += 1
        return footer_bytes(path)

    monkeypatch.setattr(parquet_footer, "_footer_bytes", counted)
    dsir.select(raw, target, out=tmp_path / "out", **SETTINGS)
    assert read == {str(path): 1 for path in raw}


def test_units_of_another_size_are_another_run(raw, target, tmp_path, unit_bytes):
    keywords = {**SETTINGS, "workdir": tmp_path / "work", "out": tmp_path / "out"}
    dsir.select(raw, target, **keywords)
    unit_bytes(3000)
    with pytest.raises(dsir.WorkdirError, match=r"units\.raw\.0 is"):
        dsir.select(raw, target, **keywords)


@pytest.mark.parametrize(("asked", "short"), [(1 << 20, True), (1 << 62, False)])
def test_a_machine_short_of_memory_loses_no_input(
    world, target, tmp_path, monkeypatch, asked, short
):
    """Under on_error="skip" too; what only a damaged file asks for is another matter."""
    raw = world.write_parquet(tmp_path / "raw", parts=2)
    iter_batches, calls = pq.ParquetFile.iter_batches, Counter[str]()

    def without_memory(self: pq.ParquetFile, **keywords: Any) -> Any:
        calls["made"] += 1
        if calls["made"] == 30:
            raise pa.ArrowMemoryError(f"malloc of size {asked} failed")
        return iter_batches(self, **keywords)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", without_memory)
    keywords = {**SETTINGS, "on_error": "skip", "threads": 1, "workdir": tmp_path / "work"}
    if short:
        with pytest.raises(MemoryError):
            dsir.select(raw, target, **keywords)
        assert dsir.select(raw, target, **keywords).skipped == []
    else:
        assert len(dsir.select(raw, target, **keywords).skipped) == 1
