"""The checked arguments of a summary, and the steps from sentences to the summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments.arrays import array_of
from dsir.arguments.values import is_utf8, shown
from dsir.errors import SettingError, warn
from dsir.lexrank.cutting import Cutting
from dsir.lexrank.doubtful import LOOKED_AT, warn_of_flat, warn_of_uncut
from dsir.lexrank.idf import Idf, stopwords_beside
from dsir.lexrank.stopwords import stopwords_of
from dsir.lexrank.summaries.budget import SummaryBudget
from dsir.lexrank.summaries.candidates import Candidates
from dsir.lexrank.summaries.method import MethodSettings
from dsir.lexrank.summaries.methods import method_of
from dsir.lexrank.summary import Summary, summary_of
from dsir.lexrank.units import Units, units_of, weighed_terms
from dsir.lexrank.vector_lists import matrix_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Summarizer:
    """How to summarize. The values are checked.

    Attributes:
        method: the name of the method.
        budget: how long a summary may be.
        settings: what the method may be told.
        cutting: how sentences are cut into terms.
        idf: an idf fitted elsewhere; None to compute it from the sentences.
        query: a text that the summary is to answer; for embeddings a vector; None for none.
        threads: how many threads to use.
    """

    method: str
    budget: SummaryBudget
    settings: MethodSettings
    cutting: Cutting
    idf: Idf | None = None
    query: Any = None
    threads: int = 1

    def __post_init__(self) -> None:
        """Check the arguments that only go together."""
        lexrank = self.settings.lexrank
        method_of(
            self.method,
            {
                "threshold": lexrank.threshold,
                "damping": None if lexrank.damping == type(lexrank)().damping else lexrank.damping,
                "teleport": self.settings.teleport,
                "redundancy": self.budget.redundancy,
                "diversity": self.settings.diversity,
                "preceding": self.settings.preceding,
                "query": self.query,
            },
        )
        if self.idf is not None and not isinstance(self.idf, Idf):
            raise SettingError(f"idf={shown(self.idf)}: expected None or an Idf")
        _check_beside(self.idf, self.cutting)

    def counter(self) -> _core.TermCounter:
        """Return a counter for `count`."""
        stopwords = stopwords_beside(self.idf, self.cutting.stopwords) if self.cutting.plain else ()
        return _core.TermCounter(
            words_only=self.cutting.plain, stopwords=stopwords_of(stopwords), keep_rows=True
        )

    def count(self, counter: _core.TermCounter, texts: pa.Array) -> npt.NDArray[np.int64]:
        """Count the terms of sentences; return the positions of those that are not UTF-8."""
        if self.cutting.plain:
            return counter.add(texts, threads=self.threads)
        self.cutting.add(counter, texts, threads=self.threads)
        return np.zeros(0, dtype=np.int64)

    def units(self, texts: pa.Array | pa.ChunkedArray) -> Units:
        """Return the vectors of sentences."""
        if not self.cutting.plain:
            texts = self.cutting.column(texts)
            return units_of(texts, idf=self.idf, threads=self.threads)
        return units_of(texts, idf=self.idf, stopwords=self.cutting.stopwords, threads=self.threads)

    def to_query(
        self, texts: pa.Array | pa.ChunkedArray, embeddings: Any
    ) -> npt.NDArray[np.float64] | None:
        """Return the cosine of each sentence with the query, 0 to 1.

        Returns:
            None without a query, and with a warning if no sentence is like it.

        Raises:
            SettingError: the query is of another kind than the sentences.
        """
        if self.query is None:
            return None
        if embeddings is not None:
            cosines = _to_vector(matrix_of(embeddings, "text"), array_of("query", self.query))
        else:
            cosines = self._to_text(texts)
        cosines = np.clip(cosines, 0.0, 1.0)
        if cosines.any():
            return cosines
        if len(cosines):
            warn(
                f"query={shown(self.query)}: no sentence is like it, so the summary is one without "
                "a query; a sentence is like a text that has a term of it which not all have"
            )
        return None

    def _to_text(self, texts: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.float64]:
        if not isinstance(self.query, str):
            raise SettingError(
                f"query={shown(self.query)}: expected a text; a vector goes with embeddings=..."
            )
        if not is_utf8(self.query):
            raise SettingError(
                f"query={shown(self.query)}: holds half a surrogate pair, which is no text"
            )
        counter, own = self.counter(), self.counter()
        chunks = texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]
        for chunk in chunks:
            self.count(counter, chunk)
            self.count(own, chunk)
        self.count(counter, pa.array([self.query], pa.large_string()))
        # The query is no document: it must not change how rare terms are.
        rows = weighed_terms(counter, self.idf, threads=self.threads, fitted=own).rows
        return _core.cosines_with(rows, rows.size - 1, threads=self.threads)[:-1]

    def summary(
        self,
        texts: pa.Array | pa.ChunkedArray,
        offsets: npt.NDArray[np.int64],
        units: Units,
        *,
        embeddings: Any = None,
    ) -> Summary:
        """Choose among sentences.

        Args:
            texts: large_string, the sentences.
            offsets: int64[documents + 1]: where the sentences of each document begin.
            units: the vectors of the sentences.
            embeddings: the vectors as they were given, if they were; None for terms.
        """
        if self.cutting.plain and embeddings is None:
            warn_of_uncut(texts[:LOOKED_AT].to_pylist())
        candidates = Candidates(
            texts,
            offsets,
            units,
            self.cutting.tokens,
            self.cutting,
            self.to_query(texts, embeddings),
            self.threads,
        )
        choice = method_of(self.method, {}).choose(candidates, self.budget, self.settings)
        warn_of_flat(choice.scores, choice.has_edges, self.settings.lexrank.threshold)
        return summary_of(choice, candidates)


def _check_beside(idf: Idf | None, cutting: Cutting) -> None:
    """Refuse an idf whose documents were cut in another way.

    Raises:
        SettingError: the terms of the idf are not those of the sentences.
    """
    if idf is None:
        return
    stopwords_beside(idf, cutting.stopwords)
    for name in ("tokenizer", "stems", "ngram"):
        wanted, fitted = getattr(cutting, name), getattr(idf.cutting, name)
        # An idf of words also serves a function that cuts words.
        plain = name == "tokenizer" and idf.cutting.plain and not isinstance(wanted, str)
        if wanted != fitted and not plain:
            raise SettingError(
                f"{name}={shown(wanted)}: the idf was fitted with {name}={shown(fitted)}; fit it "
                f"with Idf({name}=...)"
            )


def _to_vector(vectors: npt.NDArray[Any], query: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    if query.dtype.kind not in "fiu" or vectors.ndim != 2 or query.shape != vectors.shape[1:]:
        raise SettingError(
            f"query: expected a vector of {vectors.shape[-1] if vectors.ndim else 0} numbers, as "
            f"the embeddings have; found an array of {query.dtype} of shape {query.shape}"
        )
    rows = units_of(np.vstack([vectors, query[None, :]]).astype(np.float64)).rows
    return _core.cosines_with(rows, rows.size - 1)[:-1]
