"""Extractive summaries: the sentences that say most of what texts say."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments.values import flag, one_of
from dsir.corpus.cast_columns import cast_column
from dsir.engine import thread_count
from dsir.errors import SettingError
from dsir.lexrank.cutting import Cutting
from dsir.lexrank.idf import Idf, stopwords_beside
from dsir.lexrank.rank import LexRankSettings
from dsir.lexrank.sentences import check_language
from dsir.lexrank.sentences import sentences as sentences_of
from dsir.lexrank.stopwords import Stopwords
from dsir.lexrank.summaries.budget import SummaryBudget
from dsir.lexrank.summaries.method import MethodSettings
from dsir.lexrank.summaries.methods import DEFAULT_METHOD, SummaryMethod
from dsir.lexrank.summarizer import Summarizer
from dsir.lexrank.summary import Summary
from dsir.lexrank.terms import shards_of
from dsir.lexrank.units import Units, units_of
from dsir.primitive_arrays import to_numpy

# What the elements of lists in a list are.
Lists = Literal["sentences", "tokens"]


def summarize(
    texts: Any,
    *,
    method: SummaryMethod = DEFAULT_METHOD,
    sentences: int | None = None,
    words: int | None = None,
    characters: int | None = None,
    tokens: int | None = None,
    redundancy: float | None = None,
    diversity: float | None = None,
    min_words: int = 1,
    threshold: float | None = None,
    damping: float = 0.85,
    preceding: float | None = None,
    idf: Idf | None = None,
    stopwords: Stopwords = None,
    stems: str | None = None,
    tokenizer: Any = None,
    ngram: int = 1,
    query: Any = None,
    teleport: Any = None,
    embeddings: Any = None,
    language: str | None = None,
    split: bool = True,
    lists: Lists | None = None,
    text: str = "text",
    text_encoding: str | None = None,
    threads: int | None = None,
) -> Summary:
    """Choose the sentences that say most of what one or several documents say.

    Give the length as `sentences`, `words`, `characters` or `tokens`; 5 sentences if none is given.
    A sentence that does not fit into what is left is passed over; shorter ones after it may fit.
    Sources: docs/algorithms.md, section 11; the defaults were chosen in docs/lab/lexrank.md.

    Methods:
        "coverage": sentences that are like those after them, and that add bigrams which others
            have too.
        "lexrank": the most central sentences, by descending score (Erkan & Radev 2004).
        "concepts": sentences that together have the most shared bigrams (Gillick & Favre 2009): the
            best such summary if the texts are short, else the greedy one; `Summary.bound` tells.
        "mmr": relevant sentences that do not repeat the chosen ones (Carbonell & Goldstein 1998).
        "submodular": sentences that cover all others, from many clusters (Lin & Bilmes 2011).
        "centroid": the sentences nearest to the centre of all (Radev et al. 2004).
        "lead": the first sentence of every document, then the second, ...

    Args:
        texts: a str, or documents: a list of str, an Arrow column or table, a `Path`, ...
        method: how to choose.
        sentences: how many to choose.
        words: how many words at most, separated by white space.
        characters: how many characters at most.
        tokens: how many tokens of `tokenizer` at most.
        redundancy: 0 to 1: a sentence is skipped if its cosine with a chosen one is above this; 0.5
            by default; with 1 nothing is skipped, not even repeated sentences. Not for "concepts",
            "mmr" and "submodular", which measure repetition in another way.
        diversity: 0 to 1, for "coverage", "mmr" and "submodular": how much it counts that a
            sentence says something new, against its relevance.
        min_words: shorter sentences are never chosen: headings, fragments, exclamations.
        threshold: for "lexrank": see `lexrank`; None is the continuous variant.
        damping: for "lexrank": see `lexrank`.
        preceding: for "coverage" and "lexrank": how much similarity to an earlier sentence of the
            document counts; similarity to a later one counts 1 - `preceding` (PacSum, Zheng &
            Lapata 2019). 0.5 knows no direction; -1 to 0 prefers sentences that later ones take up.
            -0.25 by default for "coverage"; "lexrank" walks without a direction by default.
        idf: an idf fitted elsewhere, best on the corpus that the texts come from. None to compute
            it from the sentences, which gives little weight to their common subject.
        stopwords: terms to leave out: None, the code of a language such as "en", or a list.
        stems: the code of a language, such as "de": words are compared by their stems (extra
            `languages`).
        tokenizer: how sentences are cut: None for words; "unicode", "chars" or another name,
            vocabulary or kernel that `HashedNgrams` takes; or a function such as `jieba.lcut`.
            Tokens without a letter or digit are no terms.
        ngram: how many tokens in a row are a term; `tokenizer="chars", ngram=2` compares by pairs
            of characters, which suits Chinese, Japanese and Thai without a library.
        query: a text that the summary is to answer; with `embeddings`, a vector. Relevance is then
            the cosine with it; "lexrank" jumps to sentences in proportion to it. Not for "concepts"
            and "lead".
        teleport: for "lexrank": a number for each sentence, see `lexrank`.
        embeddings: a vector for each sentence, as `lexrank` takes them, to compare sentences by.
        language: how to split into sentences, see `sentences`.
        split: False if each text is already one sentence.
        lists: what a list in `texts` is: "sentences" of one document, or "tokens" of one sentence.
        text: the text column, if there are columns.
        text_encoding: the encoding of a text column of bytes, such as "utf-8"; None if such
            a column is an error.
        threads: how many threads to use; None for every core. The summary does not depend on them.

    Warns:
        DsirWarning: no two sentences are similar, all scores are equal, no sentence is like the
            query, or the words of the sentences are not cut.

    Raises:
        SettingError: an argument is out of range, or the method does not read it.
        InputError: a document cannot be read.

    Example:
        >>> reviews = ["Ships, courts, bakers. Ships sail. Courts judge. Bakers bake."]
        >>> dsir.graph.summarize(reviews, sentences=2).words
        5
    """
    if callable(tokens):
        raise SettingError(
            "tokens is the length of the summary; give the function that cuts sentences as "
            "tokenizer=..."
        )
    flag("split", split)
    if lists is not None:
        one_of("lists", lists, get_args(Lists))
    check_language(language)
    if lists == "tokens":
        if tokenizer is not None:
            raise SettingError('give tokenizer=... or lists="tokens", not both')
        tokenizer = str.split
    if idf is not None and not isinstance(idf, Idf):
        raise SettingError(f"idf={idf!r}: expected None or an Idf")
    summarizer = Summarizer(
        method=method,
        budget=SummaryBudget(
            sentences, words, redundancy, min_words, characters=characters, tokens=tokens
        ),
        settings=MethodSettings(
            LexRankSettings(threshold, damping), teleport, diversity, preceding
        ),
        cutting=Cutting(tokenizer, stems, ngram, stopwords_beside(idf, stopwords)),
        idf=idf,
        query=query,
        threads=thread_count(threads),
    )
    documents = [texts] if isinstance(texts, str) else texts
    if lists is not None:
        candidates, offsets = _from_lists(documents, lists, text)
    else:
        candidates, offsets = sentences_in(
            documents, language=language, split=split, text=text, text_encoding=text_encoding
        )
    units = summarizer.units(candidates) if embeddings is None else _vectors(embeddings, candidates)
    return summarizer.summary(candidates, offsets, units, embeddings=embeddings)


def sentences_in(
    documents: Any,
    *,
    language: str | None,
    split: bool,
    text: str = "text",
    text_encoding: str | None = None,
) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """Return the sentences of documents, and where those of each document begin.

    The arguments are those of `summarize`.
    """
    if not split:
        rows = _one_text_a_row(documents, text, text_encoding)
        return rows, np.arange(len(rows) + 1, dtype=np.int64)
    found = sentences_of(documents, language=language, column=text, text_encoding=text_encoding)
    lists = pa.concat_arrays(found.chunks) if found.num_chunks else found.combine_chunks()
    return lists.flatten(), to_numpy(lists.offsets).astype(np.int64)


def _vectors(embeddings: Any, candidates: pa.Array) -> Units:
    """Return embeddings as the vectors of sentences.

    Raises:
        SettingError: they are no vectors, or not one for each sentence.
    """
    units = units_of(embeddings)
    if len(units) != len(candidates):
        raise SettingError(
            f"embeddings: {len(units):,} vectors for {len(candidates):,} sentences; split the "
            "documents with dsir.graph.sentences to see which sentences they have"
        )
    return units


def _from_lists(documents: Any, lists: Lists, text: str) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """Return the sentences in lists, and where those of each document begin.

    Raises:
        SettingError: the source holds no lists of strings.
    """
    if isinstance(documents, pa.Table | pa.RecordBatch) and text in documents.schema.names:
        documents = documents.column(text)
    if isinstance(documents, pa.Array | pa.ChunkedArray):
        documents = documents.to_pylist()
    expected = f"lists={lists!r}: expected a list of lists of str, one for each "
    what = "document" if lists == "sentences" else "sentence"
    if not isinstance(documents, list | tuple):
        raise SettingError(f"{expected}{what}; found {type(documents).__name__}")
    for row, one in enumerate(documents):
        if one is not None and not isinstance(one, list | tuple):
            raise SettingError(f"{expected}{what}; element {row} is {type(one).__name__}")
        for part in one or ():
            if not isinstance(part, str):
                raise SettingError(f"{expected}{what}; element {row} holds {type(part).__name__}")
            if lists == "tokens" and (not part or any(map(str.isspace, part))):
                raise SettingError(
                    f"{expected}{what}; element {row} holds {part[:40]!r}, which is no token"
                )
    try:
        if lists == "tokens":
            rows = pa.array([" ".join(one or ()) for one in documents], pa.large_string())
            return rows, np.arange(len(rows) + 1, dtype=np.int64)
        flat = pa.array([part for one in documents for part in one or ()], pa.large_string())
    except UnicodeEncodeError as error:
        raise SettingError("texts: a string holds half a surrogate pair") from error
    lengths = [len(one or ()) for one in documents]
    return flat, np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)


def _one_text_a_row(documents: Any, text: str, text_encoding: str | None) -> pa.Array:
    batches = [
        cast_column(batch.text, pa.large_string())
        for shard in shards_of(documents, text=text, text_encoding=text_encoding, name="texts")
        for batch in shard.text_batches(on_error="raise")
    ]
    return pa.concat_arrays(batches) if batches else pa.array([], pa.large_string())
