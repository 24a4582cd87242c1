"""The short form of fuzz_readers.py: some changed files of every kind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_kinds import CASES
from fuzz_readers import run_case

_INPUTS = {
    **dict.fromkeys(("workdir", "folders", "selection"), 25),
    **dict.fromkeys(("txt", "csv", "txt-gz", "txt-bz2", "classifier", "fasttext"), 60),
}


@pytest.mark.parametrize("name", CASES)
def test_changed_files_are_refused_or_read_right(name):
    found = run_case(name, seed=1, inputs=_INPUTS.get(name, 150), seconds=10)
    assert found["tried"] > 10
    assert found["refused"] > 0 or name == "txt"  # Nearly every file is plain text.
