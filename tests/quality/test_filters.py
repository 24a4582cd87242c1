"""Quality filters: the paper's thresholds, each reason, words for them, and what is refused."""

from __future__ import annotations

import json
import math
import pickle
from collections import Counter
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsir import _core
from dsir.errors import SettingError
from dsir.model.quality import REASONS, QualityFilters, as_filters
from dsir.model.stopwords import STOP_WORDS, STOP_WORDS_VERSION


def reason(filters: QualityFilters, text: str | None) -> str | None:
    (code,) = filters.apply(pa.array([text], pa.string())).tolist()
    return filters.reasons[code - 1] if code else None


def shares(text: str) -> dict[str, Fraction]:
    """The paper's measures of a text, exactly."""
    tokens = _core.wordpunct_tokens(text)
    stop = set(STOP_WORDS)

    def share(fits: object) -> Fraction:
        return Fraction(sum(map(fits, tokens)), len(tokens))

    return {
        "words": Fraction(len(tokens)),
        "repeated": Fraction(max(Counter(tokens).values()), len(tokens)),
        "informative": share(lambda t: any(map(str.isalnum, t)) and t not in stop),
        "numeric": share(lambda t: t.isascii() and t.isdigit()),
    }


def passes_in_the_paper(text: str) -> bool:
    """`get_quality_mask` of the paper's code, on exact shares."""
    found = shares(text)
    return (
        40 < found["words"] < 500
        and Fraction("0.02") < found["repeated"] < Fraction("0.2")
        and Fraction("0.3") < found["informative"] < Fraction("0.7")
        and 1 - found["numeric"] > Fraction("0.8")
    )


@settings(max_examples=300)
@given(
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 40),
    st.integers(1, 12),
)
def test_the_paper(content, stop, numbers, repeated, step):
    words = [f"w{at}" for at in range(content)]
    words += [STOP_WORDS[at * step % len(STOP_WORDS)] for at in range(stop)]
    words += [str(at) for at in range(numbers)] + ["again"] * repeated
    text = " ".join(words)
    if words:
        assert (reason(QualityFilters.paper(), text) is None) == passes_in_the_paper(text)


@pytest.mark.parametrize(
    ("first", "unique", "stop", "numbers", "expected"),
    [
        # (times of one word, other words, stop words, numbers): at and just inside a limit.
        (1, 19, 20, 0, "min_words"),
        (1, 20, 20, 0, None),
        (20, 230, 249, 0, None),
        (20, 231, 249, 0, "max_words"),
        (1, 24, 25, 0, "min_repeated"),
        (1, 24, 24, 0, None),
        (10, 12, 28, 0, "max_repeated"),
        (9, 12, 28, 0, None),
        (3, 12, 35, 0, "min_informative"),
        (3, 13, 34, 0, None),
        (3, 32, 15, 0, "max_informative"),
        (3, 31, 16, 0, None),
        (3, 13, 24, 10, "max_numeric"),
        (3, 13, 25, 9, None),
    ],
)
def test_the_limits_of_the_paper(first, unique, stop, numbers, expected):
    words = ["alice"] * first + [f"w{at}" for at in range(unique)]
    words += [word for word in STOP_WORDS if word.isalpha()][:stop]
    words += [str(1000 + at) for at in range(numbers)]
    assert len(words) == first + unique + stop + numbers
    text = " ".join(words)
    assert (expected is None) == passes_in_the_paper(text)
    assert reason(QualityFilters.paper(), text) == expected


@pytest.mark.parametrize(
    ("name", "value", "fails", "passes"),
    [
        ("min_words", 3, "a b", "a b c"),
        ("max_words", 2, "a b c", "a b"),
        ("min_repeated", 0.5, "a b c", "a b"),
        ("max_repeated", 0.5, "a a b", "a b"),
        ("min_informative", 0.5, "the ship of", "the ship"),
        ("max_informative", 0.5, "the ship sails", "the ship"),
        ("max_numeric", 0.5, "1 a 2", "1 a"),
        ("min_alphanumeric", 0.5, "a b ...", "a ."),
        ("max_repeated_ngrams", 0.5, "a b c d e " * 3, "a b c d e " * 2),
    ],
)
def test_each_reason(name, value, fails, passes):
    filters = QualityFilters(**{name: value})
    assert filters.active == (name,)
    assert reason(filters, fails) == name
    assert reason(filters, passes) is None
    assert all(reason(QualityFilters(), text) is None for text in (fails, passes))


def test_the_first_reason_counts():
    assert QualityFilters().reasons == REASONS
    assert REASONS == (
        "min_words",
        "max_words",
        "min_repeated",
        "max_repeated",
        "min_informative",
        "max_informative",
        "max_numeric",
        "min_alphanumeric",
        "max_repeated_ngrams",
        "min_probability",
    )
    filters = QualityFilters(min_words=3, max_numeric=0.1, min_alphanumeric=0.9)
    assert [reason(filters, text) for text in ("1 !!", "1 2 !!!!!!", "a b !!!!!!", "a b c")] == [
        "min_words",
        "max_numeric",
        "min_alphanumeric",
        None,
    ]


