r"""Windows of tokens, and slices, against plain Python over ``re.finditer``."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dsir import _core

SHARED = Path(__file__).parents[3] / "shared" / "data"

# Letters of all sorts, marks, spaces and signs. Python's tables and the core's agree on them.
CHARACTERS = [
    *"ab _.Σ",
    *"ΣσςıẞßΩÅȺꙀǅÉé",
    *"\u0300\u0307\u00ad\u200d\ufe0f",
    *"\0\t\n\x1c\x85\xa0\u2028\u3000\u200b",
    *"'\u2019.:!?…“*€",
    *"9中あก\u0660²Ⅷ",
    *"𐐀𝐀😀𠮷",
]
TEXTS = st.lists(st.sampled_from(CHARACTERS), max_size=120).map("".join)
TYPES = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int8(), pa.string()),
]


def spans_of(text: str) -> list[tuple[int, int]]:
    """The tokens' characters, for a text that lower-casing does not lengthen."""
    lowered = text.lower()
    assert len(lowered) == len(text)
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]+", lowered)]


def windows_of(text: str | None, tokens: int, stride: int) -> list[tuple[int, int]]:
    """The windows' characters; (0, 0) for a text without tokens."""
    spans = spans_of(text or "")
    windows = []
    for first in range(0, len(spans), stride):
        last = min(first + tokens, len(spans))
        windows.append((spans[first][0], spans[last - 1][1]))
        if last == len(spans):
            break
    return windows or [(0, 0)]


def chunk(array: pa.Array, tokens: int, stride: int, threads: int = 1) -> list[list[int]]:
    parts = _core.chunk(array, tokens=tokens, stride=stride, threads=threads)
    assert all(part.dtype == np.int64 for part in parts)
    return [part.tolist() for part in parts]


def characters(array: pa.Array, chunks: list[list[int]]) -> list[tuple[int, int, int]]:
    """(row, first character, character after the last) of chunks, by the core."""
    rows, starts, lengths = (np.array(part, dtype=np.int64) for part in chunks[:3])
    _, _, first, last = _core.slice_texts(array, rows, starts, lengths)
    return list(zip(rows.tolist(), first.tolist(), last.tolist(), strict=True))


@settings(max_examples=300)
@given(
    st.lists(st.none() | TEXTS, max_size=6),
    st.integers(1, 12),
    st.data(),
    st.sampled_from(TYPES),
    st.integers(1, 3),
)
def test_windows(texts, tokens, data, kind, threads):
    stride = data.draw(st.integers(1, tokens))
    array = pa.array(texts, pa.string()).cast(kind)
    chunks = chunk(array, tokens, stride, threads)
    assert chunks[3] == []
    assert characters(array, chunks) == [
        (row, *window)
        for row, text in enumerate(texts)
        for window in windows_of(text, tokens, stride)
    ]


@given(TEXTS, st.integers(1, 400), st.integers(1, 50))
def test_windows_without_overlap_are_the_tokens_in_order(text, times, tokens):
    text = f"{text} " * times
    array = pa.array([text])
    rows, starts, lengths, _ = chunk(array, tokens, tokens)
    data = text.encode()
    parts = [
        data[at : at + size].decode() for at, size in zip(starts, lengths, strict=True) if size
    ]
    counts = [len(_core.wordpunct_tokens(part)) for part in parts]
    assert sum(counts) == len(_core.wordpunct_tokens(text))
    assert all(count == tokens for count in counts[:-1])
    assert all(starts[at] + lengths[at] <= starts[at + 1] for at in range(len(starts) - 1))
    assert len(rows) == max(1, -(-sum(counts) // tokens))


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        # İ is lowered to `i` and a combining dot, which is no word character: a token that begins
        # inside it stays with it, with all that it goes on for.
        ("İ", ["İ"]),
        ("aİb c", ["aİ", "b", "c"]),
        ("İ.. x", ["İ..", "x"]),
        ("İİ İ", ["İ", "İ", "İ"]),
        ("x İ", ["x", "İ"]),
        (".İ\u0307!a", [".", "İ\u0307!", "a"]),
        # Lower-casing is part of the token, not of the window.
        ("ΟΔΟΣ ΣΑΣ", ["ΟΔΟΣ", "ΣΑΣ"]),
        ("ẞẞ ẞ!", ["ẞẞ", "ẞ", "!"]),
        ("Ⱥ Ⱥb", ["Ⱥ", "Ⱥb"]),
    ],
)
def test_letters_that_lower_in_special_ways(text, windows):
    array = pa.array([text])
    chunks = chunk(array, 1, 1)
    assert [text[first:last] for _, first, last in characters(array, chunks)] == windows


