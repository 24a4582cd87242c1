"""What the tests of commands share: modules that lie beside them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # For `ranked_files` and `own_code`.
