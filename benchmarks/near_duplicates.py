"""What looking for duplicates costs: `dsir select` with and without, and the kernel alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import dsir
from benchmarks import corpus
from benchmarks.figures import figure, ratio
from benchmarks.timing import in_turn
from dsir import _core


def run(data: Path, times: int) -> dict[str, Any]:
    """Measure on one thread; return figures."""
    shards = corpus.shards(data)
    texts = corpus.texts(shards)
    target = corpus.texts([data / "targets" / "reuters.parquet"])
    model = dsir.fit(texts, target, progress=False)
    spec = model.features.spec
    given: dict[str, Any] = {
        "model": model,
        "n": 1000,
        "threads": 1,
        "method": "top-k",
        "progress": False,
    }
    with tempfile.TemporaryDirectory(prefix="dsir-benchmark-") as folder:

        def select(dedup: str) -> dsir.Selection:
            out = Path(folder) / "out"
            return dsir.select(dsir.files(shards), **given, dedup=dedup, out=out, overwrite=True)

        passed = select("near").metrics["duplicates"]["rows"]
        seconds = in_turn(
            {
                "score": lambda: model.score_batch(texts),
                "keys of near duplicates": lambda: _core.band_keys(texts, spec),
                "select": lambda: select("none"),
                "select, exact": lambda: select("exact"),
                "select, near": lambda: select("near"),
            },
            times,
        )
    size = corpus.text_bytes(texts) / 1e6
    return {
        "rows": len(texts),
        "near duplicates": passed,
        "figures": [
            *(figure(name, "MB/s", [size / s for s in each]) for name, each in seconds.items()),
            *(
                ratio(f"{name} / select", seconds[name], seconds["select"], better="lower")
                for name in ("select, exact", "select, near")
            ),
        ],
    }
