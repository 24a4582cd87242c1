"""Several models in one pass: what else the pass makes is what passes of their own make."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from estimator_contract import check_watched
from fasttext_file import FastTextFile
from hypothesis import given
from hypothesis import strategies as st

import dsir
from dsir import _core
from dsir.model.estimator import Watch
from dsir.model.together import Together

SEA = [f"ship {one} and the sea, {one % 7} sails in the wind of the tide" for one in range(30)]
LAW = [f"judge {one} and the court of law and the tide" for one in range(30)]
BAD = pa.array([b"the sea and the \xff", b"\xfe", b"the sea and the court"], pa.binary())
TEXTS = pa.array([*SEA, None, "", *LAW, "Ünder the sea 海 " * 9000, "the sea. " * 20000])
FEATURES = dsir.HashedNgrams(buckets=300)
# Which kinds of n-grams the models have; the first is what tokens are counted by.
SETS = {
    "one": [{}],
    "two of the same": [{}, {"estimator": "relevance"}],
    "two orders": [{}, {"features": dsir.HashedNgrams(n=3, buckets=100)}],
    "two hashes": [{}, {"features": dsir.HashedNgrams(buckets=99, hash="sha256")}],
    "classifiers": [
        {"estimator": "classifier"},
        {"estimator": "classifier", "features": dsir.HashedNgrams(n=1, buckets=77)},
    ],
    "other tokens": [{"features": dsir.HashedNgrams(buckets=50, tokenizer="unicode")}, {}],
    "no such tokens": [{"features": dsir.HashedNgrams(buckets=50, tokenizer="chars")}],
    "a form": [
        {"features": dsir.HashedNgrams(buckets=50, normalize="NFKC")},
        {"features": dsir.HashedNgrams(buckets=60, normalize="NFKC", n=1)},
    ],
}


@cache
def together_of(name: str) -> Together:
    models = [
        dsir.fit(SEA + LAW, SEA, progress=False, **{"features": FEATURES, **given})
        for given in SETS[name]
    ]
    return Together(models, FEATURES if name == "no such tokens" else models[0].features)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("texts", [TEXTS, BAD.view(pa.string())], ids=["texts", "bad"])
@pytest.mark.parametrize("name", SETS)
def test_a_watch_finds_what_passes_of_their_own_find(name, texts, threads):
    together = together_of(name)
    features = together.features
    expected = together.score_batch(texts)
    index = _core.NgramIndex(features.prepared(pa.array(SEA[:3])), features.spec, 4)
    shared = index.find(features.prepared(texts), most=7)
    keys = _core.band_keys(features.prepared(texts), features.spec)
    assert shared[0].any() or len(texts) == len(BAD)
    for watch in (Watch(index, 7), Watch(bands=True), Watch(index, 7, True)):
        found = together.score_and_watch(texts, watch, threads=threads)
        for one, other in zip(found[:4], expected[:4], strict=True):
            assert one.tobytes() == other.tobytes()
        check_watched(found, watch, shared, keys)


@given(st.lists(st.none() | st.text("ab 海.é", max_size=60), max_size=9), st.integers(1, 3))
def test_it_does_for_any_texts(texts, threads):
    together = together_of("two orders")
    array = pa.array(texts, pa.string())
    found = together.score_and_watch(array, Watch(bands=True), threads=threads)
    expected = _core.band_keys(array, together.features.spec)
    assert np.array_equal(found.bands, expected)


@pytest.mark.parametrize("name", SETS)
def test_no_pass_is_made_for_it(name, monkeypatch):
    together = together_of(name)
    monkeypatch.delattr(_core, "band_keys")
    assert together.score_and_watch(TEXTS, Watch(bands=True)).bands.any()


def test_a_model_of_fasttext_makes_it_where_tokens_are_counted(tmp_path, monkeypatch):
    path = tmp_path / "quality.bin"
    path.write_bytes(FastTextFile(word_ngrams=1, bucket=0).encode())
    loaded = dsir.load_model(path)
    model = loaded.for_label(loaded.labels[0])
    expected = _core.band_keys(TEXTS, model.features.spec)
    monkeypatch.delattr(_core, "band_keys")
    calls = []
    score = _core.score
    monkeypatch.setattr(
        _core, "score", lambda *given, **how: calls.append(1) or score(*given, **how)
    )
    found = model.score_and_watch(TEXTS, Watch(bands=True))
    assert np.array_equal(found.bands, expected)
    assert len(calls) == 1


def test_a_watch_of_other_texts_is_refused():
    table = _core.LogRatioTable(np.zeros((1, 300)))
    texts = pa.array(["a", "b"])
    with pytest.raises(ValueError, match="as many rows as the array"):
        _core.score(
            *(texts, FEATURES.spec, table, _core.Weighing()),
            watching=_core.Watching(3, bands=True),
        )
    for wrong in ({"rows": -1}, {"rows": 1, "most": 0}, {"rows": 1, "most": 1001}):
        with pytest.raises(ValueError, match="must be"):
            _core.Watching(**wrong)
