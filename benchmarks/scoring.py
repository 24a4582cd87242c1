"""Scoring texts in memory on one thread, against the reference in the same run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from data_selection.hashed_ngram_dsir import get_ngram_counts

from benchmarks import corpus
from benchmarks.timing import in_turn, median_ratio
from dsir import HashedNgrams, ImportanceModel

# The reference is so much slower that it gets only some of the texts, spread over the corpus.
_REFERENCE_STEP = 50


def run(data: Path, times: int) -> dict[str, Any]:
    """Measure; return MB/s and ratios by hash."""
    paths = corpus.shards(data)
    everything = corpus.texts(paths)
    size = corpus.text_bytes(everything)
    few = everything.take(pa.array(range(0, len(everything), _REFERENCE_STEP)))
    few_size = corpus.text_bytes(few)
    few_texts = few.to_pylist()
    target = pq.read_table(data / "targets" / "movie_reviews.parquet", columns=["text"])["text"]
    models = {
        name: ImportanceModel(
            HashedNgrams(hash=name),
            HashedNgrams(hash=name).counts(everything),
            HashedNgrams(hash=name).counts(target),
        )
        for name in ("fast", "sha256")
    }
    log_ratio = models["sha256"].log_ratio

    def reference() -> list[float]:
        return [float(np.dot(log_ratio, get_ngram_counts(text))) for text in few_texts]

    ours = models["sha256"].score(few)
    if not np.allclose(reference(), ours, rtol=1e-9, atol=1e-9):
        raise SystemExit("the log-weights are not the reference's; the comparison means nothing")
    decode = paths[1]  # zstd, one row group
    decoded = corpus.text_bytes(corpus.texts([decode]))
    seconds = in_turn(
        {
            "reference": reference,
            "score fast": lambda: models["fast"].score(everything),
            "score sha256": lambda: models["sha256"].score(everything),
            "count fast": lambda: models["fast"].features.counts(everything),
            "decode zstd": lambda: pq.read_table(decode, columns=["text"], use_threads=False),
        },
        times,
    )
    sizes = {"reference": few_size, "decode zstd": decoded}
    rates = {
        name: [sizes.get(name, size) / s / 1e6 for s in found] for name, found in seconds.items()
    }
    return {
        "text_mb": round(size / 1e6, 1),
        "mb_per_second": {name: round(sorted(r)[len(r) // 2], 1) for name, r in rates.items()},
        "times_the_reference": {
            name: round(median_ratio(rates[name], rates["reference"]), 1)
            for name in ("score fast", "score sha256", "count fast")
        },
        "times_decoding": round(median_ratio(rates["score fast"], rates["decode zstd"]), 2),
    }


def rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the result as lines of a table."""
    lines = [(f"{name}, 1 thread", f"{r} MB/s") for name, r in result["mb_per_second"].items()]
    ratios = result["times_the_reference"].items()
    lines += [(f"{name} / reference", f"{ratio}x") for name, ratio in ratios]
    return [*lines, ("score fast / decode zstd", f"{result['times_decoding']}x")]
