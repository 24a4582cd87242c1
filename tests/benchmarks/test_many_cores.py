"""The benchmark of one machine with many cores runs whole, on a corpus of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks import many_cores

ROOT = Path(__file__).parents[2]


def test_every_way_to_run_gives_the_same_bytes(tmp_path: Path):
    told = tmp_path / "told.json"
    command = [sys.executable, "-m", "benchmarks.many_cores", "--folder", str(tmp_path / "made")]
    command += ["--gigabytes", "0.004", "--cores", "1", "--rounds", "1", "--json", str(told)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.count("| yes |") == 3
    assert "NO" not in done.stdout
    calls = json.loads(told.read_text())["calls"]
    assert [call["name"] for call in calls] == [
        "select, 1 threads",
        "select --workdir, 1 threads",
        "work, 1 workers of 1 threads",
    ]
    assert all(call["runs"][0]["busy"] > 0 for call in calls)
    assert not (tmp_path / "made").exists()


def test_the_corpus_is_the_same_at_every_call(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(many_cores, "_SHARD_BYTES", 1 << 20)
    monkeypatch.setattr(many_cores, "_WORDS", 1000)
    made = [many_cores.make_data(tmp_path / name, 5 << 20) for name in ("a", "b")]
    assert made[0].text_bytes == made[1].text_bytes
    tables = [pq.read_table(data.raw) for data in made]
    assert tables[0] == tables[1]
    assert len(list(made[0].raw.iterdir())) == 5
    assert abs(made[0].text_bytes / (5 << 20) - 1) < 0.1
