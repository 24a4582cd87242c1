"""What these tests share lies beside them; models of fastText are made as in those of models."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "model")]

# The same examples in every run, and no time limit on one: the machine may be busy.
settings.register_profile("dsir", derandomize=True, deadline=None)
settings.load_profile("dsir")
