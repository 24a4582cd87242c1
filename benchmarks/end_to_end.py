"""dsir select over Parquet on 2 threads, against the reference's three calls on the same rows."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks import corpus, process
from benchmarks.timing import in_turn, median_ratio

_READ = """
import sys, concurrent.futures as cf, pyarrow.parquet as pq
def read(path):
    for batch in pq.ParquetFile(path, pre_buffer=False).iter_batches(columns=["text"]): pass
with cf.ThreadPoolExecutor(2) as pool: list(pool.map(read, sys.argv[1:]))
"""
_N = 1000


def run(data: Path, times: int) -> dict[str, Any]:
    """Measure; returns seconds and ratios of whole processes."""
    paths = corpus.shards(data)
    target = data / "targets" / "movie_reviews.parquet"
    with tempfile.TemporaryDirectory(prefix="dsir-bench-") as name:
        folder = Path(name)
        lines = [folder / f"{path.stem}.jsonl" for path in paths]
        for path, line in zip(paths, lines, strict=True):
            corpus.to_json_lines(path, line)
        corpus.to_json_lines(target, folder / "target.jsonl")
        number = iter(range(1000))

        def reference() -> None:
            out = folder / f"reference-{next(number)}"
            command = [sys.executable, "-m", "benchmarks.reference_run"]
            process.run(
                [*command, *map(str, lines), str(folder / "target.jsonl"), str(out), str(_N)]
            )

        raw, out = [str(path) for path in paths], folder / "selected"
        seconds = in_turn(
            {
                "reference": reference,
                "dsir select": lambda: process.run_select(raw, target, _N, out, 2),
                "read text": lambda: process.run([sys.executable, "-c", _READ, *raw]),
            },
            times,
        )
        parts = sorted(out.glob("*.parquet"))
        chosen = [row for p in parts for row in pq.read_table(p)["source"].to_pylist()]
    medians = {name: round(sorted(found)[len(found) // 2], 2) for name, found in seconds.items()}
    return {
        "rows": sum(pq.ParquetFile(path).metadata.num_rows for path in paths),
        "seconds": medians,
        "times_the_reference": round(median_ratio(seconds["reference"], seconds["dsir select"]), 1),
        "times_reading": round(median_ratio(seconds["dsir select"], seconds["read text"]), 2),
        "share_of_the_right_source": chosen.count("imdb") / len(chosen),
    }


def rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the result as lines of a table."""
    lines = [(f"{name}, whole process", f"{s} s") for name, s in result["seconds"].items()]
    return [
        *lines,
        ("reference / dsir select", f"{result['times_the_reference']}x"),
        ("dsir select / reading the text column", f"{result['times_reading']}x"),
        ("selected from the right source", f"{result['share_of_the_right_source']:.1%}"),
    ]
