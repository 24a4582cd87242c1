"""Labels and columns of every kind: missing values, and the types of pandas and polars."""

import decimal

import numpy as np
import pyarrow as pa
import pytest

import dsir
from dsir.errors import SettingError
from dsir.graph import GAIS, EditedNearestNeighbours, KMeansPrototypes, RandomSelection

ROWS = 120
X = np.random.default_rng(5).normal(size=(ROWS, 2))
LABELS = np.where(X[:, 0] > 0, "p", "n")
HOLES = [3, 50, 51]


def quick(**arguments):
    return GAIS(0.8, epochs=2, trials=False, **arguments)


def with_holes(values, hole, dtype=object):
    values = np.array(values, dtype=dtype)
    values[HOLES] = hole
    return values


def series(values, dtype=None):
    return pytest.importorskip("pandas").Series(values, dtype=dtype)


LABELS_WITH_HOLES = {
    "None in a list": lambda: with_holes(LABELS, None).tolist(),
    "NaN among strings": lambda: with_holes(LABELS, np.nan),
    "NaN among whole numbers": lambda: with_holes((X[:, 0] > 0).astype(int), np.nan),
    "NaN in an array of float": lambda: with_holes((X[:, 0] > 0) * 1.0, np.nan, float),
    "NaN among decimals": lambda: with_holes(
        [decimal.Decimal(int(one > 0)) for one in X[:, 0]], decimal.Decimal("NaN")
    ),
    "NaT": lambda: with_holes(
        np.where(X[:, 0] > 0, np.datetime64("2021-01-01"), np.datetime64("2020-01-01")),
        np.datetime64("NaT", "s"),
        "datetime64[s]",
    ),
    "Arrow nulls": lambda: pa.array(with_holes(LABELS, None).tolist()),
    "Arrow dictionary": lambda: pa.array(with_holes(LABELS, None).tolist()).dictionary_encode(),
    "Arrow views": lambda: pa.array(with_holes(LABELS, None).tolist(), pa.string_view()),
    "a table of one column": lambda: pa.table({"y": with_holes(LABELS, None).tolist()}),
    "pandas string": lambda: series(with_holes(LABELS, None), "string"),
    "pandas category": lambda: series(with_holes(LABELS, None), "category"),
    "pandas Int64": lambda: series(with_holes((X[:, 0] > 0).astype(int), None), "Int64"),
    "pandas boolean": lambda: series(with_holes(X[:, 0] > 0, None), "boolean"),
    "a frame of pandas": lambda: series(with_holes(LABELS, None)).to_frame(),
    "polars": lambda: pytest.importorskip("polars").Series(with_holes(LABELS, None).tolist()),
}


@pytest.mark.parametrize("kind", LABELS_WITH_HOLES)
def test_a_missing_label_is_never_a_class(kind):
    labels = LABELS_WITH_HOLES[kind]()
    for selector in (quick(), KMeansPrototypes(0.8), RandomSelection(0.8)):
        with pytest.raises(SettingError, match=r"row 3 has no label; .*missing='drop'"):
            selector.fit(X, labels)
    gais = quick(missing="drop").fit(X, labels)
    assert len(gais.classes_) == 2
    assert not set(HOLES) & set(gais.sample_indices_.tolist())
    there = np.setdiff1d(np.arange(ROWS), HOLES)
    whole = quick().fit(X[there], [str(LABELS[row]) for row in there])
    assert gais.sample_indices_.tolist() == there[whole.sample_indices_].tolist()
    np.testing.assert_array_equal(gais.scores_[there], whole.scores_)
    assert np.isnan(gais.scores_[HOLES]).all()
    assert gais.embeddings_.shape == (ROWS, 32)
    assert not gais.trusted_[HOLES].any()
    assert len(RandomSelection(0.5, missing="drop").fit(None, labels).sample_indices_) > 50


NUMBERS_WITH_HOLES = {
    "numpy": lambda: np.column_stack([X, with_holes(X[:, 1], np.nan, float)]),
    "Arrow": lambda: pa.table({"a": X[:, 0], "c": with_holes(X[:, 1], None).tolist()}),
    "pandas float": lambda: series(with_holes(X[:, 1], np.nan, float)).to_frame("c"),
    "pandas Float64": lambda: series(with_holes(X[:, 1], None), "Float64").to_frame("c"),
    "pandas boolean": lambda: series(with_holes(X[:, 1] > 0, None), "boolean").to_frame("c"),
    "pandas category": lambda: series(with_holes(LABELS, None), "category").to_frame("c"),
    "polars": lambda: pytest.importorskip("polars").DataFrame(
        {"c": with_holes(X[:, 1], None).tolist()}
    ),
    "Arrow dictionary": lambda: pa.table(
        {"c": pa.array(with_holes(LABELS, None).tolist()).dictionary_encode()}
    ),
}


