"""All kinds of files that fuzz_readers.py changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fuzz_cases
import fuzz_text_cases

CASES: dict[str, Callable[[Path], fuzz_cases.Case]] = {
    **fuzz_cases.CASES,
    **fuzz_text_cases.CASES,
}
