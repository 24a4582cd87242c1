"""Splits texts into sentences, by a plain rule or with a library that knows languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, overload

import numpy as np
import pyarrow as pa

from dsir import _core
from dsir.corpus.bad_text import bad_text_error
from dsir.corpus.cast_columns import cast_column
from dsir.errors import RowError, SettingError
from dsir.lexrank.terms import shards_of
from dsir.model.features import utf8_of
from dsir.primitive_arrays import to_arrow

# The languages that sentencex has rules for, and other codes of ISO 639-1, for which it takes the
# rules of a near language or those that most languages share.
_OWN_RULES = (
    "am ar bg bn ca da de el en es fi fr gu hi hy it ja kk kn ml mr my nl pa pl pt ru sk ta te uk "
    "zh"
)
_NEAR_RULES = (
    "aa ab ae af ak an as av ay az ba be bh bi bm bo br bs ce ch co cr cs cu cv cy dv dz ee eo et "
    "eu fa ff fj fo fy ga gd gl gn gv ha he ho hr ht hu hz ia id ie ig ii ik io is iu jv ka kg ki "
    "kj kl km ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk mn ms mt na nb nd ne ng "
    "nn no nr nv ny oc oj om or os pi ps qu rm rn ro rw sa sc sd se sg si sl sm sn so sq sr ss st "
    "su sv sw tg th ti tk tl tn to tr ts tt tw ty ug ur uz ve vi vo wa wo xh yi yo yue za zu"
)
_LANGUAGES = frozenset(f"{_OWN_RULES} {_NEAR_RULES}".split())


@overload
def sentences(
    text: str, *, language: str | None = ..., column: str = ..., text_encoding: str | None = ...
) -> list[str]: ...
@overload
def sentences(
    text: Any, *, language: str | None = ..., column: str = ..., text_encoding: str | None = ...
) -> pa.ChunkedArray: ...
def sentences(
    text: Any,
    *,
    language: str | None = None,
    column: str = "text",
    text_encoding: str | None = None,
) -> list[str] | pa.ChunkedArray:
    """Split a text, or many, into sentences.

    Without a language one rule applies: a sentence ends at a blank line, at a CJK full stop, and at
    . ! ? … followed by white space and anything but a lower-case letter. A single point after an
    initial or a title (J. Smith, Dr. Smith) does not end a sentence. With a language the library
    sentencex splits, which knows the abbreviations and quotes of many languages
    (`pip install 'dsir[sentences]'`).

    Args:
        text: a str; or many documents: a list of str, an Arrow column or table, a `Path`, ...
            A str is always a text, never a path.
        language: code of ISO 639-1 such as "en" or "ja"; None for the plain rule.
        column: the text column, if there are columns.
        text_encoding: the encoding of a text column of bytes, such as "utf-8"; None if such a
            column is an error.

    Returns:
        For a str, the list of its sentences, without white space around them. For documents, an
        Arrow column of large_list<large_string> with a row for each document; null documents have
        no sentences.

    Raises:
        SettingError: the library is needed but not installed, or the language is not known.
        InputError: a document cannot be read, or is not UTF-8.

    Example:
        >>> dsir.graph.sentences("Ships sail. Ships sink.")
        ['Ships sail.', 'Ships sink.']
    """
    split = _rule if language is None else _library(language)
    if isinstance(text, str):
        utf8_of(text)  # Refuses lone surrogates with an error that names their place.
        return [str(one) for one in split(pa.array([text], pa.large_string()))[0][0].as_py()]
    chunks = list(
        sentence_lists(text, language=language, column=column, text_encoding=text_encoding)
    )
    return pa.chunked_array(chunks, type=pa.large_list(pa.large_string()))


def sentence_lists(
    documents: Any,
    *,
    language: str | None = None,
    column: str = "text",
    text_encoding: str | None = None,
    split: bool = True,
) -> Iterator[pa.Array]:
    """Split many documents batch by batch; see `sentences`.

    Args:
        documents: the `text` of `sentences`, other than a str.
        language: see `sentences`.
        column: the text column, if there are columns.
        text_encoding: see `sentences`.
        split: False if each document is one sentence; a null document is then a null sentence.

    Returns:
        An iterator over arrays of large_list<large_string>, with a row for each document.
    """
    rule = None if not split else _rule if language is None else _library(language)
    for shard in shards_of(documents, text=column, text_encoding=text_encoding, name="texts"):
        for batch in shard.text_batches(on_error="raise"):
            if rule is None:
                found, invalid = _whole(batch.text)
            else:
                found, invalid = rule(batch.text)
            if invalid:
                raise bad_text_error(shard.name, batch.unit_row, batch.text, invalid[0])
            yield found


_Split = Callable[[pa.Array], tuple[pa.Array, list[int]]]


def _rule(texts: pa.Array) -> tuple[pa.Array, list[int]]:
    characters, ends, rows, invalid = _core.split_sentences(texts)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(characters)]
    values = pa.Array.from_buffers(pa.large_string(), len(ends) - 1, buffers)
    return pa.LargeListArray.from_arrays(to_arrow(rows), values), invalid.tolist()


def _whole(texts: pa.Array) -> tuple[pa.Array, list[int]]:
    offsets = np.arange(len(texts) + 1, dtype=np.int64)
    texts = cast_column(texts, pa.large_string())
    counter = _core.TermCounter(words_only=True, stopwords=[], keep_rows=False)
    invalid = counter.add(texts, threads=1).tolist()
    return pa.LargeListArray.from_arrays(to_arrow(offsets), texts), invalid


def check_language(language: object) -> None:
    """Raise SettingError unless a language is None or a code that sentences can be split by.

    The library takes any string, and splits by English rules where it does not know the language.
    """
    if language is None:
        return
    base = language.partition("-")[0] if isinstance(language, str) else ""
    if base not in _LANGUAGES:
        raise SettingError(
            f"language={language!r}: expected a code; there are rules for {_OWN_RULES}; other "
            "codes of ISO 639-1, such as 'sv', are split by near ones; leave the language out to "
            "use the plain rule"
        )


def _library(language: str) -> _Split:
    check_language(language)
    try:
        from sentencex import segment
    except ImportError as error:
        raise SettingError(
            f"language={language!r}: needs the library sentencex: run pip install "
            "'dsir[sentences]', or leave the language out to use the plain rule"
        ) from error

    def split(texts: pa.Array) -> tuple[pa.Array, list[int]]:
        found: list[list[str]] = []
        for position, text in enumerate(_strings(texts)):
            if isinstance(text, RowError):
                return pa.array([], pa.large_list(pa.large_string())), [position]
            segments = (str(one).strip() for one in segment(language, text)) if text else ()
            found.append([sentence for sentence in segments if sentence])
        return pa.array(found, pa.large_list(pa.large_string())), []

    return split


def _strings(texts: pa.Array) -> list[str | RowError | None]:
    strings: list[str | RowError | None] = []
    for value in texts:
        try:
            strings.append(value.as_py())
        except UnicodeDecodeError as error:
            strings.append(RowError(str(error)))
    return strings
