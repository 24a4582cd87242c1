"""What the tests of the public names share."""

from __future__ import annotations

import sys
from pathlib import Path

# The models of fastText are made as in the tests of models.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "model")]
