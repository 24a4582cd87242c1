"""The tokenizers of Unicode Standard Annex 29 and of characters against plain implementations.

The classes of characters are those that `cpp/tools/make_segment_tables.py` wrote for the tests. The
rules here are written one by one, as the annex has them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dsir
from dsir import _core

DATA = json.loads((Path(__file__).parents[1] / "data" / "unicode_14_segments.json").read_text())
LETTERS = {"letter", "hebrew"}
OF_WORDS = {"other_word", "letter", "hebrew", "number", "katakana", "connector"}
EXTENDS = {"extend", "joiner"}


def by_character(ranges: dict[str, list[list[int]]]) -> dict[str, str]:
    return {
        chr(c): name
        for name, of_class in ranges.items()
        for first, last in of_class
        for c in range(first, last + 1)
    }


WORD = by_character(DATA["word_break"])
GRAPHEME = by_character(DATA["grapheme_break"])
PICTOGRAPHIC = set(by_character({"yes": DATA["pictographic"]}))
KINDS = {name: [chr(a) for a, _ in of][:40] for name, of in DATA["word_break"].items()}
CLUSTER_KINDS = {name: [chr(a) for a, _ in of][:40] for name, of in DATA["grapheme_break"].items()}
SPECIAL = sorted({c for some in [*KINDS.values(), *CLUSTER_KINDS.values()] for c in some})
EVERYDAY = (
    "ab1_.':\",;! \u2019\u00b7\u0301\u200d\u30a2\u3042\u6771\u05d0\u0e01\u0e34\u0915\u094d"
    "😀❤🇩\u0600\u2139"
)


def any_text(max_size: int = 30) -> st.SearchStrategy[str]:
    every = st.characters(exclude_categories=["Cs"])
    character = st.one_of(st.sampled_from(EVERYDAY), st.sampled_from(SPECIAL), every)
    return st.lists(character, max_size=max_size).map("".join)


def pieces(text: str) -> list[str]:
    """What stands between white space, with the tables of the core."""
    found, piece = [], ""
    for character in text:
        if WORD.get(character) == "space":
            found.append(piece)
            piece = ""
        else:
            piece += character
    return [one for one in [*found, piece] if one]


def word_boundary(piece: str, at: int, katakana: bool) -> bool:
    """Whether there is a boundary before `at`, by WB3c to WB999; white space is cut out before."""
    kind = [WORD.get(c, "other") for c in piece]
    if kind[at - 1] == "joiner" and piece[at] in PICTOGRAPHIC:  # WB3c
        return False
    if kind[at] in EXTENDS:  # WB4
        return False
    # WB4: the others are skipped, except at the beginning, where the first is like any character.
    kept = [i for i, one in enumerate(kind) if one not in EXTENDS or i == 0]
    place = kept.index(at)

    def of(offset: int) -> str:
        inside = 0 <= place + offset < len(kept)
        return kind[kept[place + offset]] if inside else ""

    b, a, c, d = of(-1), of(0), of(1), of(-2)
    between = {"mid_letter", "mid_both", "single_quote"}
    in_numbers = {"mid_number", "mid_both", "single_quote"}
    joined = (
        (b in LETTERS and a in LETTERS)  # WB5
        or (b in LETTERS and a in between and c in LETTERS)  # WB6
        or (d in LETTERS and b in between and a in LETTERS)  # WB7
        or (b == "hebrew" and a == "single_quote")  # WB7a
        or (b == "hebrew" and a == "double_quote" and c == "hebrew")  # WB7b
        or (d == "hebrew" and b == "double_quote" and a == "hebrew")  # WB7c
        or (b == "number" and a == "number")  # WB8
        or (b in LETTERS and a == "number")  # WB9
        or (b == "number" and a in LETTERS)  # WB10
        or (d == "number" and b in in_numbers and a == "number")  # WB11
        or (b == "number" and a in in_numbers and c == "number")  # WB12
        or (katakana and b == "katakana" and a == "katakana")  # WB13
        or (b in {*LETTERS, "number", "katakana", "connector"} and a == "connector")  # WB13a
        or (b == "connector" and a in {*LETTERS, "number", "katakana"})  # WB13b
    )
    return not joined


def words(text: str) -> list[str]:
    """The definition of tokenizer="unicode"."""
    found = []
    for piece in pieces(text.lower()):
        token, of_word = "", False
        for at, character in enumerate(piece):
            is_of_word = WORD.get(character, "other") in OF_WORDS
            boundary = at > 0 and word_boundary(piece, at, katakana=False)
            if boundary and (of_word or is_of_word):
                found.append(token)
                token = ""
            of_word = is_of_word or (of_word and not boundary)
            token += character
        found.append(token)
    return found


def clusters(text: str) -> list[str]:
    """The definition of tokenizer="chars"; a regular expression for each rule."""
    found = []
    for piece in pieces(text.lower()):
        kind = [GRAPHEME.get(c, "other") for c in piece]
        begin = 0
        for at in range(1, len(piece)):
            before, after = kind[at - 1], kind[at]
            marks = "".join("E" if k == "extend" else "J" if k == "joiner" else "-" for k in kind)
            signs = "".join(
                "P" if c in PICTOGRAPHIC else "R" if k == "regional" else sign
                for c, k, sign in zip(piece, kind, marks, strict=True)
            )[:at]
            joined = (
                (
                    before == "hangul_l"
                    and after in {"hangul_l", "hangul_v", "hangul_lv", "hangul_lvt"}
                )
                or (before in {"hangul_lv", "hangul_v"} and after in {"hangul_v", "hangul_t"})
                or (before in {"hangul_lvt", "hangul_t"} and after == "hangul_t")
                or after in {"extend", "joiner", "spacing_mark"}
                or before == "prepend"
                or (piece[at] in PICTOGRAPHIC and re.search("PE*J$", signs) is not None)
                or (after == "regional" and len(re.search("R*$", signs).group()) % 2 == 1)
            )
            if "control" in (before, after) or not joined:
                found.append(piece[begin:at])
                begin = at
        found.append(piece[begin:])
    return found


DEFINITIONS = {
    "unicode": words,
    "chars": clusters,
    "codepoints": lambda text: [c for piece in pieces(text.lower()) for c in piece],
    "bytes": lambda text: [
        chr(b) for b in text.lower().encode() if b not in b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f "
    ],
    "whitespace": lambda text: pieces(text.lower()),
}
each = pytest.mark.parametrize("tokenizer", DEFINITIONS)


def same_in_lower_case(text: str) -> bool:
    """Whether this Python lower-cases a text as the core's tables do."""
    return text.lower() == _core.lowered(text)


