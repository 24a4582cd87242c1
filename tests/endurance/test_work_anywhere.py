"""The short form of `work_anywhere.py`: killed workers change nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from work_anywhere import run


@pytest.mark.parametrize("seed", [11, 12])
def test_killed_workers_change_nothing(seed):
    found = run(settings=1, workers=3, seed=seed, files=12)
    assert not found.failed
    assert found.workers >= 3
