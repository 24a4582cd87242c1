"""The benchmark of the memory of planned runs runs whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_part_is_measured(tmp_path: Path):
    command = [sys.executable, "-m", "benchmarks.planned_units", "--units", "1000"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path / "made")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines[2:]] == ["libraries", "plan", "tasks", "results"]
    assert not (tmp_path / "made").exists()
