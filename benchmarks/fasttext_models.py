"""Models of fastText: dsir's probabilities against the library's own, on one thread, MB/s.

Each model is trained on part of the texts; training is not timed. Every kind has the size of
published filters: 100 dimensions, and 2,000,000 buckets for word bigrams. Loading is timed apart:
dsir multiplies the matrices once, when it loads.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import dsir
from benchmarks import corpus
from benchmarks.figures import figure, ratio
from benchmarks.timing import in_turn

# Every twentieth text, because the library needs seconds for these.
_STEP = 20
_TRAINED = {
    "word bigrams": {"wordNgrams": 2, "bucket": 2_000_000},
    "words": {"wordNgrams": 1},
    "subwords": {"minn": 3, "maxn": 6, "bucket": 500_000},
}
_ASKED = {"word bigrams": 10.0, "subwords": 4.0}
_PROBES = 200


def run(data: Path, times: int) -> dict[str, Any]:
    """Measure; return figures, or nothing without the library."""
    if importlib.util.find_spec("fasttext") is None:
        return {"figures": [], "not_installed": ["fasttext"]}
    import fasttext

    paths = corpus.shards(data)
    everything = corpus.texts(paths)
    lines = [" ".join(text.split()) for text in everything.to_pylist()[::_STEP] if text]
    target = pq.read_table(data / "targets" / "movie_reviews.parquet", columns=["text"])["text"]
    wanted = [" ".join(text.split()) for text in target.to_pylist() if text]
    size = sum(len(line.encode()) for line in lines)
    texts = dsir.texts(lines)
    figures = []
    for name, settings in _TRAINED.items():
        with tempfile.TemporaryDirectory(prefix="dsir-bench-") as folder:
            train, path = Path(folder) / "train.txt", Path(folder) / "model.bin"
            with train.open("w", encoding="utf-8") as file:
                file.writelines(f"__label__raw {line}\n" for line in lines[:2000])
                file.writelines(f"__label__target {line}\n" for line in wanted[:2000])
            fasttext.train_supervised(
                str(train), epoch=1, dim=100, thread=1, verbose=0, **settings
            ).save_model(str(path))
            theirs = fasttext.load_model(str(path))
            begun = time.perf_counter()
            ours = dsir.load_model(path)
            loading = time.perf_counter() - begun
        assert isinstance(ours, dsir.FastTextModel)
        found = ours.score(dsir.texts(lines[:_PROBES]))
        for line, probabilities in zip(lines[:_PROBES], found, strict=True):
            told = {label: p for p, label in theirs.f.predict(line + "\n", -1, 0.0, "strict")}
            expected = [told.get(label, 0.0) for label in ours.labels]
            if not np.allclose(probabilities, expected, rtol=0, atol=1e-5):
                raise SystemExit(f"{name}: the probabilities are not the library's")
        seconds = in_turn(
            {
                "fastText": lambda model=theirs: model.predict(lines, k=-1),
                "dsir": lambda model=ours: model.score(texts),
            },
            times,
        )
        for who, each in seconds.items():
            rate = [size / s / 1e6 for s in each]
            figures.append(figure(f"{who}, {name}, 1 thread", "MB/s", rate))
        figures.append(figure(f"dsir, {name}, load", "s", [loading]))
        figures.append(
            ratio(
                f"dsir / fastText, {name}",
                seconds["fastText"],
                seconds["dsir"],
                asked=_ASKED.get(name),
            )
        )
    return {"figures": figures, "text_mb": round(size / 1e6, 1)}
