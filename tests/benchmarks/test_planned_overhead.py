"""The benchmark of what planned runs cost runs whole, and says when a process fails."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.planned_overhead import measured

TEXTS = [f"the {word} boat sails over the bay and comes back " * 12 for word in "abcdefgh"]


def test_every_part_is_measured(tmp_path: Path):
    (tmp_path / "raw").mkdir()
    for part in range(2):
        table = pa.table({"text": TEXTS * 60})
        pq.write_table(table, tmp_path / "raw" / f"{part}.parquet")
    pq.write_table(pa.table({"text": TEXTS[:3] * 20}), tmp_path / "target.parquet")
    (tmp_path / "made").mkdir()

    found = measured(tmp_path / "raw", tmp_path / "target.parquet", 2, tmp_path / "made")

    assert found._fields == ("select", "plan", "work", "finish", "workers")
    assert all(part.clock > 0 and part.processor > 0 for part in found)
    assert found.line().count("|") == 9
    assert not list((tmp_path / "made").iterdir())


def test_a_process_that_fails_ends_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(subprocess.CalledProcessError):
        measured(tmp_path / "nowhere", tmp_path / "nothing.parquet", 1, tmp_path)
    assert "nothing.parquet: no such file" in capfd.readouterr().err
