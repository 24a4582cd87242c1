"""Grades that classifiers learn from documents, and tell of others that are held out.

Usage: python -m benchmarks.quality.grades [--data FOLDER] [--seeds N]

A document of grade k, 0 to 5, is made of k pieces of film reviews and 5 - k pieces of documents of
raw, 200 characters each, in any order. 8,000 documents are learned from; 4,000 of other reviews and
other documents of raw are held out. Printed: the rank correlation (Spearman) of scores and grades,
and the mean distance of the expected grade from the grade.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.stats import rankdata

import dsir

_PIECE, _PIECES, _LONGEST = 200, 5, 1600
_LEARNED, _HELD_OUT = 8000, 4000

Grades = npt.NDArray[np.float64]
Told = tuple[npt.NDArray[np.float64], Grades | None]


def main() -> None:
    """Print the figures of each way, as means over the seeds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    reviews = _texts(options.data / "targets/movie_reviews.parquet")
    others = _texts(options.data / "raw/part-00001.parquet")
    ways: dict[str, Callable[[list[str], Grades, list[str]], Told]] = {
        "classifier of grades": _graded,
        "classifier of two sides": _two_sides,
        "ridge regression": _ridge,
    }
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
    for seed in range(options.seeds):
        draw = np.random.default_rng(seed)
        texts, grades = _documents(reviews[::2], others[::2], _LEARNED, draw)
        held_out, expected = _documents(reviews[1::2], others[1::2], _HELD_OUT, draw)
        for name, way in ways.items():
            begun = time.perf_counter()
            scores, told = way(texts, grades, held_out)
            seconds = time.perf_counter() - begun
            ranks = np.corrcoef(rankdata(scores), rankdata(expected))[0, 1]
            off = np.nan if told is None else np.abs(told - expected).mean()
            found[name].append((float(ranks), float(off), seconds))
    for name, figures in found.items():
        ranks, off, seconds = np.mean(figures, axis=0)
        print(f"{name}: rank correlation {ranks:.3f}, off by {off:.2f}, {seconds:.1f} s")


def _texts(path: Path) -> list[str]:
    texts = pq.read_table(path, columns=["text"])["text"].to_pylist()
    return [text for text in texts if text and len(text) >= 2 * _PIECE]


def _documents(
    wanted: list[str], others: list[str], count: int, draw: np.random.Generator
) -> tuple[list[str], Grades]:
    good, bad = _pieces(wanted), _pieces(others)
    grades = draw.integers(0, _PIECES + 1, count)
    texts = []
    for grade in grades.tolist():
        parts = [good[i] for i in draw.integers(0, len(good), grade)]
        parts += [bad[i] for i in draw.integers(0, len(bad), _PIECES - grade)]
        draw.shuffle(parts)
        texts.append(" ".join(parts))
    return texts, grades.astype(np.float64)


def _pieces(texts: list[str]) -> list[str]:
    return [
        text[at : at + _PIECE]
        for text in texts
        for at in range(0, min(len(text), _LONGEST) - _PIECE + 1, _PIECE)
    ]


def _graded(texts: list[str], grades: Grades, held_out: list[str]) -> Told:
    target = pa.table({"text": texts, "score": grades})
    model = dsir.fit(
        texts[:500], target, estimator="classifier", grades="score", threads=2, progress=False
    )
    scores = model.score(held_out, threads=2)
    return scores, _PIECES / (1 + np.exp(-scores))


def _two_sides(texts: list[str], grades: Grades, held_out: list[str]) -> Told:
    """The documents above the middle against those below."""
    high, low = (
        pa.table({"text": [texts[i] for i in np.flatnonzero(side)]})
        for side in (grades > _PIECES / 2, grades < _PIECES / 2)
    )
    model = dsir.fit(
        texts[:500], high, negatives=low, estimator="classifier", threads=2, progress=False
    )
    return model.score(held_out, threads=2), None


def _ridge(texts: list[str], grades: Grades, held_out: list[str]) -> Told:
    """scikit-learn's regression on the same number of buckets of words and pairs of words."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import Ridge

    vectors = HashingVectorizer(ngram_range=(1, 2), n_features=1 << 18, alternate_sign=False)
    model = Ridge(alpha=0.1, solver="sparse_cg").fit(vectors.transform(texts), grades)
    scores = model.predict(vectors.transform(held_out))
    return scores, np.clip(scores, 0, _PIECES)


if __name__ == "__main__":
    main()
