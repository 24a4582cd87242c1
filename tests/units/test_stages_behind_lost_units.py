"""The stages on their own where units are lost: the same rows and accounts as select() has."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.corpus import line_blocks
from dsir.corpus.batches import ReadLimits
from dsir.settings.memory import MemoryLimit
from dsir.stages import units

WHOLE = 1 << 40
SETTINGS: dict[str, Any] = {
    "min_tokens": 5,
    "length": "mean",
    "temperature": 0.5,
    "shard_size": "6kB",
    "on_error": "skip",
    "progress": False,
}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Lines above 9 kB are too long for a unit; nobody waits for the disk."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    limit = MemoryLimit(ReadLimits(batch_bytes=1000, row_bytes=9000))
    monkeypatch.setattr("dsir.settings.memory.NO_LIMIT", limit)
    monkeypatch.setattr(line_blocks, "_PIECE_BYTES", 1000)


@pytest.fixture
def raw(world, tmp_path) -> list[Path]:
    """Lines with a lost unit in the middle and bad ones before, between good files and worse."""
    folder = tmp_path / "raw"
    [good] = world.write_parquet(folder, parts=1, group=40)
    lines = [json.dumps({"text": text or "", "domain": "lines"}) for text in world.texts]
    lines[77] = '{"text": 7}'
    lines[300] = json.dumps({"text": "ship " * 4000})
    long = folder / "long.jsonl"
    long.write_text("\n".join(lines) + "\n")
    lacking = folder / "lacking.parquet"
    pq.write_table(pa.table({"body": world.texts}), lacking, row_group_size=30)
    damaged = folder / "damaged.parquet"
    plain: dict[str, Any] = {"use_dictionary": False, "write_page_checksum": True}
    pq.write_table(world.table(), damaged, row_group_size=50, compression="none", **plain)
    data = bytearray(damaged.read_bytes())
    for group in (0, 7):
        column = pq.read_metadata(damaged).row_group(group).column(1)
        data[column.data_page_offset + column.total_compressed_size - 9] ^= 4
    damaged.write_bytes(data)
    (folder / "cut.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00 nothing of the kind")
    return [long, lacking, good, folder / "cut.jsonl.gz", damaged]


def manifest_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "_dsir/selection.json").read_bytes()))


@pytest.mark.parametrize("size", [4000, WHOLE])
@pytest.mark.parametrize("more", [(), ("--max-per", "domain=0.5", "--dedup", "exact")], ids=str)
def test_as_select(size, more, raw, target, tmp_path, contents, monkeypatch, invoke_dsir):
    if more:
        raw = [raw[0], raw[2], raw[4]]  # The others have no such column.
    monkeypatch.setattr(units, "UNIT_BYTES", size)
    keywords: dict[str, Any] = {"max_per": {"domain": 0.5}, "dedup": "exact"} if more else {}
    expected = dsir.select(raw, target, n=90, out=tmp_path / "whole", **SETTINGS, **keywords)
    lost = {Path(entry.path).name for entry in expected.skipped if entry.row is None}
    assert lost == ({"long.jsonl"} if more else {"long.jsonl", "lacking.parquet", "cut.jsonl.gz"})

    def run(*arguments: object) -> None:
        done = invoke_dsir(*arguments, "-q")
        assert done.returncode == 0, done.stderr

    model, scores, rows, out = (tmp_path / name for name in ("m.dsir", "s", "r", "out"))
    skip = ("--on-error", "skip")
    beside = ("--groups", "domain", "--dedup", "exact") if more else ()
    run("fit", *raw, "-t", target, "-o", model, "--length", "mean", *skip)
    for part in (1, 0, 2):
        run("score", *raw, "-m", model, "-o", scores, "--part", f"{part}/3", *skip, *beside)
    run("sample", scores, "-n", 90, "--min-tokens", 5, "--temperature", 0.5, "-o", rows, *more)
    run("write", rows, "-m", model, "-o", out, "--shard-size", "6kB")
    without = ("run.json", "selection.json")
    assert contents(out, without=without) == contents(tmp_path / "whole", without=without)
    whole, stages = manifest_of(tmp_path / "whole"), manifest_of(out)
    for name in ("model", "metrics", "skipped", "files"):
        assert stages[name] == whole[name]
    assert stages["inputs"]["raw"] == whole["inputs"]["raw"]
    accounts = stages["metrics"]["rows"]
    passed_over = accounts["passed_over"]
    assert accounts["read"] == accounts["selected"] + accounts["bad"] + sum(passed_over.values())
    verified = dsir.verify(out, threads=1)
    assert verified.stands, [str(finding) for finding in verified.findings]
