"""The classifiers that selections of labelled rows are measured with.

Two groups for tables and for texts: the first JUDGED of each are of the kinds that GAIS's judges
stand for, the others are of kinds that no judge stands for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

Classifiers = dict[str, Callable[[], Any]]

JUDGED = 3
TABLES: Classifiers = {
    "1-NN": lambda: KNeighborsClassifier(1),
    "random forest": lambda: RandomForestClassifier(100, random_state=0),
    "logistic regression": lambda: LogisticRegression(max_iter=300),
    "gradient boosting": lambda: HistGradientBoostingClassifier(
        max_iter=50, min_samples_leaf=5, early_stopping=False, random_state=0
    ),
    "linear SVM": lambda: LinearSVC(random_state=0, max_iter=2000),
}
TEXTS: Classifiers = {
    "1-NN by cosine": lambda: KNeighborsClassifier(1, metric="cosine"),
    "random forest": TABLES["random forest"],
    "logistic regression": TABLES["logistic regression"],
    "naive Bayes": lambda: MultinomialNB(alpha=0.1),
    "linear SVM": TABLES["linear SVM"],
}


def evaluate(
    classifiers: Classifiers, x: Any, y: Any, test_x: Any, test_y: Any, weights: Any = None
) -> list[list[float]]:
    """Return accuracy and macro-F1 of every classifier, in points.

    Args:
        classifiers: what to train.
        x: the rows to train on.
        y: their labels; with one label alone every classifier answers it.
        test_x: the rows to test on.
        test_y: their labels.
        weights: {"sample_weight": ...} for the classifiers that take weights; None for none.
    """
    found = []
    for make in classifiers.values():
        model = make() if len(np.unique(y)) > 1 else DummyClassifier()
        given = {} if weights is None or isinstance(model, KNeighborsClassifier) else weights
        guesses = model.fit(x, y, **given).predict(test_x)
        f1 = f1_score(test_y, guesses, average="macro")
        found.append([100 * float((guesses == test_y).mean()), 100 * float(f1)])
    return found
