"""The tokenizers "unicode" and "chars" against another implementation, and the official files.

uniseg (a test extra) has a newer Unicode version, and the tokenizers differ from the annex on
purpose. Every difference is named here and has a test:

- white space is dropped, and what stands between is cut by itself;
- segments without letters or digits that follow each other are one token, such as "?!";
- kana are cut into single characters, where rule WB13 joins katakana;
- U+0600 and signs like it became numbers in Unicode 15, and are formats in the pinned version;
- rule GB9c, which joins Indic consonants over a virama, came after the pinned version, in 15.1.

The official files, WordBreakTest.txt and GraphemeBreakTest.txt, are read where Debian's package
unicode-data puts them, or from the folder DSIR_UNICODE_TESTS. Those of Unicode 14.0.0 and 15.0.0
will do: their rules are the same, and of the characters in the files only U+0600 changed its class.

ICU, where PyICU is installed, agrees on clusters. Its words are CLDR's, which differ from the annex
in more: a dictionary cuts Thai, Lao, Khmer, Burmese, Chinese and Japanese, Hangul stands apart
from letters of other scripts, "@" joins letters and a colon does not. All else is compared.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dsir
from dsir import _core

WORDS = dsir.HashedNgrams(tokenizer="unicode", lower=False)
CLUSTERS = dsir.HashedNgrams(tokenizer="chars", lower=False)
SEGMENTS = Path(__file__).parents[1] / "data" / "unicode_14_segments.json"
OF_WORDS = ("other_word", "letter", "hebrew", "number", "katakana", "connector")
WORD_CHARACTERS = frozenset(
    chr(c)
    for name, ranges in json.loads(SEGMENTS.read_text())["word_break"].items()
    if name in OF_WORDS
    for first, last in ranges
    for c in range(first, last + 1)
)
FOLDER = os.environ.get("DSIR_UNICODE_TESTS", "/usr/share/unicode/auxiliary")
FILES_LEAST = 400  # Lines of each official file that are compared, at the least.
SAME_RULES = ("14.0.0", "15.0.0")

# Letters, digits, marks and signs of many scripts, all older than the pinned version.
OLD = (
    "abzABZ019_.,:;'\"!?-/@#(){}\u00b7\u2019\u2018\u201c\u2027\ufe13\uff07\u00ad\u200d\u2060"
    "\u00e9\u00df\u0130\u03b1\u03c2\u0436\u0401\u0301\u0308\u0323\u20dd"
    "\u05d0\u05ea\u05f4\u05b0\u0627\u0644\u0647\u064b\u0660\u06f5\u061c"
    "\u0e01\u0e32\u0e34\u0e48\u0e50\u0e81\u1780\u17c1\u1000\u1031"
    "\u1100\u1161\u11a8\uac00\uac01\ud55c\u6771\u4eac\u3042\u3007\u3005"
    "\U0001f600\U0001f468\U0001f469\u2764\ufe0f\U0001f3fd\U0001f1e9\U0001f1ea\U0001f1eb\u00a9\u2139"
)
OTHERWISE_IN_ICU = (
    "@:\ufe13\uff1a\u0e01\u0e32\u0e34\u0e48\u0e50\u0e81\u1780\u17c1\u1000\u1031"
    "\u1100\u1161\u11a8\uac00\uac01\ud55c\u6771\u4eac\u3042\u3007\u3005"
)
INDIC = "\u0915\u0937\u093f\u0941\u0902\u0995\u09be\u0b95\u0bbf\u0d15\u0d41"
ARABIC_NUMBER_SIGN = "\u0600"
KATAKANA = "\u30ab\u30ad\u30fc\uff76"


def tokens_of(segments: list[str]) -> list[str]:
    """What "unicode" makes of the segments of a text without white space: signs are joined."""
    found: list[str] = []
    after_word = True
    for segment in segments:
        of_word = not WORD_CHARACTERS.isdisjoint(segment)
        if of_word or after_word:
            found.append(segment)
        else:
            found[-1] += segment
        after_word = of_word
    return found


def text_of(characters: str) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from(characters), min_size=1, max_size=14)


@settings(max_examples=400)
@given(text_of(OLD))
@example("can't 3.14".replace(" ", "-"))
@example("\u05d0\"\u05d0'")
@example("!\u0301a\u200d\u2764")
def test_words_are_those_of_uniseg(text):
    words = pytest.importorskip("uniseg.wordbreak").words
    assert WORDS.tokens(text) == tokens_of(list(words(text)))


@settings(max_examples=400)
@given(text_of(OLD + INDIC + KATAKANA))
@example("\U0001f468\u200d\U0001f469\U0001f3fd\U0001f1e9\U0001f1ea\U0001f1eb")
def test_clusters_are_those_of_uniseg(text):
    clusters = pytest.importorskip("uniseg.graphemecluster").grapheme_clusters
    assert CLUSTERS.tokens(text) == list(clusters(text))


def segments_of_icu(kind: str, text: str) -> list[str]:
    icu = pytest.importorskip("icu")
    iterator = getattr(icu.BreakIterator, f"create{kind}Instance")(icu.Locale.getRoot())
    units = icu.UnicodeString(text)
    iterator.setText(units)
    ends = list(iterator)
    return [str(units[begin:end]) for begin, end in zip([0, *ends], ends, strict=False)]


@settings(max_examples=1000)
@given(text_of("".join(c for c in OLD if c not in OTHERWISE_IN_ICU)))
def test_words_are_those_of_icu(text):
    assert WORDS.tokens(text) == tokens_of(segments_of_icu("Word", text))


@settings(max_examples=1000)
@given(text_of(OLD + INDIC + KATAKANA))
def test_clusters_are_those_of_icu(text):
    assert CLUSTERS.tokens(text) == segments_of_icu("Character", text)


@pytest.mark.parametrize(
    ("text", "theirs", "ours"),
    [
        ("\u05ea:z", ["\u05ea", ":", "z"], ["\u05ea:z"]),
        ("@A", ["@A"], ["@", "A"]),
        ("9\ud55c", ["9", "\ud55c"], ["9\ud55c"]),
    ],
)
def test_words_of_icu_that_differ_on_purpose(text, theirs, ours):
    assert segments_of_icu("Word", text) == theirs
    assert WORDS.tokens(text) == ours


def test_white_space_is_dropped():
    uniseg = pytest.importorskip("uniseg.wordbreak")
    assert list(uniseg.words("a b")) == ["a", " ", "b"]
    assert WORDS.tokens("a b\u3000c\n") == ["a", "b", "c"]


def test_signs_that_follow_each_other_are_one_token():
    uniseg = pytest.importorskip("uniseg.wordbreak")
    assert list(uniseg.words("no?!")) == ["no", "?", "!"]
    assert WORDS.tokens("no?!") == ["no", "?!"]


def test_katakana_are_single_characters():
    uniseg = pytest.importorskip("uniseg.wordbreak")
    assert list(uniseg.words("\u30ab\u30ad")) == ["\u30ab\u30ad"]
    assert WORDS.tokens("\u30ab\u30ad") == ["\u30ab", "\u30ad"]


def test_arabic_number_signs_are_those_of_the_pinned_version():
    uniseg = pytest.importorskip("uniseg.wordbreak")
    assert list(uniseg.words("\u0e01\u0600")) == ["\u0e01", "\u0600"]
    assert WORDS.tokens("\u0e01\u0600") == ["\u0e01\u0600"]


def test_indic_conjuncts_are_those_of_the_pinned_version():
    uniseg = pytest.importorskip("uniseg.graphemecluster")
    conjunct = "\u0915\u094d\u0937"
    assert list(uniseg.grapheme_clusters(conjunct)) == [conjunct]
    assert CLUSTERS.tokens(conjunct) == ["\u0915\u094d", "\u0937"]


def official(name: str) -> list[list[str]]:
    """The lines of an official file: each a list of segments."""
    path = Path(FOLDER) / name
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    lines = path.read_text(encoding="utf-8").splitlines()
    version = re.search(r"-(\d+\.\d+\.\d+)\.txt", lines[0])
    assert _core.UNICODE_VERSION in SAME_RULES
    if version is None or version[1] not in SAME_RULES:
        pytest.skip(f"{path} is not of Unicode {' or '.join(SAME_RULES)}")
    found = []
    for line in lines:
        rule = line.partition("#")[0].strip()
        if rule and "D800" not in rule:
            parts = [part.replace("\u00d7", " ").split() for part in rule.split("\u00f7")]
            found.append(["".join(chr(int(c, 16)) for c in part) for part in parts if part])
    return found


def without_space(segments: list[str]) -> list[list[str]]:
    """The runs of segments between white space; a segment that holds some ends a run."""
    runs: list[list[str]] = [[]]
    for segment in segments:
        if any(character.isspace() for character in segment):
            runs.append([])
        else:
            runs[-1].append(segment)
    return [run for run in runs if run]


def test_the_official_file_of_clusters():
    compared = 0
    for segments in official("GraphemeBreakTest.txt"):
        text = "".join(segments)
        if any(character.isspace() for character in text):
            continue  # Marks after white space belong to it in the annex, and stand alone here.
        assert CLUSTERS.tokens(text) == segments, ascii(segments)
        compared += 1
    assert compared >= FILES_LEAST


def test_the_official_file_of_words():
    compared = 0
    for segments in official("WordBreakTest.txt"):
        text = "".join(segments)
        if any(c.isspace() or c in KATAKANA + "\u3031" + ARABIC_NUMBER_SIGN for c in text):
            continue
        expected = [one for run in without_space(segments) for one in tokens_of(run)]
        assert "".join(WORDS.tokens(text)) == "".join(expected), ascii(segments)
        assert WORDS.tokens(text) == expected, ascii(segments)
        compared += 1
    assert compared >= FILES_LEAST