@each
@settings(max_examples=200)
@given(text=any_text())
@example("can't 3.14 1,000 a.b a..b 'x' e.g. x_1 _ a:b 1:2 don\u2019t")
@example("\u05d0'5 \u05d0'\u05d0 \u05d0\"\u05d0 \u05d0\"a \u05d0'!")
@example("a\u200d❤!b !\u200d\u2139b ?! \u200d❤ \u6771\u200d❤x")
@example("\u30ab_\u30ab \u30ab\u0301_\u0301\u30ab \u3042_a _\u3042 \uff3f\u30ab \u30ab\u30ab")
@example("\u0301 \u0301a .\u0301a a.\u0301b 1,\u03012 \u05d0'\u03015")
@example(
    "\u0928\u094d\u092f\u093e\u092f\u093e\u0932\u092f \u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22"
)
@example(
    "🇩🇪🇫🇷🇮 👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 👩\u200d\u200d👧 👩\u0301\u200d👧"
    " \u0600a \u0600 \u1100\u1161\u11a8"
)
@example("\u0130x A\u03a3 \u03a3 \u24b6\u200d\u24c2 \u00a0a\u3000b\u0085c")
def test_any_text(tokenizer, text):
    if same_in_lower_case(text):
        assert _core.tokens(text, tokenizer) == DEFINITIONS[tokenizer](text)


@each
@given(
    text=any_text(8),
    before=st.integers(0, 70),
    filler=st.sampled_from(" a\u0e01中.é"),
    times=st.integers(1, 40),
)
def test_text_at_any_distance(tokenizer, text, before, filler, times):
    text = filler * before + text * times
    if same_in_lower_case(text):
        assert _core.tokens(text, tokenizer) == DEFINITIONS[tokenizer](text)


@each
def test_the_edges_of_every_class_between_others(tokenizer):
    lists = [*DATA["word_break"].values(), *DATA["grapheme_break"].values(), DATA["pictographic"]]
    edges = {
        c + step
        for some in lists
        for first, last in some
        for c in (first, last)
        for step in (-1, 0, 1)
    }
    characters = [chr(c) for c in sorted(edges) if 0 <= c < 0x110000 and not 0xD800 <= c <= 0xDFFF]
    assert len(characters) > 3000
    texts = [f"a{c}b.{c}1 !{c}\u30a2{c}?" for c in characters if same_in_lower_case(c)]
    text = "\n".join(texts)
    assert _core.tokens(text, tokenizer) == DEFINITIONS[tokenizer](text)


@each
@given(data=st.binary(max_size=30), text=any_text(5))
def test_what_is_not_utf8_is_refused(tokenizer, data, text):
    data = text.encode() + data
    try:
        data.decode()
    except UnicodeDecodeError:
        with pytest.raises(ValueError, match="not UTF-8"):
            _core.tokens(data, tokenizer)


@each
@given(text=any_text().filter(lambda text: "\u0130" not in text))
def test_a_window_a_token(tokenizer, text):
    if not same_in_lower_case(text):
        return
    _, starts, lengths, _ = _core.chunk(pa.array([text]), tokens=1, stride=1, tokenizer=tokenizer)
    data = text.encode()
    windows = [data[at : at + size].decode() for at, size in zip(starts, lengths, strict=True)]
    name = "codepoints" if tokenizer == "bytes" else tokenizer
    found = [_core.lowered(window) for window in windows if window]
    assert [w.replace("ς", "\u03c3") for w in found] == [
        w.replace("ς", "\u03c3") for w in DEFINITIONS[name](text)
    ]


@pytest.mark.parametrize(
    ("tokenizer", "tokens"),
    [
        ("unicode", ["don't", "東", "京", "3.14", "นี่", "!?"]),
        ("chars", [*"don't東京3.14", "นี่", "!", "?"]),
        ("whitespace", ["don't", "東京", "3.14", "นี่!?"]),
    ],
)
def test_tokens_in_an_example(tokenizer, tokens):
    assert dsir.HashedNgrams(tokenizer=tokenizer).tokens("Don't 東京 3.14 นี่!?") == tokens


@each
@pytest.mark.filterwarnings("ignore::dsir.errors.DsirWarning")
def test_a_selection_counts_these_tokens(tokenizer):
    features = dsir.HashedNgrams(tokenizer=tokenizer)
    raw, target = ["東京都の人口 one two three four", "五"], ["東京都の人口 four"]
    found = dsir.select(
        raw, target, n=1, min_tokens=5, features=features, method="top-k", progress=False
    )
    assert found.rows.tolist() == [0]
    assert found.metrics.tokens.selected == len(features.tokens(raw[0]))
