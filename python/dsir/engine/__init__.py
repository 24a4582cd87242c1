"""Engines: where the shard tasks of a stage run."""

from __future__ import annotations

from dsir.engine.base import Engine, Progress, Shared, Stopped
from dsir.engine.engines import LOCAL, RAY, open_engine
from dsir.engine.local import LocalEngine, thread_count, usable_cores
from dsir.engine.tasks import Tasks

__all__ = [
    "LOCAL",
    "RAY",
    "Engine",
    "LocalEngine",
    "Progress",
    "Shared",
    "Stopped",
    "Tasks",
    "open_engine",
    "thread_count",
    "usable_cores",
]
