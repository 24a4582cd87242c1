"""The settings of a small run, which most tests of work directories make."""

from __future__ import annotations

from typing import Any

SETTINGS: dict[str, Any] = {
    "n": 12,
    "min_tokens": 5,
    "length": "mean",
    "shard_size": "2kB",
    "progress": False,
    "threads": 1,
}
