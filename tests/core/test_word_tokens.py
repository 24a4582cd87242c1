"""Words against their definition: ``NLTKWordTokenizer().tokenize(text.lower())``."""

# ruff: noqa: RUF001 - the characters that look like others are the point.

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import nltk
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nltk.tokenize import NLTKWordTokenizer

from dsir import _core

SAME_TABLES = unicodedata.unidata_version == _core.UNICODE_VERSION
DATA = Path(__file__).parents[1] / "data"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "raw"

pytestmark = pytest.mark.skipif(
    not (3, 9, 3) <= tuple(map(int, nltk.__version__.split(".")[:3])) < (3, 10),
    reason=f"nltk {nltk.__version__} has other rules than 3.9.3 and 3.9.4",
)


def code_points() -> list[int]:
    """All but the surrogates; with other tables than the core's, what both have assigned."""
    ranges = json.loads((DATA / "unicode_14_assigned.json").read_text(encoding="utf-8"))["ranges"]
    assigned = [c for first, last in ranges for c in range(first, last + 1)]
    if SAME_TABLES:
        return assigned
    changed = {0x1734}  # Another category from 14.0 on.
    return [c for c in assigned if unicodedata.category(chr(c)) != "Cn" and c not in changed]


COMPARABLE = code_points()

# Whatever a rule speaks of, alone and in company.
TRIGGERS = [
    *"''''\"\"``.,:;-–—―‒*!?()[]{}<>@#$%&/\\_«»“”‘’„\n  aistdmnrelvNTSML12",
    *("''", "``", "--", "...", "'s", "'ll", "'re", "'ve", "'m", "'d", "n't", "N'T", "'S", "'LL"),
    *("d'ye", "D'Ye", "more'n", "'tis", " 'tis", "'twas", "'tıſ", "'twaſ", "cannot", "CanNot"),
    *("gimme", "gımme", "gİmme", "gonna", "gotta", "lemme", "wanna", "wanna ", "can", "not"),
    *(". ", '."', ".'", ".''", '. "', ".)", ".\n", ":\n", "::", ",,\n", "' ", "x'", "'a "),
    *"\t\r\0\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u3000\u200b\ufeff…",
    *"\u0660\u0663²Ⅷ½𝟘éßſıİΣσςΩÅ中あก\u0301\u0307\u0345\u00ad\u200dⅡ𐐀😀\U000e0001\U0010ffff",
]
if not SAME_TABLES:
    known = {chr(c) for c in COMPARABLE}
    TRIGGERS = [one for one in TRIGGERS if set(one) <= known]


def defined_words(text: str) -> list[str]:
    return NLTKWordTokenizer().tokenize(text.lower())


def dense_text(max_size: int = 30) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(TRIGGERS), max_size=max_size).map("".join)


def any_text(max_size: int = 60) -> st.SearchStrategy[str]:
    anything = st.integers(0, len(COMPARABLE) - 1).map(lambda at: chr(COMPARABLE[at]))
    part = st.one_of(st.sampled_from(TRIGGERS), anything)
    return st.lists(part, max_size=max_size).map("".join)


@settings(max_examples=2000)
@given(dense_text())
@example("")
@example("Good muffins cost $3.88\nin New York.  Please buy me\ntwo of them.\nThanks.")
@example(
    "\"We 'can't' go,\" he's said. ''Don't!'' (cannot) [gonna-wanna] d'ye more'n 'tis 'twas 'twas"
)
@example("'tis'tis 'tis'twas 'twas'tis gonna'tis wanna's' x's'm' 'a 'b' can'tn't he'll's")
@example("::a :::1 a,1 a,\u0661 a,² 1:2,3:,4::\n")
@example('a. "')
@example("a.  '' ")
@example("x.')\" »\n\t ")
@example('"""a')
@example("\"''a''\"")
def test_dense_text(text):
    assert _core.word_tokens(text) == defined_words(text)


@settings(max_examples=1000)
@given(any_text())
def test_any_text(text):
    assert _core.word_tokens(text) == defined_words(text)


@settings(max_examples=100)
@given(dense_text(20), st.integers(1, 300))
def test_text_over_several_stretches(text, times):
    assert _core.word_tokens(text * times) == defined_words(text * times)


@pytest.mark.parametrize(
    "context",
    # Beside words and triggers; in as many roles as one text has room for.
    ["a{}b.{}. {}", "'{} x:{}cannot{}'tis 't{}s \"{}\" a'{}' gi{}me {}n't 'tis{} d'ye{} it{}'s"],
)
def test_every_code_point(context):
    characters = [chr(c) for c in COMPARABLE]
    if context.startswith("'"):  # Of ideographs, Hangul and private use a sample.
        characters = [c for c in characters if c < "\u3400" or ord(c) % 11 == 0]
    assert len(characters) > 30_000
    texts = [context.replace("{}", c) for c in characters]
    for start in range(0, len(texts), 5000):
        text = " y\n".join(texts[start : start + 5000])
        if _core.word_tokens(text) != defined_words(text):
            wrong = [one for one in texts if _core.word_tokens(one) != defined_words(one)]
            pytest.fail(f"{len(wrong)} differ, such as {wrong[:5]}")


@pytest.mark.parametrize("ends", ["a.{}", "a:{}", "a's'{}", "{}"])
def test_every_code_point_at_the_end(ends):
    characters = [chr(c) for c in COMPARABLE if c < 0x3100 or c % 97 == 0]
    for character in characters:
        text = ends.replace("{}", character)
        assert _core.word_tokens(text) == defined_words(text), repr(text)


