"""The short form of run_sequences.py: some sequences of runs against the oracle."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("fsspec")
sys.path.insert(0, str(Path(__file__).parent))

from run_sequences import run


@pytest.mark.skipif(sys.platform != "linux", reason="forks, and stops processes")
def test_what_stands_after_runs_kills_and_changes_is_what_an_oracle_says():
    tally = run(sequences=12, steps=6, number=1)
    assert tally["sequences"] >= 12
    assert tally["done"] > 10
    # How many kills come before a run's end depends on its speed.
    assert tally["killed"] > 0
