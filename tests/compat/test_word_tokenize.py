"""tokenizer="word_tokenize": the reference's tokens with Punkt's data, and a warning without."""

from __future__ import annotations

import nltk
import numpy as np
import pytest

import dsir
from dsir import compat
from dsir.compat import counting, ngram_counts
from dsir.model import sentences

ARGUMENTS = {
    "tokenizer": "word_tokenize",
    "num_proc": 3,
    "num_buckets": 500,
    "min_example_length": 10,
}
TEXT = "Mr. Smith can't go. 'Tis late, it's 3.30 p.m. already! İstanbul. Ends."


@pytest.fixture
def in_core(monkeypatch):
    """Counting in Python is an error."""

    def refuse(*_):
        raise AssertionError("counted in Python")

    monkeypatch.setattr(counting, "_count_in_python", refuse)
    monkeypatch.setattr(ngram_counts, "add_ngrams", refuse)


@pytest.mark.parametrize("separate", [False, True])
def test_with_the_data(corpus, pair, punkt, in_core, separate):
    both = pair(corpus[0], corpus[1], separate_targets=separate, **ARGUMENTS)
    both.fit_and_weigh(5000)
    both.check_fit()
    both.check_weights()
    expected, found = both.resample(5, top_k=True)
    assert found == expected
    assert both.ours.tokenizer(TEXT) == both.reference.tokenizer(TEXT) == nltk.word_tokenize(TEXT)


def test_without_the_data(corpus, pair_in, reference, no_punkt, in_core, tmp_path, monkeypatch):
    """As the reference with preserve_line=True."""
    from data_selection import hashed_ngram_dsir

    def unsplit(text):
        return nltk.word_tokenize(text, preserve_line=True)

    monkeypatch.setattr(hashed_ngram_dsir, "word_tokenize", unsplit)
    with pytest.warns(dsir.DsirWarning, match=r"sentences are not split.*punkt_tab") as caught:
        both = pair_in(tmp_path, corpus[0], corpus[1], **ARGUMENTS)
    assert len(caught) == 1
    both.fit_and_weigh(5000)
    both.check_fit()
    both.check_weights()
    expected, found = both.resample(5, top_k=True)
    assert found == expected
    assert both.ours.tokenizer(TEXT) == unsplit(TEXT)


def test_without_nltk(no_punkt, tmp_path, monkeypatch):
    for module in ("nltk", "nltk.tokenize", "nltk.tokenize.punkt"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.warns(dsir.DsirWarning, match="sentences are not split"):
        ours = compat.HashedNgramDSIR([], [], tmp_path, **ARGUMENTS)
    assert ours.featurizer("One two. Three.").sum() == 7
    assert ours.tokenizer("One two. Three.") == ["one", "two.", "three", "."]


def test_function(reference, punkt, in_core):
    from data_selection import hashed_ngram_dsir as theirs

    for tokenizer in (nltk.word_tokenize, ngram_counts.tokenizer_named("word_tokenize")):
        for text in (TEXT, "", "One. Two. Three"):
            found = compat.get_ngram_counts(text, 3, 700, tokenizer=tokenizer)
            expected = theirs.get_ngram_counts(text, 3, 700, tokenizer=nltk.word_tokenize)
            np.testing.assert_array_equal(found, expected)


def test_many_ngrams_are_counted_in_python(reference, punkt, tmp_path):
    from data_selection import hashed_ngram_dsir as theirs

    ours = compat.HashedNgramDSIR([], [], tmp_path, ngrams=9, **ARGUMENTS)
    expected = theirs.get_ngram_counts(TEXT, 9, 500, tokenizer=nltk.word_tokenize)
    np.testing.assert_array_equal(ours.featurizer(TEXT), expected)


@pytest.mark.parametrize("data", ["punkt", "no_punkt"])
def test_save_and_load(request, tmp_path, data, recwarn):
    request.getfixturevalue(data)
    saved = compat.HashedNgramDSIR([], [], tmp_path, **ARGUMENTS)
    saved.save(tmp_path / "state.dsir")
    loaded = compat.HashedNgramDSIR([], [], tmp_path)
    loaded.load(tmp_path / "state.dsir")
    assert loaded.tokenizer is saved.tokenizer
    np.testing.assert_array_equal(loaded.featurizer(TEXT), saved.featurizer(TEXT))
    assert len(recwarn) == (1 if data == "no_punkt" else 0)


def test_a_state_that_needs_the_data(punkt, tmp_path):
    compat.HashedNgramDSIR([], [], tmp_path, **ARGUMENTS).save(tmp_path / "state.dsir")
    nltk.data.path.clear()
    sentences.punkt.cache_clear()
    loaded = compat.HashedNgramDSIR([], [], tmp_path)
    loaded.load(tmp_path / "state.dsir")
    for use in (loaded.featurizer, loaded.tokenizer):
        with pytest.raises(dsir.SettingError, match=r"Punkt\) is not installed"):
            use(TEXT)


def test_from_the_reference(reference, punkt, tmp_path):
    theirs = reference.HashedNgramDSIR([], [], str(tmp_path / "cache"), tokenizer="word_tokenize")
    ours = compat.HashedNgramDSIR.from_reference(theirs)
    ours.save(tmp_path / "state.dsir")
    np.testing.assert_array_equal(ours.featurizer(TEXT), theirs.featurizer(TEXT))
