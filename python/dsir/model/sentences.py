"""Sentences by NLTK's Punkt, an optional extra: the first step of word_tokenize.

`nltk.word_tokenize` splits a text into sentences with Punkt, whose data are not part of NLTK, and
then splits each sentence into words. Here nltk runs Punkt, and the core cuts the words. The tokens
of a text are passed to the core joined by single spaces, because no token contains a space.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus.cast_columns import cast_column
from dsir.errors import SettingError

LANGUAGE = "english"
_WITHOUT = 'sentences="none" needs neither; it takes a text as one sentence (preserve_line=True)'
_LARGEST_DOCUMENT = 1 << 31  # As in cpp/ngram/kernels.hpp.


@dataclass(frozen=True, slots=True)
class Punkt:
    """NLTK's sentence splitter and what identifies it.

    Attributes:
        nltk_version: version of NLTK's code.
        digest: sixteen hexadecimal digits of the data's SHA-256.
        splitter: an nltk PunktSentenceTokenizer.
    """

    nltk_version: str
    digest: str
    splitter: Any

    def words(self, utf8: bytes, normalize: str | None = None) -> list[str]:
        """Return the tokens of `nltk.word_tokenize(text.lower())`.

        Args:
            utf8: a text.
            normalize: "NFC" or "NFKC" to bring the text into this form first.

        Raises:
            ValueError: the text is not UTF-8.
        """
        if normalize is not None:
            utf8 = _core.normalized(utf8, normalize).encode()
        sentences = self.splitter.tokenize(_core.lowered(utf8))
        return [word for sentence in sentences for word in _core.word_tokens(sentence)]


class _Contexts(dict[str, int]):
    """Punkt's orthographic contexts; 0 for words that have none.

    NLTK uses a defaultdict, which stores every word that it is asked for: it would grow with the
    corpus, and several threads would write to it.
    """

    def __missing__(self, word: str) -> int:
        return 0


@functools.cache
def punkt() -> Punkt:
    """Return Punkt for English, loaded once per process.

    Raises:
        SettingError: nltk or the data is not installed.
    """
    try:
        import nltk
        from nltk.tokenize.punkt import PunktTokenizer
    except ImportError as error:
        raise SettingError(
            "sentences=\"punkt\": NLTK, 3.9 or later, is not installed (pip install 'dsir[nltk]', "
            f"then python -m nltk.downloader punkt_tab); {_WITHOUT}"
        ) from error
    try:
        splitter = PunktTokenizer(LANGUAGE)
    except LookupError as error:
        raise SettingError(
            'sentences="punkt": NLTK\'s sentence data (Punkt) is not installed '
            f"(python -m nltk.downloader punkt_tab); {_WITHOUT}"
        ) from error
    parameters = splitter._params
    parameters.ortho_context = _Contexts(parameters.ortho_context)
    return Punkt(nltk.__version__, _digest(parameters), splitter)


def _digest(parameters: Any) -> str:
    content = [
        sorted(parameters.abbrev_types),
        sorted(map(list, parameters.collocations)),
        sorted(parameters.sent_starters),
        sorted((word, flags) for word, flags in parameters.ortho_context.items() if flags),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def in_words(text: pa.Array, normalize: str | None = None) -> pa.Array:
    """Return each text as its words joined by spaces, for the core's tokeniser "split".

    Nulls stay null. A text that is not UTF-8, or longer than a document may be, stays unchanged,
    because the core reports bad rows.

    Args:
        text: strings of any Arrow layout.
        normalize: "NFC" or "NFKC" to bring texts into this form first.

    Returns:
        A large_string array of the same length.

    Raises:
        SettingError: nltk or the data is not installed.
    """
    splitter = punkt()
    values = [
        None if value is None else _in_words(value, splitter, normalize) for value in _values(text)
    ]
    array = pa.array(values, pa.large_binary())
    return pa.Array.from_buffers(pa.large_string(), len(array), array.buffers())


def _in_words(utf8: bytes, splitter: Punkt, normalize: str | None) -> bytes:
    if len(utf8) > _LARGEST_DOCUMENT:
        return utf8
    try:
        words = splitter.words(utf8, normalize)
    except ValueError:  # Not UTF-8.
        return utf8
    return " ".join(words).encode()


def bytes_of(text: pa.Array) -> npt.NDArray[np.uint32]:
    """Return the bytes of each text as the core counts them: 0 for nulls and texts too long."""
    lengths = [0 if value is None else len(value) for value in _values(text)]
    return np.array([n if n <= _LARGEST_DOCUMENT else 0 for n in lengths], dtype=np.uint32)


def _values(text: pa.Array) -> list[bytes | None]:
    values: list[bytes | None] = (
        cast_column(text, pa.large_string()).cast(pa.large_binary()).to_pylist()
    )
    return values
