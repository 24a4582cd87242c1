"""The sentences that a summary is chosen from: their texts, lengths, places and vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.lexrank.summaries.budget import BudgetUnit, SummaryBudget
from dsir.lexrank.units import Units

Cut = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Sentences to choose from.

    Attributes:
        texts: large_string, every sentence, document after document.
        offsets: int64[documents + 1]: where the sentences of each document begin.
        units: the vectors of the sentences.
        cut: returns the tokens of a sentence, for budgets of tokens.
        terms: returns the terms of a sentence, in order.
        to_query: float64[sentences], 0 to 1: the cosine of each sentence with the query; None
            without a query.
        threads: how many threads to use; no method's choice depends on them.
    """

    texts: pa.Array | pa.ChunkedArray
    offsets: npt.NDArray[np.int64]
    units: Units
    cut: Cut
    terms: Cut
    to_query: npt.NDArray[np.float64] | None = None
    threads: int = 1
    _lengths: dict[tuple[BudgetUnit, int], int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def documents(self) -> npt.NDArray[np.int64]:
        """int64[sentences]: the document of each sentence."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @property
    def positions(self) -> npt.NDArray[np.int64]:
        """int64[sentences]: the place of each sentence in its document, from 0."""
        return np.arange(len(self)) - np.repeat(self.offsets[:-1], np.diff(self.offsets))

    def text(self, row: int) -> str:
        """Return a sentence; a null sentence is empty."""
        return self.texts[row].as_py() or ""

    def length(self, row: int, unit: BudgetUnit) -> int:
        """Return how much of a budget a sentence takes."""
        if unit == "sentences":
            return 1
        known = self._lengths.get((unit, row))
        if known is None:
            known = self._lengths[unit, row] = self._measured(self.text(row), unit)
        return known

    def _measured(self, text: str, unit: BudgetUnit) -> int:
        if unit == "words":
            return words_in(text)
        return len(text) if unit == "characters" else len(self.cut(text))

    def allowed(self, row: int, budget: SummaryBudget) -> bool:
        """Return whether a sentence has a term, words enough, and fits into the whole budget."""
        return (
            bool(self.units.occupied[row])
            and self.length(row, "words") >= budget.min_words
            and self.length(row, budget.unit) <= budget.limit
        )

    def all_allowed(self, budget: SummaryBudget) -> npt.NDArray[np.bool_]:
        """bool[sentences]: `allowed` of every sentence."""
        return np.array([self.allowed(row, budget) for row in range(len(self))], dtype=np.bool_)

    def lengths(self, budget: SummaryBudget) -> npt.NDArray[np.int64]:
        """int64[sentences]: `length` of every sentence, at least 1."""
        found = [max(1, self.length(row, budget.unit)) for row in range(len(self))]
        return np.array(found, dtype=np.int64)

    def sizes(self, budget: SummaryBudget) -> npt.NDArray[np.int64]:
        """int64[sentences]: `lengths`, but characters if the budget counts sentences."""
        if budget.unit != "sentences":
            return self.lengths(budget)
        found = [max(1, self.length(row, "characters")) for row in range(len(self))]
        return np.array(found, dtype=np.int64)

    def cosines_with(self, row: int) -> npt.NDArray[np.float64]:
        """float64[sentences]: the cosine of each sentence with one of them."""
        return _core.cosines_with(self.units.rows, row, threads=self.threads)

    def to_centre(self) -> npt.NDArray[np.float64]:
        """float64[sentences]: the cosine of each sentence with the sum of all, scaled to length 1.

        Negative cosines count as 0. A sentence whose terms all have idf 0 is like itself alone.
        """
        sums = _core.cosine_degrees(self.units.rows, threads=self.threads)
        sums[(sums == 0) & (self.units.occupied != 0)] = 1.0
        total = float(sums.sum())
        if total <= 0:
            return np.zeros(len(sums))
        found: npt.NDArray[np.float64] = np.clip(sums / np.sqrt(total), 0.0, 1.0)
        return found

    def directed(self, preceding: float) -> npt.NDArray[np.float64]:
        """float64[sentences]: the sum of each sentence's cosines with others, by their direction.

        In a document an earlier sentence counts `preceding` times, a later one 1 - `preceding`
        times; a sentence of another document counts half, because no direction is known. Source:
        Zheng & Lapata 2019, section 3.1.
        """
        return _core.directed_degrees(
            self.units.rows, self.offsets, preceding=preceding, threads=self.threads
        )


def words_in(text: str) -> int:
    """Return how many words a text has, separated by white space."""
    return len(text.split())