def test_lower_casing():
    assigned = [chr(c) for c in COMPARABLE]
    text = "".join(f"a{c} Σ{c}ΑΣ" for c in assigned)
    assert _core.lowered(text) == text.lower()
    assert _core.lowered("") == ""
    with pytest.raises(ValueError, match="not UTF-8"):
        _core.lowered(b"\xff")


ADVERSARIES = [
    *"aΣé\u0301'\"`.:-*;( \n",
    *("cannot-", "'tis", "d'ye", ".)'", ". ", "' ", "'a ", ".\n", "'.", ":'", "s'", ".'"),
]


@pytest.mark.parametrize("part", ADVERSARIES)
@pytest.mark.timeout(20)  # A quadratic pass takes hours.
def test_a_megabyte_of_one_thing(part):
    tokens = _core.word_tokens("b" + part * (1_000_000 // len(part)))
    # NLTK itself is quadratic on some of these, so it is held against a shorter text.
    short = "b" + part * 600
    expected = defined_words(short)
    assert _core.word_tokens(short) == expected
    if len(expected) > 250:
        assert tokens[:200] == expected[:200]
        assert len(tokens) == pytest.approx(len(expected) * 1_000_000 / (600 * len(part)), rel=0.02)
    else:
        assert len(tokens) == len(expected)


@given(st.binary(max_size=40))
def test_any_bytes(data):
    try:
        text = data.decode()
    except UnicodeDecodeError:
        with pytest.raises(ValueError, match="not UTF-8"):
            _core.word_tokens(data)
    else:
        if SAME_TABLES:
            assert _core.word_tokens(data) == defined_words(text)


def test_golden_vectors():
    vectors = json.loads((DATA / "word_tokenize.json").read_text(encoding="utf-8"))
    assert len(vectors) > 20
    for text, tokens in vectors.items():
        assert _core.word_tokens(text) == tokens


@given(st.lists(dense_text(6), max_size=8), st.sampled_from(["fast", "sha256"]), st.integers(1, 4))
def test_counts_are_those_of_the_named_ngrams(texts, hash_name, n):
    """The streams of the kernels, against the plain function."""
    for tokenizer in ("word_tokenize", "split"):
        spec = _core.FeatureSpec(n=n, buckets=97, hash=hash_name, tokenizer=tokenizer)
        expected = np.zeros(97, dtype=np.int64)
        for text in texts:
            for ngram, bucket in _core.named_ngrams(text, spec):
                expected[bucket] += 1
                if hash_name == "sha256":
                    assert bucket == _core.sha256_bucket(ngram.encode(), 97)
        for threads in (1, 3):
            counts = np.zeros(97, dtype=np.int64)
            _core.count(pa.array(texts, pa.string()), spec, counts, threads=threads)
            np.testing.assert_array_equal(counts, expected)


@given(st.lists(any_text(12), max_size=9), st.sampled_from(["wordpunct", "word_tokenize"]))
def test_split_takes_tokens_as_they_are(texts, tokenizer):
    words = _core.word_tokens if tokenizer == "word_tokenize" else _core.wordpunct_tokens
    joined = pa.array([" ".join(words(text)) for text in texts], pa.string())
    found = []
    for kind, column in ((tokenizer, pa.array(texts, pa.string())), ("split", joined)):
        spec = _core.FeatureSpec(n=2, buckets=101, hash="fast", tokenizer=kind)
        counts = np.zeros(101, dtype=np.int64)
        _core.count(column, spec, counts)
        table = _core.LogRatioTable(np.linspace(-3, 3, 101)[np.newaxis])
        log_weight, tokens, _, _ = _core.score(column, spec, table, _core.Weighing())
        found.append((counts.tolist(), log_weight.tolist(), tokens.tolist()))
    assert found[0] == found[1]


def test_split_goes_by_spaces_alone():
    spec = _core.FeatureSpec(n=1, buckets=10, hash="fast", tokenizer="split")
    named = _core.named_ngrams("  A\tb É\u00a0c  \n ", spec)
    assert [ngram for ngram, _ in named] == ["A\tb", "É\u00a0c", "\n"]


@pytest.mark.parametrize("tokenizer", ["word_tokenize", "split"])
def test_rows_that_are_not_utf8(tokenizer):
    values = [b"one two", b"bad \xff", None, b"\xed\xa0\x80", "é".encode() * 9, b"12345678 \xc3"]
    binary = pa.array(values, pa.binary())
    column = pa.Array.from_buffers(pa.string(), len(values), binary.buffers())
    spec = _core.FeatureSpec(n=2, buckets=10, hash="fast", tokenizer=tokenizer)
    counts = np.zeros(10, dtype=np.int64)
    *numbers, invalid = _core.count(column, spec, counts)
    assert (numbers, invalid.tolist(), counts.sum()) == ([6, 4, 2, 3], [1, 3, 5], 4)
    table = _core.LogRatioTable(np.zeros((1, 10)))
    status = _core.score(column, spec, table, _core.Weighing())[3]
    assert status.tolist() == [0, 2, 1, 2, 0, 2]


def test_tokenizers_have_names():
    with pytest.raises(
        ValueError, match="tokenizer must be 'wordpunct', 'word_tokenize', 'split', "
    ):
        _core.FeatureSpec(n=1, buckets=2, hash="fast", tokenizer="words")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not there")
def test_shared_data():
    """One text in 24; all of them have been compared by hand."""
    compared = 0
    for path in sorted(SHARED.glob("*.parquet")):
        for text in pq.read_table(path, columns=["text"]).column("text").to_pylist()[::24]:
            if text is not None and (SAME_TABLES or text.isascii()):
                assert _core.word_tokens(text) == defined_words(text)
                compared += 1
    assert compared > 1000
