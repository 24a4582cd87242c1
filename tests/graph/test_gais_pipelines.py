"""The selectors in pipelines: any step of imbalanced-learn's, the last step of scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest

from dsir.graph import GAIS, EditedNearestNeighbours, KMeansPrototypes, RandomSelection

pytest.importorskip("sklearn")
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline as sklearn_pipeline
from sklearn.preprocessing import StandardScaler

NUMBERS = np.random.default_rng(0).normal(size=(240, 3)) * [1, 10, 100]
LABELS = np.where(NUMBERS[:, 0] > 0, "up", "down")
SELECTORS = [
    GAIS(0.8, epochs=3),
    KMeansPrototypes(0.8),
    RandomSelection(0.8),
    EditedNearestNeighbours(),
]


@pytest.fixture
def imblearn_pipeline():
    return pytest.importorskip("imblearn.pipeline").make_pipeline


@pytest.mark.parametrize("selector", SELECTORS, ids=lambda one: type(one).__name__)
def test_between_the_steps_of_imbalanced_learn(imblearn_pipeline, selector):
    pipeline = imblearn_pipeline(StandardScaler(), selector, LogisticRegression())
    guesses = pipeline.fit(NUMBERS, LABELS).predict(NUMBERS)
    assert len(guesses) == 240  # Rows are left out of the fit alone.
    scaled = StandardScaler().fit_transform(NUMBERS)
    x, y = selector.fit_resample(scaled, LABELS)
    assert len(x) < 240
    expected = LogisticRegression().fit(x, y).predict(scaled)
    np.testing.assert_array_equal(guesses, expected)


def test_arguments_are_searched(imblearn_pipeline):
    pipeline = imblearn_pipeline(GAIS(epochs=2, trials=False), LogisticRegression())
    search = GridSearchCV(pipeline, {"gais__reduction": [0.5, 0.9]}, cv=2)
    search.fit(NUMBERS, LABELS)
    assert search.best_params_["gais__reduction"] in (0.5, 0.9)


@pytest.mark.parametrize("selector", SELECTORS, ids=lambda one: type(one).__name__)
def test_at_the_end_of_scikit_learns_pipeline(selector):
    pipeline = sklearn_pipeline(StandardScaler(), selector).fit(NUMBERS, LABELS)
    scaled = StandardScaler().fit_transform(NUMBERS)
    expected = selector.fit(scaled, LABELS).sample_indices_
    np.testing.assert_array_equal(pipeline[-1].sample_indices_, expected)


def test_between_the_steps_of_scikit_learns_pipeline_it_is_refused():
    """As the guide says; scikit-learn has no steps that leave rows out."""
    pipeline = sklearn_pipeline(StandardScaler(), GAIS(0.8), LogisticRegression())
    with pytest.raises(TypeError, match=r"(?i)intermediate steps .* transform"):
        pipeline.fit(NUMBERS, LABELS)
