"""How many threads a call may use."""

from __future__ import annotations

from dsir.arguments import whole_number
from dsir.engine.local import usable_cores


def thread_count(threads: int | None) -> int:
    """Return the number asked for, or every core that this process may use where it is None."""
    return usable_cores() if threads is None else whole_number("threads", threads, 1)
