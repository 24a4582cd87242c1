"""ImportanceModel: the formula, what explain shows, and what cannot be changed."""

from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsir

FEATURES = dsir.HashedNgrams(n=2, buckets=7)
COUNTS = st.lists(st.integers(0, 10**9), min_size=7, max_size=7).filter(any)


def model_of(raw, target, **keywords) -> dsir.ImportanceModel:
    return dsir.ImportanceModel(FEATURES, np.array(raw), np.array(target), **keywords)


@given(COUNTS, COUNTS, st.sampled_from([0, 0.5, 1, 1e6]))
def test_log_ratio(raw, target, smoothing):
    model = model_of(raw, target, smoothing=smoothing)
    p_raw = np.array(raw) / sum(raw)
    smoothed = np.array(target) + smoothing
    expected = np.log(smoothed / smoothed.sum() + 1e-8) - np.log(p_raw + 1e-8)
    np.testing.assert_allclose(model.log_ratio, expected, rtol=1e-10, atol=1e-12)


@given(
    COUNTS, COUNTS, st.text(alphabet="ab cé.,!\n", max_size=80), st.sampled_from(["sum", "mean"])
)
def test_scores_and_explanations(raw, target, text, length):
    model = model_of(raw, target, length=length)
    ngrams = FEATURES.ngrams(text)
    expected = sum(model.log_ratio[bucket] for _, bucket in ngrams)
    if length == "mean":
        expected /= max(1, len(ngrams))
    score = model.score([text])
    assert score.dtype == np.float64
    assert score[0] == pytest.approx(expected, rel=1e-9, abs=1e-8)
    table = model.explain(text)
    assert table.schema == pa.schema(
        [
            ("ngram", pa.string()),
            ("bucket", pa.int64()),
            ("count", pa.int64()),
            ("contribution", pa.float64()),
        ]
    )
    assert sum(table["contribution"].to_pylist()) == pytest.approx(score[0], rel=1e-9, abs=1e-8)
    assert sum(table["count"].to_pylist()) == len(ngrams)
    assert len(set(table["ngram"].to_pylist())) == table.num_rows
    sizes = np.abs(table["contribution"].to_numpy())
    assert (np.diff(sizes) <= 0).all()


def test_scores_of_any_source(small_world, tmp_path):
    model = dsir.fit(small_world.texts, small_world.target, progress=False)
    expected = model.score(small_world.texts)
    assert len(expected) == len(small_world.rows)
    paths = small_world.write_parquet(tmp_path)
    for source in (small_world.table(), paths, tmp_path, pa.array(small_world.texts)):
        for threads in (1, 4):
            assert model.score(source, threads=threads).tobytes() == expected.tobytes()
    assert model.score([None, "", " \n"]).tolist() == [0, 0, 0]
    assert model.score(iter([])).tolist() == []
    nested = model.score(small_world.table(), text="meta.body")
    assert nested.shape == expected.shape


def test_scores_of_bad_texts():
    model = model_of([1] * 7, [2] * 7)
    bad = pa.array([b"a", b"\xff"], pa.binary()).view(pa.string())
    with pytest.raises(dsir.RowError, match="row 1: the text is not UTF-8") as caught:
        model.score(bad)
    assert caught.value.row == 1
    with pytest.raises(dsir.RowError, match="surrogate"):
        model.explain("\ud800")
    with pytest.raises(dsir.SettingError, match="expected a str, found int"):
        model.explain(5)
    with pytest.raises(dsir.SettingError, match="element 1 is int"):
        model.score(["a", 5])


def test_the_arrays_are_frozen():
    raw, target = np.array([1] * 7), np.array([2] * 7)
    model = model_of(raw, target)
    before = model.log_ratio.copy()
    raw[:] = 9
    assert model.raw_counts.tolist() == [1] * 7
    for array in (model.log_ratio, model.raw_counts, model.target_counts):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    np.testing.assert_array_equal(model.log_ratio, before)
    for name in ("log_ratio", "raw_counts", "smoothing", "length", "features"):
        with pytest.raises(AttributeError):
            setattr(model, name, None)


def test_pickles_for_engines():
    model = model_of([1, 2, 3, 4, 5, 6, 7], [7, 6, 5, 4, 3, 2, 1], smoothing=0.5, length="mean")
    model.score(["a b c"])  # The table of the core is there, too.
    copy = pickle.loads(pickle.dumps(model))
    assert copy.fingerprint == model.fingerprint
    assert copy.features == model.features
    assert copy.log_ratio.tobytes() == model.log_ratio.tobytes()
    assert not copy.log_ratio.flags.writeable
    assert copy.score(["a b c"]).tobytes() == model.score(["a b c"]).tobytes()


