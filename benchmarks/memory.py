"""Peak memory of dsir select over more and more copies of the shards."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks import corpus, process


def run(data: Path, gigabytes: tuple[float, ...]) -> dict[str, Any]:
    """Measure; returns peak memory and seconds by size of the corpus (10^9 bytes of text)."""
    paths = corpus.shards(data)
    size = corpus.text_bytes(corpus.texts(paths))
    target = data / "targets" / "movie_reviews.parquet"
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="dsir-bench-") as name:
        for wanted in gigabytes:
            copies = max(1, round(wanted * 1e9 / size))
            folder = Path(name) / f"{copies}"
            made = corpus.repeat(paths, folder, copies)
            ran = process.run_select([str(folder)], target, 1000, Path(name) / "out", 2)
            found[f"{copies * size / 1e9:.2f}"] = {
                "peak_mb": round(ran.peak_mb),
                "seconds": round(ran.seconds, 1),
                "mb_per_second": round(copies * size / ran.seconds / 1e6),
            }
            for path in made:
                path.unlink()
    peaks = [entry["peak_mb"] for entry in found.values()]
    return {"by_gigabytes": found, "largest_over_smallest_corpus": round(peaks[-1] / peaks[0], 3)}


def rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the result as lines of a table."""
    lines = [
        (
            f"peak memory at {size} GB of text, 2 threads",
            f"{entry['peak_mb']} MB ({entry['seconds']} s, {entry['mb_per_second']} MB/s)",
        )
        for size, entry in result["by_gigabytes"].items()
    ]
    ratio = result["largest_over_smallest_corpus"]
    return [*lines, ("largest corpus / smallest", f"{ratio}x")]
