"""The definition that the core's language model is tested against lies beside these tests."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

sys.path.append(str(Path(__file__).parent))

# The same examples in every run, and no time limit on one: the machine may be busy.
settings.register_profile("dsir", derandomize=True, deadline=None)
settings.load_profile("dsir")
