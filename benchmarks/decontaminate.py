"""What comparing with benchmarks costs: scoring with and without, over texts in memory and files.

The targets of the data folder stand for benchmarks: texts of other people, with over a million
n-grams, some of which are in raw.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import dsir
from benchmarks import corpus
from benchmarks.figures import figure, ratio
from benchmarks.timing import in_turn
from dsir.model.decontamination import Decontamination
from dsir.model.row_filters import RowFilters

_TARGET = "reuters"


def run(data: Path, times: int) -> dict[str, Any]:
    """Measure on one thread; return figures."""
    shards = corpus.shards(data)
    texts = corpus.texts(shards)
    target = pq.read_table(data / "targets" / f"{_TARGET}.parquet", columns=["text"])
    model = dsir.fit(texts, target, progress=False)
    paths = sorted(str(path) for path in (data / "targets").glob("*.parquet"))
    compared = Decontamination.of(dsir.files(paths))
    compared.index(model.features)  # Read and indexed once, which does not grow with raw.
    filters = RowFilters(decontamination=compared)
    ngrams = len(compared.index(model.features))
    _, judged = filters.score(model, texts)
    given: dict[str, Any] = {
        "model": model,
        "n": 1000,
        "threads": 1,
        "method": "top-k",
        "progress": False,
    }
    with tempfile.TemporaryDirectory(prefix="dsir-benchmark-") as folder:

        def select(**more: Any) -> None:
            out = Path(folder) / "out"
            dsir.select(dsir.files(shards), **given, **more, out=out, overwrite=True)

        seconds = in_turn(
            {
                "read and index": lambda: Decontamination.of(dsir.files(paths)).index(
                    model.features
                ),
                "score": lambda: model.score_batch(texts),
                "score and compare": lambda: filters.score(model, texts),
                "select": lambda: select(),
                "select, decontaminate": lambda: select(decontaminate=compared),
            },
            times,
        )
    size = corpus.text_bytes(texts) / 1e6
    return {
        "ngrams": ngrams,
        "contaminated": len(judged.matches),
        "rows": len(texts),
        "figures": [
            figure("read and index", "s", seconds.pop("read and index")),
            *(figure(name, "MB/s", [size / s for s in each]) for name, each in seconds.items()),
            ratio(
                "score and compare / score",
                seconds["score and compare"],
                seconds["score"],
                better="lower",
            ),
            ratio(
                "select, decontaminate / select",
                seconds["select, decontaminate"],
                seconds["select"],
                better="lower",
                asked=1.15,
            ),
        ],
    }
