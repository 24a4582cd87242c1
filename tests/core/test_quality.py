"""The numbers that quality filters go by, against counting in Python."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsir import _core
from dsir.model.stopwords import STOP_WORDS

SHARED = Path(__file__).parents[3] / "shared" / "data"
WORDS = ["the", "The", "of", "queen", "1984", "7", "_", "a_b", "...", "3.14", "\u0661", "²", "中文"]
WORDS += ["Éte", "don't", "😀", "x1", "1x", "ΟΔΟΣ", "\u0300", "1,000", "İ"]
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=60).flatmap(
    lambda words: st.sampled_from([" ", "", "\n"]).map(lambda between: between.join(words))
)


def measured_plainly(text: str | None) -> list[int]:
    tokens = _core.wordpunct_tokens(text or "")
    grams = [tuple(tokens[at : at + 5]) for at in range(len(tokens) - 4)]
    within: set[int] = set()
    for at, gram in enumerate(grams):
        if gram in grams[:at]:
            within.update(range(at, at + 5))
    characters = "".join(tokens)
    return [
        len(tokens),
        max(Counter(tokens).values(), default=0),
        sum(any(map(str.isalnum, token)) and token not in STOP_WORDS for token in tokens),
        sum(re.fullmatch(r"[0-9]+([.,][0-9]+)*", token) is not None for token in tokens),
        len(characters),
        sum(map(str.isalnum, characters)),
        len(within),
        int(text is None),
    ]


def measured(array: pa.Array, threads: int = 1, *, repeated: bool = True) -> list[list[int]]:
    columns = _core.quality(array, _core.StopWords(STOP_WORDS), repeated=repeated, threads=threads)
    return np.stack([column.astype(np.int64) for column in columns], axis=1).tolist()


@settings(max_examples=300)
@given(st.lists(st.none() | TEXTS, max_size=5), st.integers(1, 3))
def test_any_text(texts, threads):
    array = pa.array(texts, pa.string())
    assert measured(array, threads) == [measured_plainly(text) for text in texts]


@given(TEXTS, st.integers(1, 30))
def test_repeated_passages(text, times):
    repeated = f"{text} once more with feeling " * times
    assert measured(pa.array([repeated])) == [measured_plainly(repeated)]


def test_every_layout_and_bad_rows():
    texts = ["The queen of hearts, the queen", None, "", "1 2 3", "The queen of hearts, the queen"]
    expected = [measured_plainly(text) for text in texts]
    for kind in (pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())):
        assert measured(pa.array(texts).cast(kind)) == expected
        assert measured(pa.array(["x", *texts, "y"]).cast(kind)[1:-1]) == expected
    bad = pa.array([b"a b", b"a b \xff"], pa.binary()).view(pa.string())
    assert measured(bad) == [measured_plainly("a b"), [0] * 7 + [_core.INVALID_UTF8]]


def test_repeated_only_where_asked_for():
    parts = _core.quality(pa.array(["a b", "c"]), _core.StopWords([]))
    assert [len(part) for part in parts] == [2, 2, 2, 2, 2, 2, 0, 2]


def test_what_is_refused():
    words = _core.StopWords(["a"])
    with pytest.raises(ValueError, match="tokenizer"):
        _core.quality(pa.array(["a"]), words, tokenizer="words")
    with pytest.raises(ValueError, match="threads"):
        _core.quality(pa.array(["a"]), words, threads=0)
    with pytest.raises(TypeError):
        _core.quality(pa.array([1]), words)
    with pytest.raises(TypeError):
        _core.quality(pa.array(["a"]), ["a"])


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not there")
def test_real_texts():
    """Every eighth text of one shard, and every eightieth of the others; long ones cut."""
    texts: list[str] = []
    for number, path in enumerate(sorted((SHARED / "raw").glob("*.parquet"))):
        column = pq.read_table(path, columns=["text"])["text"].to_pylist()
        texts += [text[:3000] for text in column[:: 80 if number else 8] if text is not None]
    assert len(texts) > 500
    found = measured(pa.array(texts), threads=2)
    assert found == [measured_plainly(text) for text in texts]
