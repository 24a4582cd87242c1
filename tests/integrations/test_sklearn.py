"""NgramVectorizer: a row of counts for each text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import dsir

pytest.importorskip("sklearn")

from dsir.integrations.sklearn import NgramVectorizer


@pytest.mark.parametrize(
    "settings",
    [{}, {"n": 1, "buckets": 50}, {"hash": "sha256", "n": 3}, {"tokenizer": "unicode"}],
)
def test_rows_are_the_counts_of_the_features(texts, settings):
    vectorizer = NgramVectorizer(**settings, threads=2)
    counts = vectorizer.fit_transform(texts)
    features = dsir.HashedNgrams(**settings)
    assert counts.shape == (len(texts), features.buckets)
    assert counts.has_canonical_format
    for row, text in enumerate(texts):
        expected = features.counts(dsir.texts([text]))
        assert np.array_equal(counts[row].toarray()[0], expected)


def test_kinds_of_columns(texts):
    import pandas as pd
    import polars as pl

    expected = NgramVectorizer().transform(texts).toarray()
    kinds = (
        np.array(texts, dtype=object),
        pd.Series(texts),
        pl.Series(texts),
        pa.array(texts),
        tuple(texts),
        pa.chunked_array([texts[:2], texts[2:]]),
    )
    for column in kinds:
        assert np.array_equal(NgramVectorizer().transform(column).toarray(), expected)
    assert NgramVectorizer(dtype="i4").transform([]).shape == (0, 10_000)
    binary = NgramVectorizer(binary=True, dtype=np.float32).transform(["sea sea sea"])
    assert (binary.dtype, set(binary.data.tolist())) == (np.float32, {1.0})
    assert NgramVectorizer(buckets=3).get_feature_names_out().tolist() == [
        "bucket0",
        "bucket1",
        "bucket2",
    ]


def test_it_is_an_estimator_of_scikit_learn(texts):
    from sklearn.base import clone
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    steps = make_pipeline(NgramVectorizer(buckets=64), LogisticRegression())
    grid = GridSearchCV(steps, {"ngramvectorizer__n": [1, 2]}, cv=2)
    grid.fit(["ship sea"] * 4 + ["court law"] * 4, [1] * 4 + [0] * 4)
    assert grid.predict(["a ship", "a court"]).tolist() == [1, 0]
    assert clone(NgramVectorizer(n=3)).get_params()["n"] == 3


def test_what_holds_no_texts():
    vectorizer = NgramVectorizer()
    with pytest.raises(dsir.SettingError, match="expected a column or a list of texts"):
        vectorizer.transform("one text")
    with pytest.raises(dsir.SettingError, match="element 0 is int"):
        vectorizer.transform([1])
    with pytest.raises(dsir.TextColumnError, match="int64"):
        vectorizer.transform(np.arange(3))
    with pytest.raises(dsir.RowError, match="not UTF-8"):
        vectorizer.transform(pa.array([b"\xff"]).view(pa.string()))
    frame = pa.table({"body": ["a ship"], "n": [1]})
    with pytest.raises(dsir.TextColumnError, match=r"X: has columns \(body, n\), .* alone"):
        vectorizer.transform(frame)
    assert vectorizer.transform(frame["body"]).shape == (1, 10_000)
    assert vectorizer.transform(frame.rename_columns(["text", "n"])).shape == (1, 10_000)
    dtypes = [{"dtype": dtype} for dtype in ("U3", "no dtype", bool, complex, object, "f2")]
    for wrong in ({"n": 0}, {"threads": 0}, {"binary": 1}, {"tokenizer": "x"}, *dtypes):
        with pytest.raises(dsir.SettingError):
            NgramVectorizer(**wrong).fit(["a"])


def test_a_count_that_its_dtype_cannot_hold_is_an_error():
    def highest(times, dtype, **given):
        vectorizer = NgramVectorizer(n=1, dtype=dtype, **given)
        return vectorizer.transform(["a " * times]).max()

    assert highest(255, "u1") == 255
    assert highest(300, "u1", binary=True) == 1
    assert highest(300, "i2") == 300
    for times, dtype in ((256, "u1"), (128, "i1"), (40_000, "i2")):
        with pytest.raises(dsir.SettingError, match=rf"cannot hold the count {times:,}"):
            highest(times, dtype)
