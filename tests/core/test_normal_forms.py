"""Normalization Forms C and KC against ``unicodedata.normalize(form, text)``."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dsir
from dsir import _core

PINNED = "14.0.0"
ASSIGNED_FILE = Path(__file__).parents[1] / "data" / "unicode_14_assigned.json"


def comparable_code_points() -> list[int]:
    """Those that the pinned version and this Python have assigned, which never change in a form."""
    ranges = json.loads(ASSIGNED_FILE.read_text(encoding="utf-8"))["ranges"]
    listed = [c for first, last in ranges for c in range(first, last + 1)]
    if unicodedata.unidata_version == PINNED:
        listed = [c for c in range(sys.maxunicode + 1) if not 0xD800 <= c <= 0xDFFF]
    return [c for c in listed if unicodedata.category(chr(c)) != "Cn" or len(listed) > 1_000_000]


COMPARABLE = comparable_code_points()
COMPARABLE_SET = frozenset(map(chr, COMPARABLE))
TABLES = f"Unicode {unicodedata.unidata_version}"

# The characters that NFC changes, or that combine, or that are composed of others.
MOVING = [
    chr(c)
    for c in COMPARABLE
    if unicodedata.combining(chr(c))
    or unicodedata.decomposition(chr(c))
    or 0x1100 <= c <= 0x11FF
    or 0xAC00 <= c <= 0xAC60
]
# Those that are the second half of some composite, and a few of every class.
SPECIAL = [
    *"aeoA\u03a9\u03c9\u03b1\u0391и한각가ᄀ힣",
    *"\u0300\u0301\u0302\u0308\u030a\u0323\u0327\u0328\u0338\u0345\u0342\u0344\u0340\u0343\u0315",
    *"\u05ae\u1100\u1161\u1162\u11a7\u11a8\u11c2\u11c3\u1112\u1175",
    *"\u0915\u093c\u0958\u094d\u09c7\u09be\u09d7\u0b47\u0b3e\u0b57\u0bc6\u0bbe\u0cc6\u0cc2\u0cd5",
    *"\u0dd9\u0dcf\u0dca\u1025\u102e\u3042\u3099\u309a\u30cf\u0f71\u0f72\u0f73\u0fb2\u0f80",
    *"\u00e9\u1ec7\u01d5\u212b\u2126\u2000\u037e\u0387\uf900\ufb1d\ufb2c\u2adc\u0f43",
    *"\U0001d15e\U0001d157\U0001d165\U000110a5\U000110ba\U0002f800\U00011131\U00011127",
    *" \n.!中",
    # What only NFKC changes: forms of letters and kana, ligatures, spaces, signs with a space.
    *"\uff21\uff41\u3000\uff76\uff9e\uff8a\uff9f\uffa1\uffc2\uffa2\u3131\u314f\ufb01\ufb2a",
    *"\u017f\u1e9b\u00a0\u00a8\u00b4\u0384\u037a\u2026\u00bd\u2460\u2122\u1d2c\u2011\u0e33",
    *"\ufdfa\ufc5e\ufe70\ufefb\u0675\u0eb3\u0f77\u3300\u32ff\U0001d400\U0001f100\U0001fbf0",
]


FORMS = ("NFC", "NFKC")
each_form = pytest.mark.parametrize("form", FORMS)


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def wrong_in(form: str, texts: list[str]) -> list[str]:
    """Those of the texts that the core and Python bring into another form; at most 20, escaped."""
    text = "\n".join(texts)
    if _core.normalized(text, form) == unicodedata.normalize(form, text):
        return []
    differing = [
        one for one in texts if _core.normalized(one, form) != unicodedata.normalize(form, one)
    ]
    return [ascii(one) for one in differing[:20]] or ["only all together"]


def any_text(max_size: int = 40) -> st.SearchStrategy[str]:
    every = st.integers(0, len(COMPARABLE) - 1).map(lambda at: chr(COMPARABLE[at]))
    character = st.one_of(st.sampled_from(SPECIAL), st.sampled_from(MOVING), every)
    return st.lists(character, max_size=max_size).map("".join)


@each_form
@pytest.mark.parametrize("tables", [TABLES])
def test_every_code_point(tables, form):
    assert not wrong_in(form, [chr(c) for c in COMPARABLE])


@each_form
@pytest.mark.parametrize("tables", [TABLES])
@pytest.mark.parametrize(
    ("before", "after"),
    [("e", ""), ("", "\u0301"), ("a\u0323", "\u0302"), ("가", "\u11a8"), ("\u09c7", "e")],
)
def test_code_points_beside_others(tables, form, before, after):
    """All that move or combine, and every twentieth of the others, most of which never do."""
    characters = [*MOVING, *map(chr, COMPARABLE[::20])]
    assert not wrong_in(form, [f"{before}{one}{after}" for one in characters])


@each_form
@pytest.mark.parametrize("tables", [TABLES])
def test_the_forms_of_every_code_point(tables, form):
    """What the official NormalizationTest asks of each of its five columns."""
    moving = [chr(c) for c in COMPARABLE if chr(c) != unicodedata.normalize("NFKD", chr(c))]
    for other in ("NFC", "NFD", "NFKC", "NFKD"):
        assert not wrong_in(form, [unicodedata.normalize(other, one) for one in moving]), other


@each_form
def test_every_mark_is_reordered_among_others(form):
    """The second part of the official test: a mark of every class, before and behind the others."""
    marks = [c for c in MOVING if unicodedata.combining(c)]
    assert len(marks) > 800
    for before, after in (("\u0315\u0300\u05ae", ""), ("", "\u0315\u0300\u05ae")):
        assert not wrong_in(form, [f"a{before}{mark}{after}b" for mark in marks])


@each_form
def test_every_pair_of_parts_of_a_composite(form):
    seconds = sorted({d[-1] for c in MOVING if len(d := unicodedata.normalize("NFD", c)) > 1})
    firsts = sorted({d[0] for c in MOVING if len(d := unicodedata.normalize("NFD", c)) > 1})
    for second in seconds:
        assert not wrong_in(form, [f"{one}{second}\u0345{one}\u0f39{second}" for one in firsts])


@each_form
@settings(max_examples=500)
@given(text=any_text())
@example(text="\u0b47\u0300\u0b3e")  # Public Review Issue 29: not composed over what is between
@example(text="\u1100\u0300\u1161\u0323")
@example(text="\u0344\u0344")
@example(text="\uff76\uff9e\u0323")
@example(text="\u00a8\u0301\u0345")
@example(text="")
def test_any_text(form, text):
    expected = unicodedata.normalize(form, text)
    assert _core.normalized(text, form) == expected
    assert _core.normalized(expected, form) == expected


@each_form
@given(
    before=any_text(8),
    times=st.integers(0, 140),
    filler=st.sampled_from("a é中กア"),
    after=any_text(8),
)
def test_text_at_any_distance(form, before, times, filler, after):
    text = before + filler * times + after
    assert _core.normalized(text, form) == unicodedata.normalize(form, text)


@each_form
def test_many_marks_in_a_row_take_no_quadratic_time(form):
    marks = "\u0323\u0301" * 400_000
    found = _core.normalized("a" + marks, form)
    assert found == "\u1ea1" + "\u0323" * 399_999 + "\u0301" * 400_000


@each_form
@given(before=st.binary(max_size=30), text=any_text(6), after=st.binary(max_size=6))
def test_any_bytes(form, before, text, after):
    data = before + text.encode() + after
    try:
        expected = unicodedata.normalize(form, data.decode())
    except UnicodeDecodeError:
        for tokenizer in _core.TOKENIZERS:
            with pytest.raises(ValueError, match="not UTF-8"):
                _core.tokens(data, tokenizer, form)
        spec = dsir.HashedNgrams(buckets=64, normalize=form).spec
        bad = pa.Array.from_buffers(pa.string(), 1, pa.array([data]).buffers())
        counts = dsir.HashedNgrams(buckets=64).counts([""])
        *_, invalid = _core.count(bad, spec, counts)
        assert invalid.tolist() == [0]
        assert not counts.any()
    else:
        if set(data.decode()) <= COMPARABLE_SET:
            assert _core.normalized(data, form) == expected


@each_form
@pytest.mark.parametrize("tokenizer", _core.TOKENIZERS)
@given(text=any_text(30))
def test_tokens_are_those_of_the_text_in_this_form(tokenizer, form, text):
    features = dsir.HashedNgrams(tokenizer=tokenizer, normalize=form, buckets=1000)
    plain = dsir.HashedNgrams(tokenizer=tokenizer, buckets=1000)
    other = unicodedata.normalize(form, text)
    assert features.tokens(text) == plain.tokens(other)
    assert features.ngrams(text) == plain.ngrams(other)
    assert (features.counts([text, "x"]) == plain.counts([other, "x"])).all()


def windows(
    text: str, tokens: int, tokenizer: str, stride: int | None = None, form: str = "NFC"
) -> list[str]:
    rows, starts, lengths, invalid = _core.chunk(
        pa.array([text]),
        tokens=tokens,
        stride=stride or tokens,
        tokenizer=tokenizer,
        normalize=form,
    )
    assert not len(invalid)
    assert not rows.any()
    data = text.encode()
    return [data[at : at + size].decode() for at, size in zip(starts, lengths, strict=True)]


@each_form
@pytest.mark.parametrize("tokenizer", _core.TOKENIZERS)
@given(text=any_text(30), tokens=st.integers(1, 6))
def test_windows_are_pieces_of_the_text_as_it_is(tokenizer, form, text, tokens):
    """In order, without a gap and without an overlap: nothing but white space is between them."""
    at = 0
    for window in windows(text, tokens, tokenizer, form=form):
        found = text.index(window, at)
        assert not text[at:found].strip()
        at = found + len(window)
    assert not text[at:].strip()


@given(text=any_text(30).filter(lambda text: "Σ" not in text), tokens=st.integers(1, 6))
def test_windows_have_the_tokens_of_the_text(text, tokens):
    """All of their characters; a token that begins inside a changed piece is in two windows."""
    features = dsir.HashedNgrams(normalize="NFC")
    found = [features.tokens(window) for window in windows(text, tokens, "wordpunct")]
    assert "".join(map("".join, found)) == "".join(features.tokens(text))


def test_windows_of_decomposed_text_have_as_many_tokens_as_those_of_composed_text():
    text = "L'e\u0301cole e\u0301tait de\u0301ja\u0300 ferme\u0301e a\u0300 No\u0308el."
    decomposed = windows(text, 3, "wordpunct", stride=2)
    assert [nfc(window) for window in decomposed] == windows(nfc(text), 3, "wordpunct", stride=2)
    assert decomposed[1:3] == [
        "e\u0301cole e\u0301tait de\u0301ja\u0300",
        "de\u0301ja\u0300 ferme\u0301e a\u0300",
    ]


def test_characters_that_join_nothing_are_pieces_of_their_own():
    text = "\uff21\uff22\uff0e\uff23\uff24 \uff76\uff9e\uff01"  # A B . C D, ka with a voiced mark
    found = windows(text, 1, "wordpunct", form="NFKC")
    assert found == ["\uff21\uff22", "\uff0e", "\uff23\uff24", "\uff76\uff9e", "\uff01"]
    assert dsir.HashedNgrams(normalize="NFKC").tokens(text) == ["ab", ".", "cd", "ガ", "!"]


def test_a_piece_that_changes_is_not_cut():
    # Two marks change places. The letter before them stays, so it is a piece of its own.
    text = "x\u0301\u0323!! y"
    assert windows(text, 1, "wordpunct") == ["x", "\u0301\u0323!!", "y"]
    # U+0F73 becomes two marks; the vowel after them belongs to the same piece and begins a word.
    text = "\u0f73\u1161a"
    assert dsir.HashedNgrams(normalize="NFC").tokens(text) == ["\u0f71\u0f72", "\u1161a"]
    assert windows(text, 1, "wordpunct") == ["\u0f73\u1161", "a"]


def test_what_is_no_text():
    for wrong in (None, 5, ["a"], "\ud800"):
        with pytest.raises(TypeError):
            _core.normalized(wrong, "NFC")
    with pytest.raises(ValueError, match="None, 'NFC' or 'NFKC'"):
        _core.tokens("a", "wordpunct", "NFD")
