"""Timing: whole runs in turn, so that a machine that gets slower or faster affects all alike."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")


def results_in_turn(runs: Mapping[str, Callable[[], T]], times: int) -> dict[str, list[T]]:
    """Call functions A B C A B C ..., after one round that does not count.

    Args:
        runs: what to call, by name.
        times: how many rounds count.

    Returns:
        The results of the calls by name, one per round.
    """
    found: dict[str, list[T]] = {name: [] for name in runs}
    for round_number in range(times + 1):
        for name, run in runs.items():
            os.sync()  # So that this run does not wait for what the one before has yet to write.
            result = run()
            if round_number:
                found[name].append(result)
    return found


def in_turn(
    runs: dict[str, Callable[[], object]],
    times: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Time functions A B C A B C ..., after one round that does not count.

    Args:
        runs: what to time, by name.
        times: how many rounds count.
        clock: returns seconds; `time.process_time` for work of one thread beside other programs.

    Returns:
        Seconds by name, one per round.
    """

    def timed(run: Callable[[], object]) -> Callable[[], float]:
        def seconds() -> float:
            begun = clock()
            run()
            return clock() - begun

        return seconds

    return results_in_turn({name: timed(run) for name, run in runs.items()}, times)


def median_ratio(slow: list[float], fast: list[float]) -> float:
    """Return the median of the ratios, computed round by round."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))
