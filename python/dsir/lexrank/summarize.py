"""Extractive summaries: the most central sentences of texts, without repetition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments import flag, whole_number
from dsir.corpus.cast_columns import cast_column
from dsir.engine import thread_count
from dsir.errors import SettingError
from dsir.facts import Fact, Facts
from dsir.lexrank.doubtful import warn_of_flat
from dsir.lexrank.idf import Idf
from dsir.lexrank.rank import LexRankSettings, rank_units
from dsir.lexrank.sentences import check_language
from dsir.lexrank.sentences import sentences as sentences_of
from dsir.lexrank.stopwords import Stopwords
from dsir.lexrank.terms import shards_of
from dsir.lexrank.units import Units, units_of
from dsir.primitive_arrays import to_numpy

DEFAULT_SENTENCES = 5
# Chosen on Opinosis: docs/lab/lexrank.md.
DEFAULT_THRESHOLD = 0.2


@dataclass(frozen=True, slots=True, repr=False)
class Summary(Facts):
    """Chosen sentences, in the order of the documents.

    Attributes:
        sentences: the sentences.
        scores: float64, the centrality of each sentence.
        documents: int64, the number of each sentence's document.
        positions: int64, the position of each sentence in its document.
        ranks: int64, 0 for the sentence that was chosen first.

    Example:
        >>> reviews = ["Ships, courts, bakers. Ships sail. Courts judge. Bakers bake."]
        >>> summary = dsir.graph.summarize(reviews, sentences=1)
        >>> summary.words
        3
    """

    sentences: list[str]
    scores: npt.NDArray[np.float64]
    documents: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    ranks: npt.NDArray[np.int64]

    @property
    def text(self) -> str:
        """The sentences as one text."""
        return " ".join(self.sentences)

    @property
    def words(self) -> int:
        """How many words the sentences have, separated by white space."""
        return sum(words_in(sentence) for sentence in self.sentences)

    def _facts(self) -> Iterator[Fact]:
        """Give the size, and how the summary begins."""
        yield "sentences", f"{len(self):,}"
        yield "words", f"{self.words:,}"
        if self.sentences:
            yield "text", self.text

    def _more_facts(self) -> Iterator[Fact]:
        """Give every sentence with its score."""
        for sentence, score in zip(self.sentences, self.scores, strict=True):
            yield f"{score:.4f}", sentence

    def __len__(self) -> int:
        return len(self.sentences)

    def __iter__(self) -> Iterator[str]:
        return iter(self.sentences)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class SummaryBudget:
    """How long a summary may be, and how similar its sentences. The values are checked.

    Attributes:
        sentences: the most sentences; None if `words` limits the summary.
        words: the most words; None if `sentences` limits the summary.
        redundancy: a sentence is skipped if its cosine with a chosen sentence is above this.
        min_words: shorter sentences are skipped.
    """

    sentences: int | None = None
    words: int | None = None
    redundancy: float = 0.5
    min_words: int = 1

    def __post_init__(self) -> None:
        """Check the arguments."""
        if self.sentences is not None and self.words is not None:
            raise SettingError("give sentences=... or words=..., not both")
        if self.words is not None:
            object.__setattr__(self, "words", whole_number("words", self.words, 1))
        else:
            wanted = DEFAULT_SENTENCES if self.sentences is None else self.sentences
            object.__setattr__(self, "sentences", whole_number("sentences", wanted, 1))
        object.__setattr__(self, "min_words", whole_number("min_words", self.min_words, 0))
        limit = self.redundancy
        if not isinstance(limit, Real) or isinstance(limit, bool) or not 0 <= limit <= 1:
            raise SettingError(f"redundancy={limit!r}: expected a number from 0 to 1")


def summarize(
    texts: Any,
    *,
    sentences: int | None = None,
    words: int | None = None,
    redundancy: float = 0.5,
    min_words: int = 1,
    threshold: float | None = DEFAULT_THRESHOLD,
    damping: float = 0.85,
    idf: Idf | None = None,
    stopwords: Stopwords = None,
    teleport: Any = None,
    language: str | None = None,
    split: bool = True,
    tokens: Callable[[str], Iterable[str]] | None = None,
    text: str = "text",
    text_encoding: str | None = None,
    threads: int | None = None,
) -> Summary:
    """Choose the most central sentences of one or several documents.

    Sentences are taken by descending score; among equal scores the earlier sentence comes first. A
    sentence is skipped if its cosine with a chosen sentence is above `redundancy`, or if it would
    pass the budget of words. Shorter sentences after it may still fit. Sources: Erkan & Radev 2004,
    section 5; docs/algorithms.md, section 11. The defaults were chosen in docs/lab/lexrank.md.

    Args:
        texts: a str, or documents: a list of str, an Arrow column or table, a `Path`, ...
        sentences: how many to choose; 5 if `words` is not given either.
        words: how many words at most, separated by white space.
        redundancy: 0 to 1; with 1 nothing is skipped, not even repeated sentences.
        min_words: shorter sentences are never chosen: headings, fragments, exclamations.
        threshold: see `lexrank`. None is the continuous variant, which is better with an idf from a
            larger corpus, and suits very many sentences.
        damping: see `lexrank`.
        idf: an idf fitted elsewhere, best on the corpus that the texts come from. None to compute
            it from the sentences, which gives little weight to their common subject.
        stopwords: None, "en" or a list of terms to leave out.
        teleport: a number for each sentence, see `lexrank`.
        language: how to split into sentences, see `sentences`.
        split: False if each text is already one sentence.
        tokens: cuts a sentence into words, for languages that write no spaces between words, such
            as `jieba.lcut` for Chinese. Tokens without a letter or digit are left out.
        text: the text column, if there are columns.
        text_encoding: the encoding of a text column of bytes, such as "utf-8"; None if such
            a column is an error.
        threads: how many threads to use; None for every core. The summary does not depend on them.

    Warns:
        DsirWarning: no two sentences are similar, all scores are equal, or the words of the
            sentences are not cut.

    Raises:
        SettingError: an argument is out of range.
        InputError: a document cannot be read.

    Example:
        >>> reviews = ["Ships, courts, bakers. Ships sail. Courts judge. Bakers bake."]
        >>> dsir.graph.summarize(reviews, sentences=2).words
        5
    """
    if tokens is not None and not callable(tokens):
        raise SettingError(
            f"tokens={tokens!r}: expected a function that cuts a sentence into words"
        )
    budget = SummaryBudget(sentences, words, redundancy, min_words)
    settings = LexRankSettings(threshold, damping)
    used = thread_count(threads)
    documents = [texts] if isinstance(texts, str) else texts
    check_language(language)
    if flag("split", split):
        lists = sentences_of(documents, language=language, column=text, text_encoding=text_encoding)
        lists = pa.concat_arrays(lists.chunks) if lists.num_chunks else lists.combine_chunks()
        candidates = lists.flatten()
        offsets = to_numpy(lists.offsets).astype(np.int64)
    else:
        candidates = _one_text_a_row(documents, text, text_encoding)
        offsets = np.arange(len(candidates) + 1, dtype=np.int64)
    source = candidates if tokens is None else _tokens_of(candidates, tokens)
    units = units_of(source, idf=idf, stopwords=stopwords, threads=used)
    found = rank_units(units, settings, teleport=teleport, threads=used)
    scores = found.scores
    warn_of_flat(scores, found.has_edges, settings.threshold, stacklevel=2)
    chosen = choose(units, scores, candidates, budget, threads=used)
    return summary_of(chosen, scores, candidates, offsets)


def summary_of(
    chosen: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float64],
    candidates: pa.Array | pa.ChunkedArray,
    offsets: npt.NDArray[np.int64],
) -> Summary:
    """Return the summary that consists of chosen sentences.

    Args:
        chosen: the numbers of the sentences, in the order in which they were chosen.
        scores: float64[sentences].
        candidates: all sentences.
        offsets: int64[documents + 1]: where the sentences of each document begin.
    """
    ranks = np.argsort(chosen, kind="stable")
    rows = chosen[ranks]
    from_document = np.searchsorted(offsets, rows, side="right") - 1
    return Summary(
        [str(candidates[int(row)].as_py()) for row in rows],
        scores[rows],
        from_document,
        rows - offsets[from_document],
        ranks,
    )


def choose(
    units: Units,
    scores: npt.NDArray[np.float64],
    candidates: pa.Array | pa.ChunkedArray,
    budget: SummaryBudget,
    *,
    threads: int = 1,
) -> npt.NDArray[np.int64]:
    """Choose units by score under a budget; see `summarize`.

    Args:
        units: the vectors.
        scores: float64[units]; a unit with score 0 is never chosen.
        candidates: the texts, to count their words.
        budget: how many sentences or words to choose.
        threads: how many threads to use.

    Returns:
        int64, the units in the order in which they were chosen.
    """
    closest = np.zeros(len(scores))
    chosen: list[int] = []
    words_left = budget.words
    for row in np.argsort(-scores, kind="stable").tolist():
        if scores[row] <= 0 or words_left == 0 or len(chosen) == budget.sentences:
            break
        if closest[row] > budget.redundancy:
            continue
        length = words_in(candidates[row].as_py())
        if length < budget.min_words or (words_left is not None and length > words_left):
            continue
        if words_left is not None:
            words_left -= length
        chosen.append(row)
        if budget.redundancy < 1:
            # Skipped for redundancy=1: rounding may put the cosine of equal sentences above 1.
            near = _core.cosines_with(units.rows, row, threads=threads)
            np.maximum(closest, near, out=closest)
    return np.array(chosen, dtype=np.int64)


def words_in(text: str) -> int:
    """Return how many words a text has, separated by white space."""
    return len(text.split())


def _tokens_of(sentences: pa.Array, tokens: Callable[[str], Iterable[str]]) -> pa.Array:
    """Return the tokens of sentences as an Arrow column of lists."""
    found = [
        [one for one in tokens(sentence) if any(map(str.isalnum, one))] if sentence else []
        for sentence in sentences.to_pylist()
    ]
    return pa.array(found, pa.list_(pa.large_string()))


def _one_text_a_row(documents: Any, text: str, text_encoding: str | None) -> pa.Array:
    batches = [
        cast_column(batch.text, pa.large_string())
        for shard in shards_of(documents, text=text, text_encoding=text_encoding, name="texts")
        for batch in shard.text_batches(on_error="raise")
    ]
    return pa.concat_arrays(batches) if batches else pa.array([], pa.large_string())