def test_rows_without_tokens_pass():
    data = [None, b"", b" \n", b"\xff a", b"a"]
    text = pa.array(data, pa.binary()).view(pa.string())
    for threads in (1, 3):
        codes = QualityFilters(min_words=2).apply(text, threads=threads)
        assert codes.dtype == np.uint8
        assert codes.tolist() == [0, 0, 0, 0, 1]
    assert QualityFilters().apply(text).tolist() == [0] * 5
    assert QualityFilters(min_words=2).apply(text[:0]).tolist() == []
    with pytest.raises(ValueError, match="tokenizer"):
        QualityFilters(min_words=2).apply(text, tokenizer="words")


@given(
    st.lists(st.none() | st.text(alphabet="ab1. \n", max_size=40), max_size=20),
    st.sampled_from([pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]),
)
def test_threads_and_layouts_make_no_difference(texts, kind):
    filters = QualityFilters.parse("min_words=2,max_repeated=0.6,min_informative=0.2")
    expected = filters.apply(pa.array(texts, pa.string())).tolist()
    assert filters.apply(pa.array(texts, pa.string()).cast(kind), threads=3).tolist() == expected


def test_words_for_filters():
    paper = QualityFilters.paper()
    assert QualityFilters.parse("paper") == paper
    assert QualityFilters.parse("min_words=40, max_numeric = 0.2") == QualityFilters(
        min_words=40, max_numeric=0.2
    )
    changed = QualityFilters.parse("paper,max_words=1000,min_repeated=none,max_repeated=off")
    assert (changed.min_words, changed.max_words) == (41, 1000)
    assert (changed.min_repeated, changed.max_repeated) == (None, None)
    assert changed.max_numeric == paper.max_numeric == math.nextafter(0.2, 0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "is not a filter"),
        ("papers", "is not a filter"),
        ("min_words=1,paper", "'paper' is not a filter"),
        ("paper,", "is not a filter"),
        ("longest=3", "'longest=3' is not a filter"),
        ("min_words", "'min_words' is not a filter"),
        ("min_words=1,min_words=2", "given twice"),
        ("min_words=1.5", "a whole number"),
        ("min_words=", "a whole number"),
        ("max_numeric=much", "a number"),
        ("max_numeric=nan", "from 0 to 1"),
        ("max_numeric=20", "from 0 to 1"),
        ("max_numeric=-0.1", "from 0 to 1"),
        ("min_words=-1", "whole number"),
        ("min_words=5,max_words=4", "min_words=5 is above max_words=4"),
        ("paper,max_words=3", "nothing can pass"),
        ("min_informative=0.5,max_informative=0.4", "nothing can pass"),
    ],
)
def test_words_that_are_refused(words, message):
    with pytest.raises(SettingError, match=message):
        QualityFilters.parse(words)


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_words": 1.5},
        {"min_words": True},
        {"max_words": "many"},
        {"max_numeric": True},
        {"max_numeric": "some"},
        {"min_repeated": float("nan")},
        {"min_repeated": 1.1},
    ],
)
def test_thresholds_that_are_refused(wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        QualityFilters(**wrong)


def test_filters_are_plain_values():
    filters = QualityFilters(min_words=np.int64(3), max_numeric=np.float32(0.5), max_repeated=1)
    assert filters == QualityFilters(min_words=3, max_numeric=0.5, max_repeated=1.0)
    assert type(filters.min_words) is int
    assert [type(filters.max_numeric), type(filters.max_repeated)] == [float, float]
    assert filters.describe() == {"min_words": 3, "max_repeated": 1.0, "max_numeric": 0.5}
    assert QualityFilters().describe() == {}
    described = QualityFilters.paper().describe()
    assert described["stop_words_version"] == STOP_WORDS_VERSION
    assert json.loads(json.dumps(described)) == described
    assert pickle.loads(pickle.dumps(filters)) == filters


def test_the_ways_to_give_filters():
    paper = QualityFilters.paper()
    assert as_filters("paper") == as_filters(paper) == paper
    assert as_filters({"min_words": 3}) == QualityFilters(min_words=3)
    assert as_filters(None) is None
    assert as_filters(QualityFilters()) is None
    for wrong in (3, ["paper"], {"words": 3}):
        with pytest.raises(SettingError, match="filters"):
            as_filters(wrong)


def test_stop_words():
    assert list(STOP_WORDS) == sorted(set(STOP_WORDS))
    assert all(word == word.lower() and word.isascii() for word in STOP_WORDS)
    for text in ("I don't think that we've been there, have we?", "The isn't of it"):
        informative = QualityFilters(max_informative=0.1)
        tokens = _core.wordpunct_tokens(text)
        rest = {token for token in tokens if token.isalnum()} - set(STOP_WORDS)
        assert rest <= {"think"}
        assert (reason(informative, text) is None) == (not rest or 1 / len(tokens) <= 0.1)
    # A change of the list is a change of the version.
    assert (STOP_WORDS_VERSION, len(STOP_WORDS)) == (1, 291)
