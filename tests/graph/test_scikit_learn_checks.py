"""scikit-learn's own checks of the selectors, and what its users expect of them besides."""

from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa
import pytest

import dsir
from dsir.errors import SettingError
from dsir.graph import GAIS, EditedNearestNeighbours, KMeansPrototypes, RandomSelection

pytest.importorskip("sklearn", minversion="1.6")  # The first with `expected_failed_checks`.
from sklearn.utils.estimator_checks import parametrize_with_checks

SELECTORS = [
    GAIS(0.5, epochs=2, trials=False),
    KMeansPrototypes(0.5),
    RandomSelection(0.5),
    EditedNearestNeighbours(),
]
# Checks that fail, and why that is right.
_LABELS_ALONE = "RandomSelection draws by the labels alone, and X may be anything, even None"
JUSTIFIED = {
    "RandomSelection": {
        "check_estimators_empty_data_messages": _LABELS_ALONE,
        "check_estimators_nan_inf": _LABELS_ALONE,
        "check_fit1d": _LABELS_ALONE,
    },
}


def justified(selector):
    return JUSTIFIED.get(type(selector).__name__, {})


# The selectors have scikit-learn's interface without its base class, which scikit-learn warns of.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    mark = parametrize_with_checks(SELECTORS, expected_failed_checks=justified).mark
    # As a list: pytest 9 warns of the generator that scikit-learn gives, and it warns as it goes.
    every_check = pytest.mark.parametrize(mark.args[0], list(mark.args[1]), **mark.kwargs)


@pytest.mark.filterwarnings("ignore")
@every_check
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


X = np.random.default_rng(0).normal(size=(120, 3))
Y = np.where(X[:, 0] > 0.5, "up", "down")
by_selector = pytest.mark.parametrize("selector", SELECTORS, ids=lambda one: type(one).__name__)


@by_selector
def test_columns_and_their_names(selector):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    assert selector.fit(frame, Y).n_features_in_ == 3
    assert selector.feature_names_in_.tolist() == ["a", "b", "c"]
    assert selector.fit(pa.table(frame), Y).feature_names_in_.tolist() == ["a", "b", "c"]
    for plain in (X, X.tolist(), pandas.DataFrame(X)):
        assert selector.fit(plain, Y).n_features_in_ == 3
        assert not hasattr(selector, "feature_names_in_")


@by_selector
def test_how_many_rows_of_each_label_are_kept(selector):
    _, y = selector.fit_resample(X, Y)
    assert selector.sampling_strategy_ == {one: (y == one).sum() for one in ("down", "up")}


def test_texts_have_no_columns():
    texts = ["one sea", "two seas", "red hill", "blue hill"] * 5
    gais = GAIS(0.5, features=dsir.HashedNgrams(buckets=50), epochs=1)
    gais.fit(texts, [0, 0, 1, 1] * 5)
    assert not hasattr(gais, "n_features_in_")
    assert gais.sampling_strategy_ == {0: 5, 1: 5}


def test_frames_come_back_as_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"], index=np.arange(120) * 2)
    x, y = GAIS(0.5, epochs=1).fit_resample(frame, pandas.Series(Y, index=frame.index))
    assert isinstance(x, pandas.DataFrame)
    assert isinstance(y, pandas.Series)
    assert x.index.tolist() == y.index.tolist()


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_states_of_numpy_are_seeds(make):
    def kept(state):
        return RandomSelection(0.9, random_state=state).fit(None, Y).sample_indices_.tolist()

    assert kept(make(3)) == kept(make(3))
    state = make(3)
    assert kept(state) != kept(state)  # As scikit-learn's estimators: each fit draws a new seed.
    gais = GAIS(0.5, epochs=1, random_state=make(3))
    assert len(gais.fit(X, Y).sample_indices_) == 60
    with pytest.raises(SettingError, match="random_state='now'"):
        GAIS(random_state="now").fit(X, Y)


@by_selector
def test_labels_that_are_missing(selector):
    with pytest.raises(SettingError, match="the target y is None; give a label for each row"):
        selector.fit(X, None)


@pytest.mark.parametrize(
    "texts",
    [
        ["one", "two"],
        np.array(["one", "two"]),
        pa.array(["one", "two"]),
        pa.chunked_array([["one", "two"]], pa.string_view()),
    ],
)
def test_texts_without_features_get_the_way_out(texts):
    with pytest.raises(SettingError, match=r"X: a column of texts; give features=dsir.HashedNgr"):
        GAIS().fit(texts, [0, 1])


def test_columns_of_texts_of_other_libraries_get_the_way_out():
    for library in ("pandas", "polars"):
        column = pytest.importorskip(library).Series(["one", "two"])
        with pytest.raises(SettingError, match="give features="):
            GAIS().fit(column, [0, 1])


@pytest.mark.parametrize(
    "labels", [["a", "b"] * 5, np.array(["a", "b"] * 5, object), pa.array(["a", "b"] * 5)]
)
def test_texts_are_not_cut_into_bins(labels):
    with pytest.raises(SettingError, match=r"holds texts, but bins=3 cuts numbers .* leave bins"):
        GAIS(bins=3).fit(np.ones((10, 1)), labels)


def test_a_regression_target_needs_bins():
    # Few values in many rows: classes by their number, but not by their fractions.
    target = np.round(np.random.default_rng(0).normal(size=3000), 1)
    assert len(np.unique(target)) < 100
    with pytest.raises(SettingError, match="in 3,000 rows; for a regression target give bins"):
        GAIS().fit(np.ones((3000, 1)), target)
    halves = np.tile([0.5, 1.0, 1.5], 40)
    assert GAIS(0.5, epochs=1).fit(X, halves).classes_.tolist() == [0.5, 1.0, 1.5]
