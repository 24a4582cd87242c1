"""Drawing one in a hundred of very many weights from a memory-mapped file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import process
from benchmarks.figures import figure, ratio
from benchmarks.timing import results_in_turn

_SAMPLE = """
import numpy as np
import dsir
weights = np.memmap(sys.argv[1], np.float64, "r")
begun = time.perf_counter()
rows = dsir.sample(weights, int(sys.argv[2]), seed=0, threads=int(sys.argv[3]))
seconds = time.perf_counter() - begun
assert len(rows) == int(sys.argv[2])
tell()
"""
# The floor: reading the file once.
_READ = """
import numpy as np
weights = np.memmap(sys.argv[1], np.float64, "r")
begun = time.perf_counter()
for first in range(0, len(weights), 1 << 20):
    weights[first : first + (1 << 20)].max()
seconds = time.perf_counter() - begun
tell()
"""
# The spread of log-weights that are sums over n-grams, of which noise decides little, and of means,
# of which noise decides much.
_SPREADS = {"spread 30": 30.0, "spread 2": 2.0}
_THREADS = 2


def run(count: int, times: int) -> dict[str, Any]:
    """Measure.

    Args:
        count: number of weights; one in a hundred is drawn.
        times: number of rounds that count.
    """
    figures = []
    with tempfile.TemporaryDirectory(prefix="dsir-bench-") as name:
        for label, spread in _SPREADS.items():
            path = Path(name) / "weights"
            _write(path, count, spread)
            drawn = [str(path), str(count // 100), str(_THREADS)]
            ran = results_in_turn(
                {
                    "sample": lambda drawn=drawn: process.run_code(_SAMPLE, drawn),
                    "read": lambda drawn=drawn: process.run_code(_READ, drawn),
                },
                times,
            )
            what = f"{count:.0e} weights to {count // 100:.0e} rows, {label}"
            seconds = [one.inside for one in ran["sample"]]
            peaks = [one.peak_mb for one in ran["sample"]]
            # The targets are for 10^8.
            asked = 3.0 if count == 10**8 else None
            figures += [
                figure(f"{what}, {_THREADS} threads", "s", seconds, better="lower", asked=asked),
                figure(f"{what}: peak memory", "MB", peaks, better="lower", asked=200.0),
                ratio(
                    f"{what} / reading them once, 1 thread",
                    seconds,
                    [one.inside for one in ran["read"]],
                    better="lower",
                ),
            ]
    return {"figures": figures}


def _write(path: Path, count: int, spread: float) -> None:
    random = np.random.default_rng(0)
    with path.open("wb") as file:
        for first in range(0, count, 1 << 22):
            random.normal(-200.0, spread, min(1 << 22, count - first)).tofile(file)
