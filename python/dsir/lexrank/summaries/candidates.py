"""The sentences that a summary is chosen from: their texts, lengths, places and vectors."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.lexrank.cutting import Cutting
from dsir.lexrank.summaries.budget import BudgetUnit, SummaryBudget
from dsir.lexrank.units import Units

_AT_ONCE = 10_000
Cut = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Sentences to choose from.

    Attributes:
        texts: large_string, every sentence, document after document.
        offsets: int64[documents + 1]: where the sentences of each document begin.
        units: the vectors of the sentences.
        cut: returns the tokens of a sentence, for budgets of tokens.
        cutting: how sentences are cut into terms.
        to_query: float64[sentences], 0 to 1: the cosine of each sentence with the query; None
            without a query.
        threads: how many threads to use; no method's choice depends on them.
    """

    texts: pa.Array | pa.ChunkedArray
    offsets: npt.NDArray[np.int64]
    units: Units
    cut: Cut
    cutting: Cutting
    to_query: npt.NDArray[np.float64] | None = None
    threads: int = 1
    _lengths: dict[tuple[BudgetUnit, int], int] = field(default_factory=dict)
    _all_lengths: dict[BudgetUnit, npt.NDArray[np.int64]] = field(default_factory=dict)

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

    def sequences(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return the terms of every sentence in order; see `Cutting.sequences`."""
        return self.cutting.sequences(self._chunks())

    def _chunks(self) -> list[pa.Array]:
        return self.texts.chunks if isinstance(self.texts, pa.ChunkedArray) else [self.texts]

    def all_texts(self) -> Iterator[str]:
        """Give every sentence, few of them in memory at a time; a null sentence is empty."""
        for chunk in self._chunks():
            for begin in range(0, len(chunk), _AT_ONCE):
                for text in chunk.slice(begin, _AT_ONCE).to_pylist():
                    yield text or ""

    def all_allowed(self, budget: SummaryBudget) -> npt.NDArray[np.bool_]:
        """bool[sentences]: whether each has a term, words enough, and fits into the budget."""
        fits: npt.NDArray[np.bool_] = self.all_lengths(budget.unit) <= budget.limit
        fits &= self.units.occupied != 0
        if budget.min_words > 1:  # A sentence with a term has a word.
            fits &= self.all_lengths("words") >= budget.min_words
        return fits

    def all_lengths(self, unit: BudgetUnit) -> npt.NDArray[np.int64]:
        """int64[sentences]: `length` of every sentence."""
        known = self._all_lengths.get(unit)
        if known is None:
            found: Iterable[int]
            if unit == "sentences":
                found = itertools.repeat(1, len(self))
            else:
                found = (self._measured(text, unit) for text in self.all_texts())
            known = self._all_lengths[unit] = np.fromiter(found, np.int64, len(self))
        return known

    def lengths(self, budget: SummaryBudget) -> npt.NDArray[np.int64]:
        """int64[sentences]: what each takes of a budget, at least 1."""
        return np.maximum(1, self.all_lengths(budget.unit))

    def sizes(self, budget: SummaryBudget) -> npt.NDArray[np.int64]:
        """int64[sentences]: `lengths`, but characters if the budget counts sentences."""
        unit = "characters" if budget.unit == "sentences" else budget.unit
        return np.maximum(1, self.all_lengths(unit))

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
