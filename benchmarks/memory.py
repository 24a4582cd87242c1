"""Peak memory of dsir select over more and more copies of the shards."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks import corpus, process
from benchmarks.figures import figure


def run(data: Path, gigabytes: tuple[float, ...]) -> dict[str, Any]:
    """Measure; returns figures, and peak memory and seconds by size of the corpus (10^9 bytes)."""
    paths = corpus.shards(data)
    size = corpus.text_bytes(corpus.texts(paths))
    target = data / "targets" / "movie_reviews.parquet"
    found: dict[str, Any] = {}
    figures = []
    with tempfile.TemporaryDirectory(prefix="dsir-bench-") as name:
        for wanted in gigabytes:
            copies = max(1, round(wanted * 1e9 / size))
            folder = Path(name) / f"{copies}"
            made = corpus.repeat(paths, folder, copies)
            ran = process.run_select([str(folder)], target, 1000, Path(name) / "out", 2)
            text = f"{copies * size / 1e9:.2f}"
            found[text] = {
                "peak_mb": round(ran.peak_mb),
                "seconds": round(ran.seconds, 1),
                "mb_per_second": round(copies * size / ran.seconds / 1e6),
            }
            figures.append(
                figure(
                    f"{text} GB, 2 threads: peak", "MB", [ran.peak_mb], better="lower", asked=600
                )
            )
            for path in made:
                path.unlink()
    peaks = [entry["peak_mb"] for entry in found.values()]
    growth = [peaks[-1] / peaks[0]]
    figures.append(
        figure("peak, largest corpus / smallest", "x", growth, better="lower", asked=1.1)
    )
    return {"figures": figures, "by_gigabytes": found}
