"""What holds of every selection, and settings for small ones."""

from __future__ import annotations

from typing import Any

import dsir

# The mean keeps the weights close enough together for the noise to matter: no warning.
MEAN: dict[str, Any] = {"min_tokens": 20, "length": "mean", "progress": False}


def accounts_add_up(selection: dsir.Selection) -> None:
    rows = selection.metrics["rows"]
    passed = rows["passed_over"]
    assert rows["read"] == rows["selected"] + sum(passed.values()) + rows["bad"]
    assert rows["eligible"] == rows["selected"] + passed["not_drawn"]
    assert set(passed) == {"not_drawn", "too_short", "empty"}
    assert rows["selected"] == len(selection) == len(selection.rows) == len(selection.log_weights)
    assert min(passed.values()) >= 0


def without_stages(metrics: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in metrics.items() if name != "stages"}
