"""The short form of fuzz_readers.py: some changed files of every kind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_kinds import CASES
from fuzz_readers import run_case


@pytest.mark.parametrize("name", CASES)
def test_changed_files_are_refused_or_read_right(name):
    inputs = 25 if name in ("workdir", "folders", "selection") else 150
    found = run_case(name, seed=1, inputs=inputs, seconds=10)
    assert found["tried"] > 10
    assert found["refused"] > 0
