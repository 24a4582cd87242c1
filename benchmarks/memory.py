"""Peak memory of dsir select over more and more copies of the shards."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import corpus, process
from benchmarks.figures import figure


def run(data: Path, gigabytes: tuple[float, ...], times: int) -> dict[str, Any]:
    """Measure; return figures, and peak memory and seconds by size of the corpus (10^9 bytes).

    The peak of the same run varies by a few percent, because it depends on which batches the
    threads hold at the same time. Therefore the median of several runs is reported.
    """
    paths = corpus.shards(data)
    size = corpus.text_bytes(corpus.texts(paths))
    target = data / "targets" / "movie_reviews.parquet"
    found: dict[str, Any] = {}
    figures = []
    all_peaks: list[list[float]] = []
    with tempfile.TemporaryDirectory(prefix="dsir-bench-") as name:
        for wanted in gigabytes:
            copies = max(1, round(wanted * 1e9 / size))
            folder = Path(name) / f"{copies}"
            made = corpus.repeat(paths, folder, copies)
            out = Path(name) / "out"
            ran = [process.run_select([str(folder)], target, 1000, out, 2) for _ in range(times)]
            peaks = [one.peak_mb for one in ran]
            seconds = median(one.seconds for one in ran)
            text = f"{copies * size / 1e9:.2f}"
            found[text] = {
                "peak_mb": round(median(peaks)),
                "seconds": round(seconds, 1),
                "mb_per_second": round(copies * size / seconds / 1e6),
            }
            figures.append(
                figure(f"{text} GB, 2 threads: peak", "MB", peaks, better="lower", asked=600)
            )
            all_peaks.append(peaks)
            for path in made:
                path.unlink()
    growth = [large / small for large, small in zip(all_peaks[-1], all_peaks[0], strict=True)]
    figures.append(
        figure("peak, largest corpus / smallest", "x", growth, better="lower", asked=1.1)
    )
    return {"figures": figures, "by_gigabytes": found}
