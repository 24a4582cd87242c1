"""get_ngram_counts, hash_buckets, the tokenisers and the methods for one text."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir import compat

# What the running Python and the core have in common: all but what either does not know yet.
SAME_TABLES = unicodedata.unidata_version == "14.0.0"
TEXT = st.text(
    st.characters(
        exclude_categories=("Cs", "Cn"), max_codepoint=0x10FFFF if SAME_TABLES else 0x2FF
    ),
    max_size=80,
)
TEXTS = st.lists(TEXT, min_size=1, max_size=9)


@pytest.fixture(scope="module")
def functions(reference):
    """The reference's module of functions."""
    from data_selection import hashed_ngram_dsir

    return hashed_ngram_dsir


@settings(max_examples=150)
@given(text=TEXT, n=st.integers(0, 10), buckets=st.sampled_from([1, 2, 999, 10_000]))
def test_ngram_counts(functions, text, n, buckets):
    expected = functions.get_ngram_counts(text, n=n, num_buckets=buckets)
    found = compat.get_ngram_counts(text, n, buckets)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_more_buckets_than_the_core_has(functions):
    buckets = (1 << 24) + 3
    found = compat.get_ngram_counts("Alice went", 2, buckets)
    expected = {functions.hash_buckets(word, buckets) for word in ("alice", "went", "alice went")}
    assert set(np.flatnonzero(found).tolist()) == expected


@given(texts=TEXTS)
def test_counts_are_added_in_place(functions, texts):
    found = np.zeros(50, dtype=int)
    expected = np.zeros(50, dtype=int)
    for text in texts:
        assert compat.get_ngram_counts(text, num_buckets=40, counts=found) is found
        functions.get_ngram_counts(text, num_buckets=40, counts=expected)
    np.testing.assert_array_equal(found, expected)


@given(texts=TEXTS)
def test_other_tokenizers(functions, texts):
    for text in texts:
        found = compat.get_ngram_counts(text, 3, 100, tokenizer=str.split)
        expected = functions.get_ngram_counts(text, 3, 100, tokenizer=str.split)
        np.testing.assert_array_equal(found, expected)


@given(text=TEXT, buckets=st.sampled_from([1, 3, 10_000, 10**12]))
def test_buckets(functions, text, buckets):
    assert compat.hash_buckets(text, buckets) == functions.hash_buckets(text, buckets)


def test_known_buckets():
    assert compat.hash_buckets("alice") == 6720
    assert compat.hash_buckets("alice went") == 114


@given(text=TEXT)
def test_the_tokenizer_keeps_the_case(functions, tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp()
    ours = compat.HashedNgramDSIR([], [], folder)
    theirs = functions.HashedNgramDSIR([], [], str(folder))
    assert ours.tokenizer(text) == theirs.tokenizer(text)


@settings(max_examples=50)
@given(text=TEXT, n=st.integers(1, 4))
def test_features_weights_and_lengths_of_one_text(functions, tmp_path_factory, text, n):
    folder = tmp_path_factory.getbasetemp()
    ours = compat.HashedNgramDSIR([], [], folder, ngrams=n, num_buckets=100)
    theirs = functions.HashedNgramDSIR([], [], str(folder), ngrams=n, num_buckets=100)
    ours.log_diff = theirs.log_diff = np.linspace(-1, 1, 100)
    features = ours.featurizer(text)
    np.testing.assert_array_equal(features, theirs.featurizer(text))
    assert ours.importance_estimator(features) == theirs.importance_estimator(features)
    length = ours.get_perexample_metadata({}, features)
    assert length == theirs.get_perexample_metadata({}, features)
    assert ours.perexample_metadata_filter(np.array([99.0, 100.0])).tolist() == [False, True]


def test_surrogates_are_refused():
    for call in (compat.hash_buckets, compat.get_ngram_counts):
        with pytest.raises(dsir.RowError, match="lone surrogate at position 1"):
            call("a\ud800")


def test_what_is_no_text_is_refused():
    with pytest.raises(dsir.SettingError, match="expected a str, found int"):
        compat.get_ngram_counts(7)
    with pytest.raises(dsir.SettingError, match="counts: has 5 entries for 6 buckets"):
        compat.get_ngram_counts("a", 2, 6, np.zeros(5, dtype=int))
