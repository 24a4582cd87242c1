"""The benchmark of draws with a quota column runs, and both draws are the same."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the system counts no bytes")
def test_a_small_draw(tmp_path):
    command = [sys.executable, "-m", "benchmarks.quota_draw", "--rows", "5000", "--groups", "40"]
    given = ["--select", "300", "--most", "9", "--rounds", "1", "--folder", str(tmp_path)]
    done = subprocess.run([*command, *given], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "5,000 rows, 40 values, 300 selected" in done.stdout
    read = [float(found) for found in re.findall(r"([0-9.]+) bytes read a row", done.stdout)]
    assert len(read) == 2
    assert 20 <= read[0] < read[1]
    assert not list(tmp_path.iterdir())
