"""What more threads bring: score and count in memory, select from file to file.

For comparison, score and count are also measured on processes that share nothing, on the same
cores.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import corpus, machine_limit, process
from benchmarks.figures import figure
from benchmarks.timing import in_turn, results_in_turn
from dsir import HashedNgrams, ImportanceModel, _core

_ASKED = 0.9


def run(data: Path, times: int, shards: int) -> dict[str, Any]:
    """Measure; return figures, and MB/s by number of threads for the plot."""
    numbers = thread_counts(len(os.sched_getaffinity(0)))
    everything = corpus.texts(corpus.shards(data))
    size = corpus.text_bytes(everything)
    target = data / "targets" / "movie_reviews.parquet"
    features = HashedNgrams()
    wanted = pq.read_table(target, columns=["text"])["text"]
    model = ImportanceModel(features, features.counts(everything), features.counts(wanted))
    # One batch, so that only the kernel's threads are measured.
    table = pa.table({"text": everything})

    def count(threads: int) -> None:
        counts = np.zeros(features.buckets, dtype=np.int64)
        _core.count(everything, features.spec, counts, threads=threads)

    rates: dict[str, dict[int, list[float]]] = {}
    for name, call in (
        ("score", lambda threads: model.score(table, threads=threads)),
        ("count", count),
    ):
        seconds = in_turn(
            {str(n): lambda n=n, call=call: call(n) for n in numbers},
            times,
        )
        rates[name] = {n: [size / s / 1e6 for s in seconds[str(n)]] for n in numbers}
    rates["select"] = _select(data, target, times, shards, numbers)
    figures = []
    for name, by_threads in rates.items():
        for n in numbers:
            figures.append(figure(f"{name}, {n} threads", "MB/s", by_threads[n]))
            if n == 1:
                continue
            values = [
                many / one / n for many, one in zip(by_threads[n], by_threads[1], strict=True)
            ]
            figures.append(
                figure(f"{name}, {n} threads, share of linear", "x", values, asked=_ASKED)
            )
    for name, by_number in machine_limit.shares_of_linear(data, numbers, times).items():
        for n, shares in by_number.items():
            figures.append(figure(f"{name}, {n} processes, share of linear", "x", shares))
    return {
        "figures": figures,
        "mb_per_second": {
            name: {str(n): round(float(np.median(found)), 1) for n, found in by_threads.items()}
            for name, by_threads in rates.items()
        },
    }


def thread_counts(cores: int) -> list[int]:
    """Return 1, 2, 4, ... up to the number of cores, and that number."""
    powers = [1 << power for power in range(cores.bit_length()) if 1 << power <= cores]
    return sorted({*powers, cores})


def _select(
    data: Path, target: Path, times: int, shards: int, numbers: list[int]
) -> dict[int, list[float]]:
    """Return MB/s of the call by number of threads; there are at least as many shards."""
    with tempfile.TemporaryDirectory(prefix="dsir-bench-") as name:
        folder = Path(name)
        count = max(shards, 2 * max(numbers))
        made, rows, size = corpus.large_parquet(corpus.shards(data), folder / "raw", count)
        raw = [str(path) for path in made]
        ran = results_in_turn(
            {
                str(n): lambda n=n: process.run_select(
                    raw, target, rows // 100, folder / "out", n, fit_tokens="1000000"
                )
                for n in numbers
            },
            times,
        )
    return {n: [size / one.inside / 1e6 for one in ran[str(n)]] for n in numbers}
