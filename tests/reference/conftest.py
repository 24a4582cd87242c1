"""The reference, and the strings on which this Python's Unicode tables and the core's agree."""

from __future__ import annotations

import re
import sys
import unicodedata
import warnings
from typing import Any

import pytest
from hypothesis import strategies as st

from dsir import _core

DEFINITION = re.compile(r"\w+|[^\w\s]+")


@pytest.fixture(scope="session")
def functions() -> Any:
    """The reference's module of functions; without it what asks for it is skipped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("data_selection", reason="the reference is not installed")
        from data_selection import hashed_ngram_dsir
    import nltk

    if tuple(map(int, nltk.__version__.split(".")[:2])) >= (3, 10):
        pytest.skip(f"nltk {nltk.__version__} tokenises with `regex`, the reference with `re`")
    return hashed_ngram_dsir


def probe(code_point: int) -> str:
    """A text whose tokens tell everything that they can depend on in a character.

    Between letters and between other signs: whether it is a word character or a space, and what its
    lower case is. Behind a sigma: whether it is cased, and whether the end of the word is looked
    for beyond it.
    """
    c = chr(code_point)
    return f"a{c}b.{c}. aΣ{c} aΣ{c}b"


def tokens_differ(text: str) -> bool:
    return _core.wordpunct_tokens(text) != DEFINITION.findall(text.lower())


@pytest.fixture(scope="session")
def unicode_difference() -> frozenset[int]:
    """The code points on which this Python and the core differ, out of all but the surrogates."""
    found: set[int] = set()
    block = 2048
    for first in range(0, sys.maxunicode + 1, block):
        if 0xD800 <= first <= 0xDFFF:
            continue
        if tokens_differ("\n".join(probe(c) for c in range(first, first + block))):
            found.update(c for c in range(first, first + block) if tokens_differ(probe(c)))
    return frozenset(found)


def in_words(code_points: frozenset[int]) -> str:
    """The set as ranges, and whose tables they are."""
    ranges: list[list[int]] = []
    for c in sorted(code_points):
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    listed = ", ".join(f"U+{a:04X}" + (f"-{b:04X}" if b > a else "") for a, b in ranges)
    return (
        f"this Python has Unicode {unicodedata.unidata_version}, the core {_core.UNICODE_VERSION}: "
        f"{len(code_points)} code points differ and are left out here: {listed or 'none'}"
    )


@pytest.fixture(scope="session")
def named_difference(unicode_difference: frozenset[int]) -> str:
    """The same in words, for messages."""
    return in_words(unicode_difference)


# Letters that lower-case in special ways, marks, joiners, spaces, digits, and far planes.
SPECIAL = [
    *"ΣσςİıẞßΩÅȺꙀǅŉ",
    *"\u0300\u0307\u0345\u05b0\u0e34\u00ad\u200c\u200d\ufe0f\U000e0100",
    *"\0\t\n\r\x0b\x1c\x1f\x7f\x85\xa0\u1680\u2028\u3000\u200b\ufeff",
    *"_'\u2019.:·!?…“„*#$€",
    *"aZIiéж中あก\u0660²Ⅷ",
    *"𐐀𝐀😀𠮷\U000e0001\U000f0000\U0010ffff\ufffe",
]


@pytest.fixture(scope="session")
def any_string(unicode_difference: frozenset[int]) -> st.SearchStrategy[str]:
    """Strings of every plane, without lone surrogates and what the two versions differ on."""

    def same(c: str) -> bool:
        return ord(c) not in unicode_difference and not 0xD800 <= ord(c) <= 0xDFFF

    plane = st.integers(0, 16).flatmap(
        lambda plane: st.integers(plane << 16, (plane << 16) + 0xFFFF).map(chr).filter(same)
    )
    character = st.one_of(
        st.sampled_from([c for c in SPECIAL if same(c)]),
        st.sampled_from("ab _.Σ"),
        st.characters(exclude_categories=("Cs",)).filter(same),
        plane,
    )
    return st.lists(character, max_size=60).map("".join)
