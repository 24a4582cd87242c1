"""What looking for duplicates costs: `dsir select` with and without, and the kernel alone."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

import dsir
from benchmarks import corpus
from benchmarks.figures import figure, ratio
from benchmarks.timing import in_turn
from dsir import _core
from dsir.model.estimator import Scoring, TextScores, Watch
from dsir.model.together import Together


def _scores(model: Scoring, texts: pa.Array) -> TextScores:
    return model.score_batch(texts)


def _one_pass(model: Scoring, texts: pa.Array) -> TextScores:
    return model.score_and_watch(texts, Watch(bands=True))


def _two_passes(model: Scoring, texts: pa.Array) -> TextScores:
    return model.score_batch(texts).watched(Watch(bands=True), model.features)


_CALLS = {"scores": _scores, "scores and keys": _one_pass, "and keys in two passes": _two_passes}


def run(data: Path, times: int) -> dict[str, Any]:
    """Measure on one thread; return figures."""
    shards = corpus.shards(data)
    texts = corpus.texts(shards)
    target = corpus.texts([data / "targets" / "reuters.parquet"])
    model = dsir.fit(texts, target, progress=False)
    classifier = dsir.fit(texts, target, estimator="classifier", progress=False)
    other = dsir.fit(texts, target, features=dsir.HashedNgrams(n=1, buckets=1000), progress=False)
    models: dict[str, Scoring] = {
        "a table": model,
        "a classifier": classifier,
        "two tables and a classifier": Together([model, classifier, other], model.features),
    }
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
                **{
                    f"{name}: {what}": partial(call, one, texts)
                    for name, one in models.items()
                    for what, call in _CALLS.items()
                },
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
            *(
                ratio(
                    f"{one}: {what} / scores",
                    *(seconds[f"{one}: {what}"], seconds[f"{one}: scores"]),
                    better="lower",
                )
                for one in models
                for what in list(_CALLS)[1:]
            ),
        ],
    }