@pytest.mark.parametrize("kind", NUMBERS_WITH_HOLES)
def test_missing_values_are_refused_filled_or_dropped(kind):
    table = NUMBERS_WITH_HOLES[kind]()
    for selector in (quick(), KMeansPrototypes(0.8), EditedNearestNeighbours()):
        with pytest.raises(SettingError, match=r"row 3: a (value|name) is missing"):
            selector.fit(table, LABELS)
    for selector in (
        quick(missing="drop"),
        KMeansPrototypes(0.8, missing="drop"),
        EditedNearestNeighbours(missing="drop"),
    ):
        kept = selector.fit(table, LABELS).sample_indices_
        assert len(kept) > 10
        assert not set(HOLES) & set(kept.tolist())
    for selector in (quick(missing="fill"), EditedNearestNeighbours(missing="fill")):
        kept, _ = selector.fit_resample(table, LABELS)
        assert len(kept) == len(selector.sample_indices_) > 10


def test_filling_is_the_mean_and_a_column_that_says_where():
    column = with_holes(X[:, 1], np.nan, float)
    there = ~np.isnan(column)
    by_hand = np.column_stack([np.where(there, column, column[there].mean()), ~there])
    filled = quick(missing="fill").fit(column[:, None], LABELS)
    np.testing.assert_array_equal(
        filled.sample_indices_, quick().fit(by_hand, LABELS).sample_indices_
    )


def test_missing_texts():
    texts = with_holes([f"{label} {row}" for row, label in enumerate(LABELS)], None).tolist()
    features = dsir.HashedNgrams(n=1, buckets=100)
    with pytest.raises(SettingError, match="row 3: a text is missing"):
        quick(features=features).fit(texts, LABELS)
    empty = ["" if text is None else text for text in texts]
    filled = quick(features=features, missing="fill").fit(texts, LABELS).sample_indices_
    assert filled.tolist() == quick(features=features).fit(empty, LABELS).sample_indices_.tolist()
    dropped = quick(features=features, missing="drop").fit(texts, LABELS).sample_indices_
    assert not set(HOLES) & set(dropped.tolist())


def test_columns_of_a_categorical_type_need_not_be_named():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": X[:, 0], "c": np.where(X[:, 1] > 0, "u", "v")})
    named = quick(categorical=["c"]).fit(frame, LABELS).sample_indices_.tolist()
    typed = frame.astype({"c": "category"})
    assert quick().fit(typed, LABELS).sample_indices_.tolist() == named
    arrow = pa.table({"a": X[:, 0], "c": pa.array(frame["c"].tolist()).dictionary_encode()})
    assert quick().fit(arrow, LABELS).sample_indices_.tolist() == named


def test_labels_in_any_column_make_the_same_classes():
    pandas = pytest.importorskip("pandas")
    expected = quick().fit(X, LABELS).sample_indices_.tolist()
    plain = pandas.Series(LABELS)
    for labels in (
        plain,
        plain.astype("category"),
        plain.to_frame("y"),
        LABELS[:, None],
        pa.chunked_array([pa.array(LABELS[:50]), pa.array(LABELS[50:])]),
        pa.table({"y": pa.array(LABELS, pa.string_view())}),
        pandas.cut(X[:, 0], [-9, 0, 9]),
    ):
        assert quick().fit(X, labels).sample_indices_.tolist() == expected


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X + 1j, LABELS, "complex128"),
        (X, (X[:, 0] > 0) + 0j, "complex128"),
        (X, [complex(one) for one in X[:, 0] > 0], "complex"),
        (X, X[:, 0], "120 classes in 120 rows.*bins"),
        (X, np.round(X[:, 0], 1), "classes in 120 rows.*bins"),
        (X, np.arange(ROWS), "120 classes in 120 rows"),
        (X, [f"id {row}" for row in range(ROWS)], "120 classes in 120 rows"),
        (X, pa.array([[int(one > 0)] for one in X[:, 0]]), "list<"),
        (X, pa.array([{"a": 1}] * ROWS), "struct<"),
        (X, pa.table({"y": LABELS, "z": LABELS}), "2 columns"),
        (pa.table({"x": pa.array([[1.0]] * ROWS)}), LABELS, "column 'x' holds list<"),
        (
            pa.table({"x": pa.array([(1, 2, 3)] * ROWS, pa.month_day_nano_interval())}),
            LABELS,
            "interval",
        ),
        (pa.table({"x": pa.array([{"a": 1}] * ROWS)}), LABELS, "struct<"),
    ],
)
def test_what_is_neither_number_nor_name_is_refused(x, y, message):
    with pytest.raises(SettingError, match=message):
        quick().fit(x, y)


def test_two_columns_of_one_name():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "a"])
    kept = quick().fit(frame, LABELS).sample_indices_.tolist()
    assert kept == quick().fit(X, LABELS).sample_indices_.tolist()
    with pytest.raises(SettingError, match="2 columns 'a'"):
        quick(categorical=["a"]).fit(frame, LABELS)


def test_a_wrong_missing_is_refused():
    with pytest.raises(SettingError, match="missing='ignore'"):
        quick(missing="ignore").fit(X, LABELS)


def test_columns_of_views_keep_their_type():
    table = pa.table({"x": X[:, 0], "c": pa.array(LABELS, pa.string_view())})
    kept, labels = quick(categorical=["c"]).fit_resample(table, table["c"])
    assert kept.schema == table.schema
    assert labels.type == pa.string_view()
    assert kept["c"].to_pylist() == labels.to_pylist()
