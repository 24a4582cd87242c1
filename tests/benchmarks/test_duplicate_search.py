"""The benchmark of searches for duplicates runs, and both searches find the same rows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the system counts no bytes")
@pytest.mark.parametrize("dedup", ["exact", "near"])
def test_a_small_search(dedup, tmp_path):
    command = [sys.executable, "-m", "benchmarks.duplicate_search", "--dedup", dedup]
    given = ["--rows", "5000", "--rounds", "1", "--folder", str(tmp_path)]
    done = subprocess.run([*command, *given], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"5,000 rows, dedup='{dedup}': 1 passes; 1 pieces and 1 ranges" in done.stdout
    read = [float(found) for found in re.findall(r"([0-9.]+) bytes read a row", done.stdout)]
    assert len(read) == 2
    assert 12 <= read[0] < read[1]
    assert not list(tmp_path.iterdir())
