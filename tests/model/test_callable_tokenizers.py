"""Python functions as tokenizers, and tokens as they are written."""

from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir.model import callable_tokenizer

WORDS = re.compile(r"\w+|[^\w\s]+")


def words(text):
    return WORDS.findall(text)


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dsir.DsirWarning)
        yield


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=80).filter(lambda text: text.isascii() or "\u0130" not in text))
def test_tokens_as_they_are_written_are_those_of_the_regular_expression(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    if any(ord(c) > 0x2000 or not c.isprintable() for c in text if not c.isspace()):
        return  # Python's Unicode is newer than the tables.
    assert dsir.HashedNgrams(lower=False).tokens(text) == words(text)


def test_a_function_and_the_core_make_the_same_features():
    texts = ["Ships sail: 3.5 knots!", "", "\u00c9t\u00e9 TWO  words", "x" * 3000]
    for lower in (True, False):
        own = dsir.HashedNgrams(tokenizer=words, lower=lower)
        core = dsir.HashedNgrams(lower=lower)
        assert (own.counts(dsir.texts(texts)) == core.counts(dsir.texts(texts))).all()
        assert [own.tokens(text) for text in texts] == [core.tokens(text) for text in texts]


def test_a_slow_tokenizer_is_said_once(monkeypatch):
    monkeypatch.setattr(callable_tokenizer, "_said", set())

    def cut(text):
        return text.split()

    with pytest.warns(dsir.DsirWarning, match=r"dsir\.kernel"):
        dsir.HashedNgrams(tokenizer=cut)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dsir.HashedNgrams(tokenizer=cut)


@pytest.mark.parametrize("tokens", [["a b"], [""], [5], [None]])
def test_what_a_function_returns_is_checked(tokens):
    with pytest.raises(dsir.KernelError, match=r"^texts: row 0: .* returned the token"):
        dsir.HashedNgrams(tokenizer=lambda _: tokens).counts(["text"])


def _raises(text):
    raise LookupError("no such\nword")


def _breaks_off(text):
    yield text
    raise LookupError


@pytest.mark.parametrize(
    ("function", "error", "says"),
    [
        (_raises, dsir.KernelError, "raised LookupError: no such word, for the text 'some text'"),
        (_breaks_off, dsir.KernelError, "raised LookupError, for the text"),
        (lambda _: None, dsir.KernelError, "raised TypeError: 'NoneType' object is not iterable"),
        (lambda _, __: [], dsir.KernelError, "raised TypeError: .*positional argument"),
        (lambda _: ["\ud800"], dsir.KernelError, "half a surrogate pair"),
    ],
)
@pytest.mark.parametrize("lower", [True, False])
def test_what_a_function_raises_is_an_error_of_dsir(function, error, says, lower):
    features = dsir.HashedNgrams(tokenizer=function, lower=lower)
    name = re.escape(function.__qualname__)
    with pytest.raises(
        error, match=rf"^texts: row 0: tokenizer={name} \(.*\.py:\d+\): .*{says}"
    ) as found:
        features.counts(dsir.texts(["some text"]))
    assert "\n" not in str(found.value)
    assert found.value.__cause__ is not None


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_passes_through_a_function(stop):
    def stopping(text):
        raise stop

    with pytest.raises(stop):
        dsir.HashedNgrams(tokenizer=stopping).counts(dsir.texts(["some text"]))


def test_texts_that_are_not_utf8_stay_bad(tmp_path):
    import pyarrow as pa

    texts = pa.array([b"good one", b"bad \xff", None], pa.binary()).view(pa.string())
    table = pa.table({"text": texts})
    features = dsir.HashedNgrams(tokenizer=words)
    with pytest.raises(dsir.RowError, match="not UTF-8"):
        dsir.select(table, dsir.texts(["good one"] * 9), n=1, min_tokens=1, features=features)
    chosen = dsir.select(
        table,
        dsir.texts(["good one"] * 9),
        n=1,
        min_tokens=1,
        features=features,
        on_error="skip",
    )
    assert chosen.rows.tolist() == [0]


def test_the_case_of_tokens_is_part_of_the_features():
    assert dsir.HashedNgrams(lower=False).fingerprint != dsir.HashedNgrams().fingerprint
    assert "lower" not in dsir.HashedNgrams().describe()
    assert dsir.HashedNgrams.from_json(dsir.HashedNgrams(lower=False).describe()) == (
        dsir.HashedNgrams(lower=False)
    )
    with pytest.raises(dsir.SettingError, match="word_tokenize"):
        dsir.HashedNgrams(tokenizer="word_tokenize", lower=False)


@pytest.mark.parametrize("wrong", ["words", 5, None, ["a"], b"wordpunct"])
def test_what_is_no_tokenizer(wrong):
    with pytest.raises(dsir.SettingError, match="tokenizer="):
        dsir.HashedNgrams(tokenizer=wrong)
