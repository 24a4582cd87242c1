"""Stop words for LexRank: English ones, those of other languages, or the caller's own words."""

from __future__ import annotations

from collections.abc import Iterable

from dsir.arguments.values import is_utf8, shown
from dsir.errors import SettingError
from dsir.lexrank.languages import stopwords_in
from dsir.model.stopwords import STOP_WORDS

# The code of a language, words, or nothing.
Stopwords = str | Iterable[str] | None


def stopwords_of(stopwords: Stopwords) -> list[str]:
    """Return stop words as a sorted list.

    Args:
        stopwords: None for no stop words; the code of a language, such as "en" (for others than
            English the extra `languages` is needed); or words as the tokeniser gives them (lower
            case).

    Raises:
        SettingError: the language is unknown or its library is missing, or an entry is not a str.
    """
    if stopwords is None:
        return []
    if isinstance(stopwords, str):
        words = STOP_WORDS if stopwords == "en" else stopwords_in(stopwords)
        # Only words that the tokeniser wordpunct gives: it cuts "don't" into don, ' and t.
        return sorted({word for word in words if "'" not in word})
    try:
        given = list(stopwords)
    except TypeError:
        raise SettingError(
            f"stopwords={shown(stopwords)}: expected None, 'en' or a list of words"
        ) from None
    for word in given:
        if not isinstance(word, str):
            raise SettingError(f"stopwords: {shown(word)} is {type(word).__name__}, not str")
        if not is_utf8(word):
            raise SettingError(f"stopwords: {word!r} holds half a surrogate pair, which is no text")
    return sorted(set(given))
