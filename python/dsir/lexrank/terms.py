"""Counts the terms of texts, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from dsir import _core
from dsir.arguments.values import flag, name_of_column
from dsir.corpus import Corpus, Shard, resolve
from dsir.corpus.bad_text import bad_text_error
from dsir.corpus.tables import table_of, table_of_texts
from dsir.errors import SettingError
from dsir.lexrank.cutting import Cutting
from dsir.lexrank.doubtful import LOOKED_AT, warn_of_uncut
from dsir.lexrank.stopwords import Stopwords, stopwords_of


def count_terms(
    source: object,
    *,
    text: str,
    text_encoding: str | None = None,
    name: str,
    stopwords: Stopwords,
    punctuation: bool,
    keep_rows: bool,
    threads: int,
    cutting: Cutting | None = None,
) -> _core.TermCounter:
    """Count the terms of every text of a source, batch by batch.

    Args:
        source: a corpus, or anything that `shards_of` takes.
        text: the text column, if there are columns.
        text_encoding: the encoding of a text column of bytes; None if such a column is an error.
        name: the name of the source in messages.
        stopwords: see `stopwords_of`.
        punctuation: whether runs of punctuation are terms too.
        keep_rows: keep the counts of every text, not only the number of documents of each term.
        threads: how many threads to use; the result does not depend on them.
        cutting: how texts are cut into terms, if these are not words.

    Raises:
        InputError: a text cannot be read, or is not UTF-8.
    """
    counter = _core.TermCounter(
        words_only=not flag("punctuation", punctuation),
        stopwords=stopwords_of(stopwords),
        keep_rows=keep_rows,
    )
    cut = None if cutting is None or cutting.plain else cutting
    first = True
    for shard in shards_of(source, text=text, text_encoding=text_encoding, name=name):
        for batch in shard.text_batches(on_error="raise", threads=threads):
            # Own terms are cut in Python, which cannot read what is not UTF-8.
            reader = counter if cut is None else _unread()
            invalid = reader.add(batch.text, threads=threads)
            if len(invalid):
                raise bad_text_error(shard.name, batch.unit_row, batch.text, int(invalid[0]))
            if cut is not None:
                cut.add(counter, batch.text, threads=threads)
            elif first:
                warn_of_uncut(batch.text[:LOOKED_AT].to_pylist())
                first = False
    return counter


def _unread() -> _core.TermCounter:
    return _core.TermCounter(words_only=True, stopwords=[], keep_rows=False)


def shards_of(
    source: object, *, text: str, text_encoding: str | None = None, name: str
) -> Iterator[Shard]:
    """Give the shards of anything that `dsir.corpus.resolve` takes.

    But here strings in a list or an Arrow array are always texts, even if they look like paths: a
    sentence may well end in the name of a file. An empty list has no shards.
    """
    if isinstance(source, Corpus):
        yield from source.shards
        return
    name_of_column("text", text)
    if isinstance(source, list | tuple):
        if not source:
            return
        refuse_lists(source, name)
        if all(element is None or isinstance(element, str) for element in source):
            source = table_of_texts(source, text, name)
    elif isinstance(source, pa.Array | pa.ChunkedArray):
        source = table_of(source, text, name)
    yield from resolve(source, text=text, name=name, encoding=text_encoding).shards


def refuse_lists(elements: Sequence[object], name: str) -> None:
    """Refuse lists in a list: whether they are documents, sentences or tokens is unclear.

    Raises:
        SettingError: an element is a list or tuple.
    """
    for position, element in enumerate(elements):
        if isinstance(element, list | tuple):
            raise SettingError(
                f"{name}: element {position} is a {type(element).__name__}, and whether it is a "
                "document, sentences or tokens is unclear; give a document as one text "
                "(' '.join(...)), sentences as one list of texts, and tokens to lexrank or "
                'similarity_join; summarize takes lists="sentences" and lists="tokens"'
            )
