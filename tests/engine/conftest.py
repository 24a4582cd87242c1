"""What the tests of engines share."""

from __future__ import annotations

import sys
from pathlib import Path

# For worker processes too, which look up by name what they are to do.
sys.path.insert(0, str(Path(__file__).parent))
