"""Tokens, buckets, counts, lengths and log-weights of any string are those of the reference."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir import _core, compat

NGRAMS = [1, 2, 3]
BUCKETS = [1_000, 9_973, 10_000, 50_000]

# Made by hand: what the rules are hard on.
STRINGS = [
    "",
    "\0",
    "a\0b \0\0 c\0",
    "ΟΔΟΣ ΣΟΣ Σ ΔΣ. ΔΣ' Δ.Σ Σ_ ΣΣ aΣ\u0301b aΣ\u0301 \u0301Σ",
    "İSTANBUL i\u0307 I \u0131 İİ İ\u0307",
    "e\u0301 é \u0301 a\u0301\u0302\u0303 \u0301\u0302 क्षि ก็ 각",
    "😀😀 👨\u200d👩\u200d👧 🇩🇪 𝐀𐐀 𠮷野家 \U0010ffff\U000f0000\U000e0100",
    " \t\r\n\x1c\x1d\x85\xa0\u2028\u3000 ",
    "don't stop... 3.14 a_b __ _ — “q” €5 ²³½ ⅧⅧ",
    "ǅ ŉ ẞ ﬁ ᾳ ῼ K Å Ω",
]
LONG = {
    "letters": "Q" * (1 << 20),
    "sigmas": "Σ" * (1 << 19),
    "dotted": "İ" * (1 << 15),
    "signs": "?!" * (1 << 19),
    "marks": "a" + "\u0301" * (1 << 19),
    "planes": "𠮷" * (1 << 18),
    "nuls": "\0" * (1 << 20),
    "spaces": " " * (1 << 20),
    "between": "before " + "x" * (1 << 20) + " after, " + "é" * (1 << 19) + " end",
}


def table(texts: list[str]) -> pa.Table:
    """Texts as a table: a list of strings could be taken for paths."""
    return pa.table({"text": pa.array(texts, pa.string())})


def reference_object(functions, n, buckets, folder):
    return functions.HashedNgramDSIR([], [], str(folder), ngrams=n, num_buckets=buckets)


def check(functions, text: str, n: int, buckets: int) -> None:
    """Tokens, n-grams, buckets and counts."""
    features = dsir.HashedNgrams(n=n, buckets=buckets, hash="sha256")
    tokens = functions.wpt.tokenize(text.lower())
    assert features.tokens(text) == tokens
    ngrams = tokens + [
        " ".join(ngram) for i in range(2, n + 1) for ngram in functions.get_ngrams(tokens, i)
    ]
    expected = [(ngram, functions.hash_buckets(ngram, buckets)) for ngram in ngrams]
    assert sorted(features.ngrams(text)) == sorted(expected)
    counts = functions.get_ngram_counts(text, n=n, num_buckets=buckets)
    np.testing.assert_array_equal(features.counts(table([text])), counts)
    np.testing.assert_array_equal(compat.get_ngram_counts(text, n, buckets), counts)


@settings(max_examples=300)
@given(data=st.data(), n=st.sampled_from(NGRAMS), buckets=st.sampled_from(BUCKETS))
def test_tokens_buckets_and_counts(functions, any_string, data, n, buckets):
    check(functions, data.draw(any_string), n, buckets)


@pytest.mark.parametrize("text", STRINGS)
def test_what_the_rules_are_hard_on(functions, unicode_difference, text):
    assert not {ord(c) for c in text} & unicode_difference
    for n in NGRAMS:
        check(functions, text, n, 10_000)


@pytest.mark.parametrize("name", LONG)
def test_tokens_of_a_megabyte(functions, name):
    check(functions, LONG[name], 2, 10_000)


@settings(max_examples=100)
@given(data=st.data(), n=st.sampled_from(NGRAMS), buckets=st.sampled_from(BUCKETS))
def test_log_weights_and_lengths(functions, any_string, tmp_path_factory, data, n, buckets):
    texts = data.draw(st.lists(any_string, min_size=1, max_size=6))
    theirs = reference_object(functions, n, buckets, tmp_path_factory.getbasetemp())
    # Any log ratios will do: here every bucket has one of its own.
    theirs.log_diff = np.random.default_rng(buckets + n).normal(0, 3, buckets)
    spec = _core.FeatureSpec(n=n, buckets=buckets, hash="sha256")
    log_weight, tokens, _, status = _core.score(
        table(texts)["text"].combine_chunks(),
        spec,
        _core.LogRatioTable(theirs.log_diff[np.newaxis]),
        _core.Weighing(),
    )
    assert not status.any()
    for text, weight, length in zip(texts, log_weight[0], tokens, strict=True):
        features = theirs.featurizer(text)
        # 1e-9 of what is summed: a sum of terms that cancel has no digits of its own.
        size = float(features @ np.abs(theirs.log_diff))
        assert weight == pytest.approx(
            theirs.importance_estimator(features), rel=1e-9, abs=1e-9 * size
        )
        assert length == len(functions.wpt.tokenize(text.lower()))
        if length >= n - 1:
            assert length == theirs.get_perexample_metadata({}, features)


@given(
    before=st.text(st.characters(exclude_categories=("Cs",)), max_size=10),
    surrogate=st.integers(0xD800, 0xDFFF).map(chr),
    after=st.text(st.characters(exclude_categories=("Cs",)), max_size=10),
)
def test_lone_surrogates_are_refused(functions, before, surrogate, after):
    text = before + surrogate + after
    features = dsir.HashedNgrams(hash="sha256")
    message = f"lone surrogate at position {len(before)}"
    for call in (features.tokens, features.ngrams, compat.get_ngram_counts):
        with pytest.raises(dsir.RowError, match=message):
            call(text)
    with pytest.raises(dsir.SettingError, match="element 1 holds half a surrogate pair"):
        features.counts(["a text", text])
    # The reference, when it comes to hashing.
    with pytest.raises(UnicodeEncodeError, match="surrogates not allowed"):
        functions.get_ngram_counts(text)
