"""Stop words: the English ones of `dsir.model.stopwords`, or the caller's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from dsir.errors import SettingError
from dsir.model.stopwords import STOP_WORDS

Stopwords = Literal["en"] | Iterable[str] | None


def stopwords_of(stopwords: Stopwords) -> list[str]:
    """Return stop words as a sorted list.

    Args:
        stopwords: None for none, "en", or words as the tokeniser leaves them (lower case).

    Raises:
        SettingError: another name, or something that is no word.
    """
    if stopwords is None:
        return []
    if isinstance(stopwords, str):
        if stopwords != "en":
            raise SettingError(f"stopwords={stopwords!r}: expected None, 'en' or a list of words")
        # Those of wordpunct: "don't" is don, ' and t, and not do and n't.
        return sorted(word for word in STOP_WORDS if "'" not in word)
    words = list(stopwords)
    for word in words:
        if not isinstance(word, str):
            raise SettingError(f"stopwords: {word!r} is {type(word).__name__}, not str")
    return sorted(set(words))
