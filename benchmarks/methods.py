"""What methods cost: `dsir select` of 1 %, fit on all rows, against `resample` in the same run."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks import corpus, process
from benchmarks.figures import figure, ratio
from benchmarks.timing import results_in_turn

_METHODS = ("resample", "cap", "coverage")
_THREADS = 2
_ASKED = {"coverage": 1.5}


def run(data: Path, times: int) -> dict[str, Any]:
    """Measure on two threads; return figures."""
    shards = corpus.shards(data)
    rows = sum(pq.read_metadata(path).num_rows for path in shards)
    raw = [str(path) for path in shards]
    target = data / "targets" / "reuters.parquet"
    with tempfile.TemporaryDirectory(prefix="dsir-bench-") as folder:
        out = Path(folder) / "out"
        ran = results_in_turn(
            {
                method: lambda method=method: process.run_select(
                    raw, target, rows // 100, out, _THREADS, fit_tokens="all", method=method
                )
                for method in _METHODS
            },
            times,
        )
    plain = [one.seconds for one in ran["resample"]]
    figures = []
    for method, rounds in ran.items():
        seconds = [one.seconds for one in rounds]
        figures.append(figure(f"{method}: process", "s", seconds, better="lower"))
        peaks = [one.peak_mb for one in rounds]
        figures.append(figure(f"{method}: peak", "MB", peaks, better="lower"))
        if method != "resample":
            asked = _ASKED.get(method)
            figures.append(
                ratio(f"{method} / resample", seconds, plain, better="lower", asked=asked)
            )
    return {"rows": rows, "figures": figures}
