"""Classifiers of documents: dsir's against fastText's and scikit-learn's, on one thread.

For each target, half of its documents and half of raw are learned from, and the others are told
apart; documents of the target's own source are left out of raw. Learning begins with the texts in
memory and ends with a model. Times are CPU seconds of the process, which has one thread. Aims: as
good on held-out documents as the better of both, five times as fast to learn as fastText, twenty
times as fast to score.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

import dsir
from benchmarks import corpus
from benchmarks.figures import Figure, figure, ratio

SOURCES = {
    "code_python": "code_python",
    "man_ja": "man_ja",
    "medical_leaflets": "medical_leaflets",
    "movie_reviews": "imdb",
    "reuters": "reuters",
}
# Every twentieth document of raw, because fastText needs minutes for all.
_STEP = 20
# The usual settings of published filters, and fewer dimensions with a larger step, which learn
# better from few documents.
_FASTTEXT = {
    "fastText": {"wordNgrams": 2, "dim": 100, "lr": 0.1, "epoch": 5},
    "fastText, 10 dimensions": {"wordNgrams": 2, "dim": 10, "lr": 0.5, "epoch": 5},
}


class _Task:
    """Documents to learn from and documents held out, of one target.

    Attributes:
        wanted, others: lines of text to learn from.
        held_out: lines of text.
        is_wanted: bool[held_out].
        size: bytes of the text to learn from, and of the text held out.
    """

    def __init__(self, data: Path, target: str, seed: int) -> None:
        draw = np.random.default_rng(seed)
        raw = pa.concat_tables(
            pq.read_table(path, columns=["source", "text"]).cast(
                pa.schema([("source", pa.large_string()), ("text", pa.large_string())])
            )
            for path in corpus.shards(data)
        )
        rows = zip(raw["source"].to_pylist(), raw["text"].to_pylist(), strict=True)
        others = [text for source, text in rows if source != SOURCES[target] and text][::_STEP]
        wanted = pq.read_table(data / "targets" / f"{target}.parquet", columns=["text"])["text"]
        sides = []
        for texts in (wanted.to_pylist(), others):
            lines = [" ".join(text.split()) for text in texts if text]
            sides.append([lines[i] for i in draw.permutation(len(lines))])
        middles = [len(side) // 2 for side in sides]
        self.wanted, self.others = (s[:m] for s, m in zip(sides, middles, strict=True))
        held_out = [s[m:] for s, m in zip(sides, middles, strict=True)]
        self.held_out = held_out[0] + held_out[1]
        self.is_wanted = np.arange(len(self.held_out)) < len(held_out[0])
        learned = sum(len(line.encode()) for line in self.wanted + self.others)
        self.size = (learned, sum(len(line.encode()) for line in self.held_out))

    def auc(self, scores: npt.NDArray[np.float64]) -> float:
        """Return the chance that a wanted document has the greater score."""
        others = np.sort(scores[~self.is_wanted])
        wanted = scores[self.is_wanted]
        below = np.searchsorted(others, wanted, "left") + np.searchsorted(others, wanted, "right")
        return float(below.mean() / (2 * len(others)))

    def accuracy(self, scores: npt.NDArray[np.float64], border: float) -> float:
        """Return the mean of both sides' shares of documents on their side of the border."""
        above = scores > border
        return float((above[self.is_wanted].mean() + (~above[~self.is_wanted]).mean()) / 2)


class _Trial:
    """What one classifier gives on one task: its times and how good it is."""

    def __init__(self, learn: float, score: float, auc: float, accuracy: float) -> None:
        self.learn, self.score, self.auc, self.accuracy = learn, score, auc, accuracy


def _dsir(task: _Task) -> _Trial:
    raw, target, held_out = (dsir.texts(s) for s in (task.others, task.wanted, task.held_out))
    begun = time.process_time()
    model = dsir.fit(raw, target, estimator="classifier", threads=1, progress=False)
    learned = time.process_time()
    scores = model.score(held_out)
    scored = time.process_time()
    return _Trial(learned - begun, scored - learned, task.auc(scores), task.accuracy(scores, 0.0))


