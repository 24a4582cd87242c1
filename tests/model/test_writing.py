"""Scripts and normal forms are seen in texts, and the advice is for the features that need it."""

import unicodedata

import pytest

from dsir import HashedNgrams
from dsir.model.writing import Writing, advise_on_form, advise_on_scripts

FRENCH = "règle école procès jugé évidence été où déjà"
TEXTS = {
    "Latin": ("the court heard the judge", set()),
    "Han": ("法院审理了这个案件并作出判决", {"wordpunct", "word_tokenize", "whitespace"}),
    "Hiragana": ("さいばんしょはきょう判決をだした", {"wordpunct", "word_tokenize", "whitespace"}),
    "Thai": ("ศาลพิจารณาคดีและตัดสิน", {"wordpunct", "word_tokenize", "whitespace"}),
    "Hangul": ("법원은 사건을 심리하고 판결을 내렸다", set()),
    "Cyrillic": ("суд рассмотрел дело", set()),
    "Devanagari": ("न्यायालय ने मामले की सुनवाई की", {"wordpunct"}),
    "Arabic": ("المحكمة تنظر في القضية", set()),
}
TOKENIZERS = ("wordpunct", "word_tokenize", "whitespace", "unicode", "chars", "bytes")


@pytest.mark.parametrize("script", TEXTS)
def test_a_script_is_named_and_advised_on(script):
    text, unfit = TEXTS[script]
    writing = Writing.of([text])
    assert next(iter(writing.shares)) == script
    assert sum(writing.shares.values()) == pytest.approx(1)
    for tokenizer in TOKENIZERS:
        advice = advise_on_scripts("raw", writing, HashedNgrams(tokenizer=tokenizer))
        assert bool(advice) == (tokenizer in unfit), (tokenizer, advice)
        assert all("tokenizer='unicode'" in line and script in line for line in advice)


def test_a_few_foreign_words_are_no_reason_for_advice():
    writing = Writing.of(["the court of 東京 heard the judge on this matter again and again"])
    assert advise_on_scripts("raw", writing, HashedNgrams()) == []
    assert set(writing.shares) == {"Latin", "Han"}


def test_no_letters_and_no_texts():
    for texts in ([], ["", "12 + 3 = 15"]):
        writing = Writing.of(texts)
        assert writing.shares == {}
        assert writing.decomposed_share is None
        assert advise_on_scripts("raw", writing, HashedNgrams()) == []


@pytest.mark.parametrize("text", [FRENCH, "법원은 사건을", "Tiếng Việt"])
def test_the_normal_form_of_texts(text):
    one, other = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert Writing.of([one, "plain"]).decomposed_share == 0
    assert Writing.of([other, "plain"]).decomposed_share == 1
    assert Writing.of([one, other, "plain"]).decomposed_share == 0.5


def test_letters_that_composition_leaves_apart_say_nothing():
    """The letter U+0958 is two characters in NFC as well."""
    assert Writing.of(["\u0958"]).decomposed_share in (None, 0)


def test_forms_that_differ_are_told_where_they_matter():
    composed, decomposed = (
        Writing.of([unicodedata.normalize(form, FRENCH)] * 9) for form in ("NFC", "NFD")
    )
    plain = Writing.of(["the court"])
    told = advise_on_form(composed, "target", decomposed, HashedNgrams())
    assert told is not None
    assert "target: 100 % " in told
    assert "normalize='NFC'" in told
    assert advise_on_form(decomposed, "target", composed, HashedNgrams()) is not None
    assert advise_on_form(decomposed, "target", decomposed, HashedNgrams()) is None
    assert advise_on_form(composed, "target", plain, HashedNgrams()) is None
    assert advise_on_form(composed, "t", decomposed, HashedNgrams(normalize="NFC")) is None
