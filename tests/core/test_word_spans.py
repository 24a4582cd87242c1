"""Windows of word_tokenize: where its tokens lie in the original text."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsir import _core

PIECES = [
    *("a", "b1", "KELVIN", "\u212a", "ẞ", "Σ", "ΑΣ", "\u017f", "\u0131", "中文", "😀", "é"),
    *("'", "''", "``", "`", '"', "n't", "'S", "CANNOT", "d'ye", "\u2019", "“", "«"),
    *(" ", "\n", "\u00a0", "\x1c", ".", "...", "(", ")", "--", "—", ",", ":", "3.5", "U.S."),
]
QUOTES = ("``", "''")
FINAL, MEDIAL = re.compile("ς"), "\u03c3"


def windows(text: str, tokens: int = 1, stride: int = 1) -> list[str]:
    """The texts of the windows; none where there is no token."""
    _, starts, lengths, invalid = _core.chunk(
        pa.array([text]), tokens=tokens, stride=stride, tokenizer="word_tokenize"
    )
    assert not len(invalid)
    data = text.encode()
    spans = zip(starts.tolist(), lengths.tolist(), strict=True)
    return [data[start : start + length].decode() for start, length in spans if length]


def matches(token: str, window: str) -> bool:
    if token in QUOTES:
        return window in ('"', *QUOTES)
    return FINAL.sub(MEDIAL, token) == FINAL.sub(MEDIAL, window.lower())


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_a_window_a_token(text):
    tokens = _core.word_tokens(text)
    found = windows(text)
    assert len(found) == len(tokens)
    assert all(map(matches, tokens, found))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="İ"), max_size=60))
def test_any_text(text):
    tokens = _core.word_tokens(text)
    found = windows(text)
    assert len(found) == len(tokens)
    assert all(map(matches, tokens, found))


@given(
    st.lists(st.sampled_from([*PIECES, "İ"]), max_size=60).map("".join),
    st.integers(1, 9),
    st.data(),
)
def test_larger_windows_span_smaller_ones(text, tokens, data):
    stride = data.draw(st.integers(1, tokens))
    _, starts, lengths, _ = _core.chunk(
        pa.array([text]), tokens=1, stride=1, tokenizer="word_tokenize"
    )
    spans = [
        (start, start + length)
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
        if length
    ]
    expected = []
    for first in range(0, len(spans), stride):
        last = min(first + tokens, len(spans))
        expected.append(text.encode()[spans[first][0] : spans[last - 1][1]].decode())
        if last == len(spans):
            break
    assert windows(text, tokens, stride) == expected


@pytest.mark.parametrize("count", [1, 500, 3000, 100_000])
def test_long_texts(count):
    """More tokens than a stretch holds."""
    text = 'don\'t İx "quote" ' * count
    assert windows(text)[:6] == ["do", "n't", "İx", '"', "quote", '"']
    assert len(windows(text)) == 6 * count
    assert windows(text, 10**6, 10**6) == [text[:-1]]
    assert len(windows(text, 100, 100)) == -(-6 * count // 100)


def test_the_split_tokenizer_cuts_no_windows():
    with pytest.raises(ValueError, match="one of whole texts"):
        _core.chunk(pa.array(["a"]), tokens=1, stride=1, tokenizer="split")
