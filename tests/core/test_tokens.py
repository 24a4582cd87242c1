r"""Tokens against their definition: ``re.findall(r"\w+|[^\w\s]+", text.lower())``."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from pathlib import Path
from typing import get_args

import nltk
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nltk.tokenize import WordPunctTokenizer

from dsir import _core
from dsir.model.features import Tokenizer

PINNED = "14.0.0"
SAME_TABLES = unicodedata.unidata_version == PINNED
# nltk 3.10 went from `re` to the `regex` package, whose \w differs at 30,473 code points.
NLTK_IS_THE_REFERENCE = tuple(map(int, nltk.__version__.split(".")[:2])) < (3, 10)

ASSIGNED_FILE = Path(__file__).parents[1] / "data" / "unicode_14_assigned.json"


# Characters that changed between the versions: U+1734 was a spacing mark from 14.0.0 on only.
CHANGED = {0x1734}


def assigned_here(code_point: int) -> bool:
    return unicodedata.category(chr(code_point)) not in ("Cn", "Cs")


def comparable_code_points() -> list[int]:
    """All but the surrogates; with other tables than the core's, what both have assigned.

    What one of the two versions does not know yet must differ, and is no error in either.
    """
    if SAME_TABLES:
        return [c for c in range(sys.maxunicode + 1) if not 0xD800 <= c <= 0xDFFF]
    ranges = json.loads(ASSIGNED_FILE.read_text(encoding="utf-8"))["ranges"]
    listed = {c for first, last in ranges for c in range(first, last + 1)} - CHANGED
    return sorted(c for c in listed if assigned_here(c))


COMPARABLE = comparable_code_points()
TABLES = f"Unicode {unicodedata.unidata_version}" + (
    "" if SAME_TABLES else f" against {PINNED}, on what both have assigned"
)

# Letters that lower-case in special ways, marks, joiners, spaces, digits, and far planes.
SPECIAL = [
    *"ΣσςİıẞßΩÅȺꙀǅ",
    *"\u0300\u0307\u0345\u00ad\u200d\ufe0f",
    *"\0\t\n\x1c\x85\xa0\u1680\u2028\u3000\u200b\ufeff",
    *"_'\u2019.:·!?…“„*#$€",
    *"aZéж中あก\u0660²Ⅷ",
    *"𐐀𝐀😀𠮷\U000e0001\U0010ffff",
]
if not SAME_TABLES:
    SPECIAL = sorted(set(SPECIAL) & {chr(c) for c in COMPARABLE})


def defined_tokens(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]+", text.lower())


def any_text(max_size: int = 80, min_size: int = 0) -> st.SearchStrategy[str]:
    every_plane = st.integers(0, len(COMPARABLE) - 1).map(lambda at: chr(COMPARABLE[at]))
    character = st.one_of(st.sampled_from(SPECIAL), st.sampled_from("ab _.Σ"), every_plane)
    return st.lists(character, min_size=min_size, max_size=max_size).map("".join)


def test_features_name_the_tokenizers_of_the_core():
    assert {*get_args(Tokenizer)} == {*_core.TOKENIZERS, "ids"}


def test_the_core_names_its_version():
    assert _core.UNICODE_VERSION == PINNED


@pytest.mark.skipif(
    not SAME_TABLES, reason=f"this Python has Unicode {unicodedata.unidata_version}"
)
def test_assigned_code_points_are_those_of_the_pinned_version():
    ranges = json.loads(ASSIGNED_FILE.read_text(encoding="utf-8"))["ranges"]
    listed = {c for first, last in ranges for c in range(first, last + 1)}
    assert listed == {c for c in range(sys.maxunicode + 1) if assigned_here(c)}


@pytest.mark.parametrize("tables", [TABLES])
def test_every_code_point(tables):
    # Between letters and between punctuation: it joins on to the ones or to the others.
    assert len(COMPARABLE) > 280_000
    texts = [f"a{chr(c)}b.{chr(c)}." for c in COMPARABLE]
    text = "\n".join(texts)
    if _core.wordpunct_tokens(text) != defined_tokens(text):
        wrong = [
            f"U+{c:04X}"
            for c, text in zip(COMPARABLE, texts, strict=True)
            if _core.wordpunct_tokens(text) != defined_tokens(text)
        ]
        pytest.fail(f"{len(wrong)} code points differ: {wrong[:20]}")


@pytest.mark.parametrize("tables", [TABLES])
def test_every_character_beside_a_capital_sigma(tables):
    """Whether it counts as a letter, and whether it is passed over, when a sigma looks for one."""
    characters = [chr(c) for c in COMPARABLE if assigned_here(c) and not 0xE000 <= c <= 0xF8FF]
    characters = [c for c in characters if c < "\U000f0000"]  # private use has no case
    assert len(characters) > 140_000
    text = "\n".join(f"aΣ{c}b a{c}Σ" for c in characters)
    assert _core.wordpunct_tokens(text) == defined_tokens(text)


@pytest.mark.skipif(
    not NLTK_IS_THE_REFERENCE,
    reason=f"nltk {nltk.__version__} tokenises with `regex`, the reference with `re` (below 3.10)",
)
def test_every_code_point_as_nltk():
    text = "\n".join(f"a{chr(c)}b" for c in COMPARABLE)
    assert _core.wordpunct_tokens(text) == WordPunctTokenizer().tokenize(text.lower())


@settings(max_examples=500)
@given(any_text())
@example("ΟΔΟΣ ΣΟΣ Σ")
@example("İSTANBUL")
@example("a\0b\0")
@example("")
def test_any_text(text):
    assert _core.wordpunct_tokens(text) == defined_tokens(text)


@given(any_text(10), st.integers(0, 70), st.sampled_from([0, 64, 2048, 4096]), any_text(10))
def test_text_at_any_distance(before, spaces, letters, after):
    text = before + " " * spaces + "Q" * letters + after
    assert _core.wordpunct_tokens(text) == defined_tokens(text)


@given(any_text(30, min_size=1), st.integers(1, 400))
def test_long_text(text, times):
    assert _core.wordpunct_tokens(text * times) == defined_tokens(text * times)


def check_bytes(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        with pytest.raises(ValueError, match="not UTF-8"):
            _core.wordpunct_tokens(data)
    else:
        if SAME_TABLES:
            assert _core.wordpunct_tokens(data) == defined_tokens(text)


@given(st.binary(max_size=40))
def test_any_bytes(data):
    check_bytes(data)


@given(any_text(20, min_size=1), st.integers(0, 80), st.integers(0, 255))
def test_one_byte_damaged(text, at, value):
    data = bytearray(text.encode())
    data[at % len(data)] = value
    check_bytes(bytes(data))


def test_what_is_no_text():
    for wrong in (None, 5, ["a"], "\ud800"):
        with pytest.raises(TypeError):
            _core.wordpunct_tokens(wrong)