def _fasttext(task: _Task, settings: dict[str, Any]) -> _Trial:
    import fasttext

    with tempfile.TemporaryDirectory(prefix="dsir-bench-") as folder:
        path = Path(folder) / "train.txt"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"__label__target {line}\n" for line in task.wanted)
            file.writelines(f"__label__raw {line}\n" for line in task.others)
        begun = time.process_time()
        model = fasttext.train_supervised(
            str(path), thread=1, verbose=0, bucket=2_000_000, **settings
        )
        learned = time.process_time()
        found = [
            dict(map(reversed, model.f.predict(f"{line}\n", -1, 0.0, "strict")))
            for line in task.held_out
        ]
        scored = time.process_time()
    scores = np.array([one.get("__label__target", 0.0) for one in found])
    return _Trial(learned - begun, scored - learned, task.auc(scores), task.accuracy(scores, 0.5))


def _scikit_learn(task: _Task) -> _Trial:
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import SGDClassifier

    vectors = HashingVectorizer(
        ngram_range=(1, 2), n_features=1 << 18, token_pattern=r"\w+|[^\w\s]+", alternate_sign=False
    )
    labels = [1] * len(task.wanted) + [0] * len(task.others)
    begun = time.process_time()
    model = SGDClassifier(loss="log_loss", alpha=1e-5, class_weight="balanced", random_state=0)
    model.fit(vectors.transform(task.wanted + task.others), labels)
    learned = time.process_time()
    scores = model.decision_function(vectors.transform(task.held_out))
    scored = time.process_time()
    return _Trial(learned - begun, scored - learned, task.auc(scores), task.accuracy(scores, 0.0))


def run(data: Path, rounds: int) -> dict[str, Any]:
    """Measure; return figures, without those of libraries that are not installed."""
    peers: dict[str, Any] = {}
    if importlib.util.find_spec("fasttext") is not None:
        peers |= {
            name: lambda task, settings=settings: _fasttext(task, settings)
            for name, settings in _FASTTEXT.items()
        }
    if importlib.util.find_spec("sklearn") is not None:
        peers["scikit-learn"] = _scikit_learn
    first = _Task(data, "reuters", 0)
    for trial in (_dsir, *peers.values()):
        trial(first)  # Loads libraries, and does not count.
    trials: dict[str, list[list[_Trial]]] = {name: [] for name in ("dsir", *peers)}
    sizes = []
    for seed in range(rounds):
        tasks = [_Task(data, target, seed) for target in SOURCES]
        sizes.append([sum(task.size[side] for task in tasks) for side in (0, 1)])
        for name, trial in {"dsir": _dsir, **peers}.items():
            trials[name].append([trial(task) for task in tasks])
    figures: list[Figure] = []
    learn = {name: [sum(t.learn for t in one) for one in all_] for name, all_ in trials.items()}
    score = {name: [sum(t.score for t in one) for one in all_] for name, all_ in trials.items()}
    for name, found in trials.items():
        rates = [size[1] / s / 1e6 for size, s in zip(sizes, score[name], strict=True)]
        figures += [
            figure(f"{name}, learn, 1 thread", "s", learn[name], better="lower"),
            figure(f"{name}, score, 1 thread", "MB/s", rates),
            figure(f"{name}, AUC, mean of targets", "", [_mean(r, "auc") for r in found]),
            figure(f"{name}, accuracy, mean", "", [_mean(r, "accuracy") for r in found]),
        ]
    for name in peers:
        fast = name == "fastText"
        figures += [
            ratio(f"dsir / {name}, learn", learn[name], learn["dsir"], asked=5.0 if fast else None),
            ratio(
                f"dsir / {name}, score", score[name], score["dsir"], asked=20.0 if fast else None
            ),
        ]
    return {"figures": figures, "text_mb": [round(size / 1e6, 1) for size in sizes[0]]}


def _mean(trials: list[_Trial], name: str) -> float:
    return float(np.mean([getattr(trial, name) for trial in trials]))
