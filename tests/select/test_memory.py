"""memory=: what is held at a time, and that nothing else depends on it."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.corpus.batches import BATCH_BYTES
from dsir.settings.memory import memory_limit

MEAN = {"min_tokens": 20, "length": "mean", "progress": False}


def test_the_shares_of_threads():
    for memory, threads in (("300MB", 1), ("1GB", 2), ("1GB", 16), ("64GB", 16)):
        limit = memory_limit(memory, threads)
        batch = limit.reading.batch_bytes
        assert batch is not None
        assert batch <= min(BATCH_BYTES, limit.reading.row_bytes)
        total = int(float(memory[:-2]) * (10**9 if memory.endswith("GB") else 10**6))
        assert threads * 6 * limit.reading.row_bytes < total
    assert memory_limit("64GB", 2).reading.batch_bytes == BATCH_BYTES
    assert memory_limit(None, 64).reading.batch_bytes is None
    assert memory_limit("300MB", 1).hashes < memory_limit(None, 1).hashes


@pytest.mark.parametrize("memory", ["1MB", "250MB", 0, "much"])
def test_too_little(world, target, memory):
    with pytest.raises(dsir.SettingError, match="memory="):
        dsir.select(world.texts, target, n=5, threads=4, memory=memory, **MEAN)
    with pytest.raises(dsir.SettingError, match="memory="):
        dsir.fit(world.texts, target, threads=4, memory=memory, progress=False)


def test_the_same_files(parquet, jsonl, target, contents, monkeypatch, tmp_path):
    keywords = {"n": 50, "dedup": "exact", "max_per": {"domain": 0.5}, "threads": 2, **MEAN}
    dsir.select([*parquet, *jsonl], target, out=tmp_path / "plain", **keywords)
    monkeypatch.setattr("dsir.settings.memory._LEAST_BATCH", 200_000)
    least = 200_000_000 + 2 * (40_000_000 + 6 * 200_000)
    for memory in ("2GB", least):
        out = tmp_path / str(memory)
        dsir.select([*parquet, *jsonl], target, out=out, memory=memory, **keywords)
        assert contents(out) == contents(tmp_path / "plain")
    model = dsir.fit(parquet, target, memory=least, threads=2, progress=False)
    assert model.fingerprint == dsir.fit(parquet, target, progress=False).fingerprint


def test_rows_that_are_too_large(world, target, tmp_path):
    """A long line is read where there is room, and refused with advice where there is none."""
    long = " ".join(text or "" for text in world.texts) * 40
    path = tmp_path / "long.jsonl"
    texts = [*world.texts[:50], long, *world.texts[50:]]
    rows = [json.dumps({"text": text}) for text in texts]
    path.write_text("\n".join(rows))
    table = tmp_path / "long.parquet"
    pq.write_table(pa.table({"text": [long] * 3}), table, use_dictionary=False, compression="none")
    assert len(long) > 8_000_000 > 2 * 3_333_333
    keywords = {"n": 9, "allow_fewer": True, "threads": 1, "fit_tokens": "all", **MEAN}
    for source in (path, table):
        assert len(dsir.select(source, target, **keywords)) > 2
        assert len(dsir.select(source, target, memory="2GB", **keywords)) > 2
    with pytest.raises(dsir.ShardError, match=r"the line after 50 rows is longer than 3,333,333"):
        dsir.select(path, target, memory="260MB", **keywords)
    with pytest.raises(dsir.ShardError, match=r"row group 0 have 10,\d+,\d+ bytes on average"):
        dsir.select(table, target, memory="260MB", **keywords)


def test_on_the_command_line(invoke_dsir, parquet, target, contents, tmp_path):
    call = ["select", *parquet, "-t", target, "-n", 9, "--min-tokens", 20, "--threads", 2, "-q"]
    assert invoke_dsir(*call, "-o", tmp_path / "a", "--memory", "1GB").returncode == 0
    assert invoke_dsir(*call, "-o", tmp_path / "b").returncode == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    for more in ([], ["--dry-run"]):
        done = invoke_dsir(*call, "-o", tmp_path / "c", "--memory", "100MB", *more)
        assert done.returncode == 2
        assert "is too little for 2 threads, which need at least 284MB" in done.stderr
    model = tmp_path / "model.dsir"
    fit = ["fit", *parquet, "-t", target, "-o", model, "-q", "--threads", 2]
    assert invoke_dsir(*fit, "--memory", "10MB").returncode == 2
    assert invoke_dsir(*fit, "--memory", "1GB").returncode == 0
    score = ["score", *parquet, "-m", model, "-o", tmp_path / "scores", "-q", "--threads", 2]
    assert invoke_dsir(*score, "--memory", "10MB").returncode == 2
    assert invoke_dsir(*score, "--memory", "1GB").returncode == 0


_PEAK = """
import sys, dsir
dsir.select(sys.argv[1], ["a few words of it"] * 9, n=int(sys.argv[3]), min_tokens=1,
            threads=1, progress=False, temperature=1e6, memory="300MB", out=sys.argv[2])
status = open("/proc/self/status").read()
print(int(status.partition("VmHWM:")[2].split()[0]) * 1024)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_large_row_group_is_read_in_slices(tmp_path):
    """A row group of 400 MB, compressed well, in 300 MB."""
    path = tmp_path / "large.parquet"
    words = ("some words of a text that is repeated often " * 250)[:10_000]
    texts = pa.array([f"{i} {words} {i}" for i in range(4000)])
    pq.write_table(
        pa.concat_tables([pa.table({"text": texts})] * 10),
        path,
        row_group_size=1 << 20,
        compression="zstd",
        use_dictionary=False,
    )
    assert pq.ParquetFile(path).metadata.row_group(0).total_byte_size > 350_000_000
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, path, tmp_path / "out", "20"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 300_000_000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_values_that_rows_share_do_not_add_up(tmp_path):
    """400 rows of a file of 1 MB take 400 MB when each has its own copy of the value."""
    rows = 500
    value = pa.DictionaryArray.from_arrays(
        pa.array([0] * rows, pa.int32()), pa.array(["x" * 10**6])
    )
    table = pa.table({"text": [f"the ship {row}" for row in range(rows)], "value": value})
    path = tmp_path / "shared.arrow"
    with pa.ipc.new_file(path, table.schema) as file:
        file.write_table(table)
    command = [sys.executable, "-W", "ignore", "-c", _PEAK, path, tmp_path / "out", "400"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 300_000_000
