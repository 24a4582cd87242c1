"""SHA-256 buckets and counts against hashlib and the reference's own functions."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pyarrow as pa
import pytest
from data_selection.hashed_ngram_dsir import get_ngram_counts, hash_buckets
from hypothesis import given
from hypothesis import strategies as st

from dsir import _core

BUCKETS = st.one_of(
    st.integers(2, 1 << 24), st.sampled_from([2, 3, 256, 10_000, 65_536, (1 << 24) - 1, 1 << 24])
)


def defined_tokens(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]+", text)


@pytest.mark.parametrize(("ngram", "bucket"), [("alice", 6720), ("alice went", 114)])
def test_the_references_facts(ngram, bucket):
    assert _core.sha256_bucket(ngram.encode(), 10_000) == bucket
    assert hash_buckets(ngram) == bucket


@given(st.text(max_size=100), BUCKETS)
def test_buckets(text, buckets):
    expected = int(hashlib.sha256(text.encode()).hexdigest(), 16) % buckets
    assert _core.sha256_bucket(text.encode(), buckets) == expected
    assert hash_buckets(text, buckets) == expected


@pytest.mark.parametrize("length", [0, 1, 31, 32, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 5000])
def test_lengths_around_the_padding(length):
    data = bytes(i * 7 % 256 for i in range(length))
    expected = int.from_bytes(hashlib.sha256(data).digest(), "big") % 9973
    assert _core.sha256_bucket(data, 9973) == expected


def test_bucket_limits():
    for buckets in (0, 1, (1 << 24) + 1):
        with pytest.raises(ValueError, match="buckets must be 2 to 2"):
            _core.sha256_bucket(b"a", buckets)


# Characters that every version of Unicode in use treats alike.
WORDS = st.sampled_from(
    [
        *[
            "alice",
            "Went",
            "THE",
            "a",
            "ΟΔΟΣ",
            "straße",
            "naïve",
            "été",
            "中文",
            "x_1",
            "2024",
            "٣",
        ],
        *["!", "...", "--", "\u2019", "(", "😀", "e\u0301", "İ"],
        *["antidisestablishmentarianism", "y" * 30, "z" * 200],
    ]
)
TEXTS = st.lists(
    st.tuples(WORDS, st.sampled_from(["", " ", " ", "\n", "\u3000"])), max_size=40
).map(lambda pieces: "".join(word + space for word, space in pieces))


def counts_of(texts: list[str], n: int, buckets: int) -> np.ndarray:
    counts = np.zeros(buckets, dtype=np.int64)
    spec = _core.FeatureSpec(n=n, buckets=buckets, hash="sha256")
    _core.count(pa.array(texts, pa.string()), spec, counts)
    return counts


@pytest.mark.parametrize("n", [1, 2, 3])
@given(st.lists(TEXTS, max_size=4), st.sampled_from([2, 100, 10_000]))
def test_counts_equal_the_references(n, texts, buckets):
    expected = np.zeros(buckets, dtype=np.int64)
    for text in texts:
        # With the tokeniser as it is defined: nltk 3.10 and later define it otherwise.
        get_ngram_counts(text, n, buckets, counts=expected, tokenizer=defined_tokens)
    np.testing.assert_array_equal(counts_of(texts, n, buckets), expected)


# Without U+001C to U+001F, which are spaces to `re` and punctuation to nltk 3.10 and later.
ASCII = st.sampled_from([*map(chr, range(32, 128)), *"\0\t\n\v\f\r"])


@pytest.mark.parametrize("n", [1, 2, 3])
@given(st.text(ASCII, max_size=200))
def test_counts_equal_the_references_defaults_on_ascii(n, text):
    np.testing.assert_array_equal(counts_of([text], n, 10_000), get_ngram_counts(text, n))


@given(TEXTS, st.integers(1, 8), BUCKETS)
def test_named_ngrams(text, n, buckets):
    tokens = defined_tokens(text.lower())
    ngrams = [
        " ".join(tokens[end - i : end])
        for end in range(1, len(tokens) + 1)
        for i in range(1, min(n, end) + 1)
    ]
    spec = _core.FeatureSpec(n=n, buckets=buckets, hash="sha256")
    assert _core.named_ngrams(text, spec) == [(g, hash_buckets(g, buckets)) for g in ngrams]


def test_named_ngrams_of_bad_bytes():
    spec = _core.FeatureSpec(n=2, buckets=100, hash="sha256")
    with pytest.raises(ValueError, match="not UTF-8"):
        _core.named_ngrams(b"a \xff", spec)
