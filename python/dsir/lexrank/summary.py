"""Summaries as they are given back: chosen sentences, and where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir.facts import Fact, Facts
from dsir.lexrank.summaries.candidates import Candidates, words_in
from dsir.lexrank.summaries.method import Choice


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Summary(Facts):
    """Chosen sentences, in the order of the documents.

    Attributes:
        sentences: the sentences.
        scores: float64, what the method thinks of each sentence: for "lexrank" its centrality.
        documents: int64, the number of each sentence's document.
        positions: int64, the position of each sentence in its document.
        ranks: int64, 0 for the sentence that was chosen first.
        value: what the sentences are worth together, by the methods "concepts" and "submodular";
            None for others.
        bound: with "concepts": no summary within the budget is worth more. Equal to `value` if the
            summary is the best one.

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
    value: float | None = None
    bound: float | None = None

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


def summary_of(choice: Choice, candidates: Candidates) -> Summary:
    """Return the summary that a method chose."""
    ranks = np.argsort(choice.rows, kind="stable")
    rows = choice.rows[ranks]
    offsets = candidates.offsets
    from_document = np.searchsorted(offsets, rows, side="right") - 1
    return Summary(
        [candidates.text(row) for row in rows.tolist()],
        choice.scores[rows],
        from_document,
        rows - offsets[from_document],
        ranks,
        choice.value,
        choice.bound,
    )
