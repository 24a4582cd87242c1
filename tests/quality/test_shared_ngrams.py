"""The search for n-grams that documents share with given texts, alone and while scoring."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from contaminated_documents import TOKENS, shared
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir import _core

WORDS = st.lists(st.sampled_from(["a", "B", "b", "c", "naïve", ",", "x1"]), max_size=60)
TEXTS = st.lists(st.none() | WORDS.map(" ".join), max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    documents=TEXTS,
    texts=TEXTS,
    n=st.integers(1, 20),
    tokenizer=st.sampled_from(sorted(TOKENS)),
    order=st.integers(1, 3),
    hash_name=st.sampled_from(["fast", "sha256"]),
    threads=st.integers(1, 3),
    with_bands=st.booleans(),
)
def test_the_shared_ngrams_are_those_of_a_plain_search(
    documents, texts, n, tokenizer, order, hash_name, threads, with_bands
):
    features = dsir.HashedNgrams(n=order, buckets=100, tokenizer=tokenizer, hash=hash_name)
    expected = shared(documents, texts, n, TOKENS[tokenizer])
    index = _core.NgramIndex(pa.array(texts, pa.string()), features.spec, n)
    given_texts = pa.array(documents, pa.string())
    found = index.find(given_texts, most=1000, threads=threads)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected
    table = _core.LogRatioTable(np.zeros((1, 100)))
    watching = _core.Watching(len(given_texts), index=index, most=1000, bands=with_bands)
    scored = _core.score(
        given_texts, features.spec, table, _core.Weighing(), watching=watching, threads=threads
    )
    found = zip(watching.ngrams.tolist(), watching.text.tolist(), strict=True)
    assert list(found) == expected
    plain = _core.score(given_texts, features.spec, table, _core.Weighing())
    assert all(np.array_equal(one, other) for one, other in zip(scored, plain, strict=True))
    bands = _core.band_keys(given_texts, features.spec)
    assert np.array_equal(watching.keys, bands if with_bands else bands[:, :0])


@pytest.mark.parametrize(
    "settings_",
    [
        *({"tokenizer": name} for name in ("bytes", "chars", "unicode", "word_tokenize")),
        {"tokenizer": "whitespace"},
        {"normalize": "NFKC"},
        {"tokenizer": "bytes", "hash": "sha256"},
    ],
)
def test_one_pass_finds_what_a_pass_of_its_own_finds(corpus, settings_):
    documents, texts = (pa.array(one) for one in corpus)
    features = dsir.HashedNgrams(buckets=100, **settings_)
    index = _core.NgramIndex(features.prepared(texts), features.spec, 13)
    expected = index.find(features.prepared(documents), most=100)
    assert expected[0].any()
    table = _core.LogRatioTable(np.zeros((1, 100)))
    prepared = features.prepared(documents)
    watching = _core.Watching(len(prepared), index=index, most=100, bands=True)
    _core.score(prepared, features.spec, table, _core.Weighing(), watching=watching)
    found = (watching.ngrams, watching.text, watching.keys)
    expected += (_core.band_keys(prepared, features.spec),)
    assert [one.tolist() for one in found] == [one.tolist() for one in expected]
