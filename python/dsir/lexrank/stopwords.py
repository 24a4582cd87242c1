"""Stop words for LexRank: the English list of `dsir.model.stopwords`, or the caller's own words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from dsir.arguments import is_utf8, shown
from dsir.errors import SettingError
from dsir.model.stopwords import STOP_WORDS

Stopwords = Literal["en"] | Iterable[str] | None


def stopwords_of(stopwords: Stopwords) -> list[str]:
    """Return stop words as a sorted list.

    Args:
        stopwords: None for no stop words, "en", or words as the tokeniser gives them (lower case).

    Raises:
        SettingError: the name is unknown, or an entry is not a str.
    """
    if stopwords is None:
        return []
    if isinstance(stopwords, str):
        if stopwords != "en":
            raise SettingError(f"stopwords={stopwords!r}: expected None, 'en' or a list of words")
        # Only words that the tokeniser wordpunct gives: it cuts "don't" into don, ' and t.
        return sorted(word for word in STOP_WORDS if "'" not in word)
    try:
        words = list(stopwords)
    except TypeError:
        raise SettingError(
            f"stopwords={shown(stopwords)}: expected None, 'en' or a list of words"
        ) from None
    for word in words:
        if not isinstance(word, str):
            raise SettingError(f"stopwords: {shown(word)} is {type(word).__name__}, not str")
        if not is_utf8(word):
            raise SettingError(f"stopwords: {word!r} holds half a surrogate pair, which is no text")
    return sorted(set(words))
