"""Stems and stop words by language, from libraries that know them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from dsir.arguments.values import shown
from dsir.errors import SettingError

# The stemmers of Snowball, by code of ISO 639-1.
_STEMMERS = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
_INSTALL = "run pip install 'dsir[languages]'"


def stemmer_of(language: object) -> Callable[[str], str]:
    """Return a function from a word, in lower case, to its stem.

    Args:
        language: a code of ISO 639-1 that Snowball has a stemmer for, such as "de".

    Raises:
        SettingError: there is no stemmer for the language, or the library is not installed.
    """
    if not isinstance(language, str) or language not in _STEMMERS:
        raise SettingError(
            f"stems={shown(language)}: expected the code of a language with stems: "
            f"{', '.join(_STEMMERS)}"
        )
    try:
        import snowballstemmer  # noqa: F401 - the error is about the argument
    except ImportError as error:
        raise SettingError(
            f"stems={language!r}: needs the library snowballstemmer: {_INSTALL}"
        ) from error
    return _stemmer(language)


@cache
def _stemmer(language: str) -> Callable[[str], str]:
    import snowballstemmer

    stem: Callable[[str], str] = snowballstemmer.stemmer(_STEMMERS[language]).stemWord
    known: dict[str, str] = {}

    def stem_once(word: str) -> str:
        if word not in known:
            known[word] = stem(word)
        return known[word]

    return stem_once


def stopwords_in(language: str) -> list[str]:
    """Return the stop words of a language other than English, in lower case.

    Args:
        language: a code of ISO 639-1, such as "de".

    Raises:
        SettingError: there is no list for the language, or the library is not installed.
    """
    try:
        import stop_words
    except ImportError as error:
        raise SettingError(
            f"stopwords={language!r}: needs the library stop-words: {_INSTALL}, or give a list of "
            "words"
        ) from error
    if language not in stop_words.LANGUAGE_MAPPING:
        raise SettingError(
            f"stopwords={shown(language)}: expected None, a list of words, or the code of a "
            f"language: {', '.join(sorted(stop_words.LANGUAGE_MAPPING))}"
        )
    return [word.lower() for word in stop_words.get_stop_words(language)]
