"""The same texts through dsir and its peers, one thread: MB/s.

The reference does the same work as dsir, and so does `benchmarks.numba_program`: what a good Python
programmer would write with numba, with the same hash and the same buckets. scikit-learn's
HashingVectorizer hashes (1,2)-grams of its own tokens into as many buckets, and a dot product turns
them into a weight. fastText predicts from word bigrams whether a text is from the target; its
training is not timed. Reading the column with pyarrow is the floor.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import corpus
from benchmarks.figures import figure, ratio
from benchmarks.timing import in_turn
from dsir import HashedNgrams, ImportanceModel

# Every tenth text, because the slowest peer needs seconds even for these.
_STEP = 10
_BUCKETS = 10_000


def run(data: Path, times: int) -> dict[str, Any]:
    """Measure; return figures, and the peers that are not installed."""
    everything = corpus.texts(corpus.shards(data))
    few = everything.take(pa.array(range(0, len(everything), _STEP)))
    size = corpus.text_bytes(few)
    target = pq.read_table(data / "targets" / "movie_reviews.parquet", columns=["text"])["text"]
    runs: dict[str, Callable[[], object]] = {}
    models = {}
    for name in ("fast", "sha256"):
        features = HashedNgrams(hash=name, buckets=_BUCKETS)
        model = ImportanceModel(features, features.counts(everything), features.counts(target))
        runs[f"dsir, {name}"] = lambda model=model: model.score(few)
        models[name] = model
    texts = few.to_pylist()
    makers = {
        "reference": ("data_selection", lambda: _reference(texts, models["sha256"].log_ratio)),
        "numba": ("numba", lambda: _numba(texts, models["fast"].log_ratio)),
        "scikit-learn": ("sklearn", lambda: _scikit_learn(texts, models["sha256"].log_ratio)),
        "fastText": ("fasttext", lambda: _fast_text(texts, target.to_pylist())),
    }
    missing = []
    for name, (package, make) in makers.items():
        if importlib.util.find_spec(package) is None:
            missing.append(name)
        else:
            runs[name] = make()
    with tempfile.TemporaryDirectory(prefix="dsir-bench-") as folder:
        path = Path(folder) / "texts.parquet"
        pq.write_table(pa.table({"text": few}), path, compression="zstd")
        runs["pyarrow, read"] = lambda: pq.read_table(path, columns=["text"], use_threads=False)
        seconds = in_turn(runs, times)
    figures = [
        figure(f"{name}, 1 thread", "MB/s", [size / s / 1e6 for s in found])
        for name, found in seconds.items()
    ]
    fastest = seconds["dsir, fast"]
    for name, found in seconds.items():
        if not name.startswith("dsir"):
            figures.append(ratio(f"dsir, fast / {name}", found, fastest))
    return {"figures": figures, "text_mb": round(size / 1e6, 1), "not_installed": missing}


def _reference(texts: list[str], log_ratio: np.ndarray[Any, Any]) -> Callable[[], object]:
    from data_selection.hashed_ngram_dsir import get_ngram_counts

    return lambda: [float(np.dot(log_ratio, get_ngram_counts(text))) for text in texts]


def _numba(texts: list[str], log_ratio: np.ndarray[Any, Any]) -> Callable[[], object]:
    from benchmarks.numba_program import Program

    program = Program(2, log_ratio)
    program.run(texts[:1])  # Compiles.
    return lambda: program.run(texts)


def _scikit_learn(texts: list[str], log_ratio: np.ndarray[Any, Any]) -> Callable[[], object]:
    from sklearn.feature_extraction.text import HashingVectorizer

    vectorizer = HashingVectorizer(
        ngram_range=(1, 2), n_features=_BUCKETS, alternate_sign=False, norm=None
    )
    return lambda: vectorizer.transform(texts) @ log_ratio


def _fast_text(texts: list[str], target: list[str]) -> Callable[[], object]:
    import fasttext

    raw_lines = [" ".join(text.split()) for text in texts]
    target_lines = [" ".join(text.split()) for text in target if text]
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
        file.writelines(f"__label__raw {line}\n" for line in raw_lines)
        file.writelines(f"__label__target {line}\n" for line in target_lines)
        file.flush()
        # One pass on one thread, because only predicting is timed, and training does not change its
        # speed.
        model = fasttext.train_supervised(
            file.name, epoch=1, wordNgrams=2, bucket=_BUCKETS, thread=1, verbose=0
        )
    # A list, because predict() of a single text does not work with numpy 2.
    return lambda: model.predict(raw_lines)