@pytest.mark.parametrize(
    ("tokens", "stride", "windows"),
    [
        (2, 2, ["a b", "c d", "e"]),
        (2, 1, ["a b", "b c", "c d", "d e"]),
        (3, 2, ["a b c", "c d e"]),
        (4, 1, ["a b c d", "b c d e"]),
        (4, 3, ["a b c d", "d e"]),
        (5, 1, ["a b c d e"]),
        (6, 1, ["a b c d e"]),
        (1 << 31, 1, ["a b c d e"]),
        (1 << 31, 1 << 31, ["a b c d e"]),
    ],
)
def test_the_first_window_that_reaches_the_end_is_the_last(tokens, stride, windows):
    text = " a b c  d e\n"
    array = pa.array([text])
    found = characters(array, chunk(array, tokens, stride))
    assert [re.sub(" +", " ", text[first:last]) for _, first, last in found] == windows


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not there")
def test_real_texts():
    """Every tenth text of a shard each; those that lower-casing lengthens left out."""
    texts: list[str | None] = []
    for path in sorted((SHARED / "raw").glob("*.parquet")):
        column = pq.read_table(path, columns=["text"])["text"].to_pylist()[::10]
        texts += [one for one in column if one is None or len(one.lower()) == len(one)]
    assert len(texts) > 5000
    array = pa.array(texts, pa.large_string())
    for tokens, stride in [(128, 128), (128, 50)]:
        assert characters(array, chunk(array, tokens, stride, 2)) == [
            (row, *window)
            for row, text in enumerate(texts)
            for window in windows_of(text, tokens, stride)
        ]


def test_rows_that_are_not_utf8():
    data = [b"a b c", b"a \xff c", None, b"\x80", b"d"]
    array = pa.array(data, pa.binary()).view(pa.string())
    assert chunk(array, 2, 2) == [
        [0, 0, 1, 2, 3, 4],
        [0, 4, 0, 0, 0, 0],
        [3, 1, 0, 0, 0, 1],
        [1, 3],
    ]
    # The empty span is there to be taken whatever the bytes are.
    nothing = np.zeros(1, dtype=np.int64)
    offsets, *_ = _core.slice_texts(array, np.array([3]), nothing, nothing)
    assert offsets.tolist() == [0, 0]


@given(TEXTS, st.data())
@example("", None)
def test_slices(text, data):
    ends = [len(text[:at].encode()) for at in range(len(text) + 1)]
    spans = [(0, len(text))]
    if data is not None:
        place = st.integers(0, len(text))
        pairs = data.draw(st.lists(st.tuples(place, place), max_size=8))
        spans += [(min(pair), max(pair)) for pair in pairs]
    starts = np.array([ends[first] for first, _ in spans], dtype=np.int64)
    stops = np.array([ends[last] for _, last in spans], dtype=np.int64)
    rows = np.ones(len(spans), dtype=np.int64)
    array = pa.array(["é", text])
    offsets, content, first, last = _core.slice_texts(array, rows, starts, stops - starts)
    parts = [content[at:end].tobytes().decode() for at, end in pairwise(offsets.tolist())]
    assert parts == [text[first:last] for first, last in spans]
    assert list(zip(first.tolist(), last.tolist(), strict=True)) == spans


def test_what_is_refused():
    array = pa.array(["été", None])
    whole = np.zeros(1, dtype=np.int64)
    for row, start, length in [(2, 0, 0), (-1, 0, 0), (0, -1, 1), (0, 0, 6), (0, 6, 0), (1, 0, 1)]:
        with pytest.raises(ValueError, match="span 0 is"):
            _core.slice_texts(array, np.array([row]), np.array([start]), np.array([length]))
    for start, length in [(1, 2), (0, 1)]:
        with pytest.raises(ValueError, match="inside a character"):
            _core.slice_texts(array, whole, np.array([start]), np.array([length]))
    with pytest.raises(ValueError, match="of equal length"):
        _core.slice_texts(array, whole, whole, np.zeros(2, dtype=np.int64))
    with pytest.raises(TypeError):
        _core.slice_texts(array, whole, whole, np.zeros(1, dtype=np.int32))
    for settings_ in [
        {"tokens": 0, "stride": 1},
        {"tokens": 2, "stride": 3},
        {"tokens": 2, "stride": 0},
        {"tokens": (1 << 31) + 1, "stride": 1},
        {"tokens": 2, "stride": 2, "tokenizer": "words"},
        {"tokens": 2, "stride": 2, "threads": 0},
    ]:
        with pytest.raises(ValueError, match="must be"):
            _core.chunk(array, **settings_)
    with pytest.raises(TypeError):
        _core.chunk(pa.array([1]), tokens=2, stride=2)
