"""What more cores bring to processes that share nothing, which is the most that threads can reach.

The cores of a machine share memory, caches and heat and, in a cloud, share their host with others.
So one process runs the same scoring alone, and then several at once, each with one thread on its
own core.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_PROGRAM = """
import os, sys, time
from pathlib import Path
core, data = int(sys.argv[1]), Path(sys.argv[2])
os.sched_setaffinity(0, {core})
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from benchmarks import corpus
from dsir import HashedNgrams, ImportanceModel, _core
texts, features = corpus.texts(corpus.shards(data)), HashedNgrams()
wanted = pq.read_table(data / "targets" / "movie_reviews.parquet", columns=["text"])["text"]
model = ImportanceModel(features, features.counts(texts), features.counts(wanted))
table = pa.table({"text": texts})
def score():
    model.score(table, threads=1)
def count():
    counts = np.zeros(features.buckets, dtype=np.int64)
    _core.count(texts, features.spec, counts, threads=1)
runs = {"score": score, "count": count}
for run in runs.values():
    run()
print("ready", flush=True)
for line in sys.stdin:
    begun = time.perf_counter()
    for _ in range(4):
        runs[line.strip()]()
    print(time.perf_counter() - begun, flush=True)
"""


def shares_of_linear(
    data: Path, numbers: Sequence[int], times: int
) -> dict[str, dict[int, list[float]]]:
    """Measure; return the share of linear by work ("score", "count") and number of processes."""
    cores = sorted(os.sched_getaffinity(0))[: max(numbers)]
    command = [sys.executable, "-c", _PROGRAM]
    processes = [
        subprocess.Popen(
            [*command, str(core), str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for core in cores
    ]
    try:
        for process in processes:
            _answer(process)
        return {
            work: {
                number: [_share(processes[:number], work) for _ in range(times)]
                for number in numbers
                if number > 1
            }
            for work in ("score", "count")
        }
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _share(processes: Sequence[subprocess.Popen[str]], work: str) -> float:
    """Return mean seconds of processes one after the other, over the longest of all at once."""
    alone = [_seconds([process], work)[0] for process in processes]
    return sum(alone) / len(alone) / max(_seconds(processes, work))


def _seconds(processes: Sequence[subprocess.Popen[str]], work: str) -> list[float]:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(f"{work}\n")
        process.stdin.flush()
    return [float(_answer(process)) for process in processes]


def _answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"a process of the benchmark ended early: exit code {process.wait()}")
    return line
