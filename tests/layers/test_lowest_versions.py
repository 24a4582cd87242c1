"""`make pytest-lowest` tests the lowest versions that pyproject.toml allows."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tested_versions_are_the_lowest_allowed():
    project = (ROOT / "pyproject.toml").read_text()
    [allowed] = re.findall(r"^dependencies = \[(.*)\]$", project, re.MULTILINE)
    lowest = dict(re.findall(r'"([\w-]+)>=([\d.]+)"', allowed))
    assert lowest
    lines = (ROOT / "tests/lowest_versions.txt").read_text().splitlines()
    tested = dict(re.findall(r"^([\w-]+)==([\d.]+)\.\*$", "\n".join(lines), re.MULTILINE))
    assert tested.keys() == lowest.keys()
    for name, version in lowest.items():
        # 13 may be tested as 13.0.
        assert f"{tested[name]}.".startswith(f"{version}."), name