def test_fingerprints():
    models = [
        model_of([1] * 7, [2] * 7),
        model_of([1] * 7, [3] * 7),
        model_of([2] * 7, [2] * 7),
        model_of([1] * 7, [2] * 7, smoothing=1),
        model_of([1] * 7, [2] * 7, length="mean"),
        dsir.ImportanceModel(dsir.HashedNgrams(3, 7), np.ones(7), np.full(7, 2)),
        dsir.ImportanceModel(dsir.HashedNgrams(2, 7, hash="sha256"), np.ones(7), np.full(7, 2)),
    ]
    assert len({model.fingerprint for model in models}) == len(models)
    assert model_of([1] * 7, [2] * 7).fingerprint == models[0].fingerprint


@pytest.mark.parametrize(
    ("raw", "target", "keywords", "kind", "message"),
    [
        ([0] * 7, [1] * 7, {}, dsir.ModelError, "raw corpus has no n-grams"),
        ([1] * 7, [0] * 7, {}, dsir.ModelError, "target corpus has no n-grams"),
        ([1] * 6, [1] * 7, {}, dsir.ModelError, "raw_counts: expected 7 counts"),
        ([1] * 7, [[1] * 7], {}, dsir.ModelError, "target_counts: expected 7 counts"),
        ([-1] + [1] * 6, [1] * 7, {}, dsir.ModelError, "none negative"),
        ([1] * 7, [1] * 7, {"smoothing": -1}, dsir.SettingError, "smoothing=-1"),
        ([1] * 7, [1] * 7, {"smoothing": float("nan")}, dsir.SettingError, "smoothing=nan"),
        ([1] * 7, [1] * 7, {"length": "max"}, dsir.SettingError, "length='max'"),
    ],
)
def test_no_model_from_nothing(raw, target, keywords, kind, message):
    with pytest.raises(kind, match=message):
        model_of(raw, target, **keywords)


def test_repr():
    assert repr(model_of([1000] * 7, [2] * 7)) == (
        "ImportanceModel(raw n-grams: 7,000, target n-grams: 14, smoothing: 0.0, length: sum)"
    )


def test_features():
    features = dsir.HashedNgrams()
    assert (features.n, features.buckets, features.tokenizer, features.hash) == (
        2, 10_000, "wordpunct", "fast",
    )  # fmt: skip
    assert features == dsir.HashedNgrams(2, 10_000)
    assert hash(features) == hash(dsir.HashedNgrams())
    assert features.tokens("Don't stop, ALICE!") == [
        "don", "'", "t", "stop", ",", "alice", "!",
    ]  # fmt: skip
    with pytest.raises(AttributeError):
        features.n = 3
    others = [
        dsir.HashedNgrams(n=3),
        dsir.HashedNgrams(buckets=9_999),
        dsir.HashedNgrams(hash="sha256"),
    ]
    assert len({other.fingerprint for other in (features, *others)}) == 4


def test_counts_add_up(small_world):
    features = dsir.HashedNgrams(n=3, buckets=50)
    whole = features.counts(small_world.texts)
    assert whole.dtype == np.int64
    assert whole.shape == (50,)
    apart = sum(features.counts([text]) for text in small_world.texts)
    np.testing.assert_array_equal(whole, apart)
    named = [bucket for text in small_world.texts for _, bucket in features.ngrams(text or "")]
    np.testing.assert_array_equal(whole, np.bincount(named, minlength=50))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n": 0}, "n=0"),
        ({"n": 9}, "n=9"),
        ({"n": 2.0}, r"n=2\.0"),
        ({"n": True}, "n=True"),
        ({"buckets": 1}, "buckets=1"),
        ({"buckets": (1 << 24) + 1}, "buckets=16777217"),
        ({"hash": "md5"}, "hash='md5': expected 'fast' or 'sha256'"),
        ({"tokenizer": "spaces"}, "tokenizer='spaces'"),
    ],
)
def test_wrong_features(wrong, message):
    with pytest.raises(dsir.SettingError, match=message):
        dsir.HashedNgrams(**wrong)


def test_the_largest_features(small_world):
    features = dsir.HashedNgrams(n=8, buckets=1 << 24)
    model = dsir.fit(small_world.texts, small_world.target, features=features, progress=False)
    assert len(model.log_ratio) == 1 << 24
    assert np.isfinite(model.score(small_world.texts)).all()


def test_kl_reduction():
    target = ["sea ship sail"] * 5
    raw = ["sea ship sail", "court judge verdict", "flour oven crust"] * 5
    assert dsir.kl_reduction(target, raw, target) > 1
    assert dsir.kl_reduction(raw, raw, target) == pytest.approx(0)
    assert dsir.kl_reduction(["court judge verdict"], raw, target) < -1
    features = dsir.HashedNgrams(n=1, buckets=50)
    p, q, s = (
        features.counts(texts) / features.counts(texts).sum() + 1e-8
        for texts in (target, raw, raw[:2])
    )
    expected = (p * np.log(p / q)).sum() - (p * np.log(p / s)).sum()
    found = dsir.kl_reduction(raw[:2], raw, target, features=features)
    assert found == pytest.approx(expected)
    with pytest.raises(dsir.ModelError, match="without n-grams"):
        dsir.kl_reduction([""], raw, target)
