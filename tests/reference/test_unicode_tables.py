"""Where this Python's Unicode tables are not the core's: what differs, by name."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

import pytest

from dsir import _core

ASSIGNED_FILE = Path(__file__).parents[1] / "data" / "unicode_14_assigned.json"

# Characters that both versions have, and whose properties were changed in between: U+1734 was a
# non-spacing mark up to 13.0.
CHANGED = {0x1734}


@pytest.mark.parametrize(
    "tables", [f"python-{unicodedata.unidata_version}-core-{_core.UNICODE_VERSION}"]
)
def test_only_what_one_version_does_not_know_differs(tables, unicode_difference, named_difference):
    if unicodedata.unidata_version == _core.UNICODE_VERSION:
        assert not unicode_difference
        return
    ranges = json.loads(ASSIGNED_FILE.read_text(encoding="utf-8"))["ranges"]
    core = {c for first, last in ranges for c in range(first, last + 1)}
    here = {c for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)) != "Cn"}
    assert unicode_difference <= (core ^ here) | CHANGED
    pytest.skip(named_difference)
