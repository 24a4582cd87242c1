"""Similarity graphs: which text units are similar, and how similar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments.values import whole_number
from dsir.engine import thread_count
from dsir.errors import SettingError
from dsir.facts import Fact, Facts
from dsir.lexrank.graph_export import checked_scores, edges_of, networkx_graph, write_graphml
from dsir.lexrank.idf import Idf
from dsir.lexrank.stopwords import Stopwords
from dsir.lexrank.units import Units, units_of
from dsir.remote import RemotePath

# The threshold if only top_k is given: reached by common terms, but not by rounding alone.
LEAST_COSINE = 1e-9
MOST_NEIGHBOURS = (1 << 32) - 1  # Units have 32-bit numbers.


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SimilarityGraph(Facts):
    """A symmetric graph of units in compressed sparse rows.

    Attributes:
        offsets: int64[units + 1].
        neighbours: int32[edges], ascending in a row; each edge is in the rows of both units.
        weights: float64[edges], cosines; None if every edge counts 1.

    Example:
        >>> found = dsir.graph.similarity_join(["a b", "a c", "x y"], threshold=0.01)
        >>> found.of(0)[0].tolist()
        [0, 1]
    """

    offsets: npt.NDArray[np.int64]
    neighbours: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def _facts(self) -> Iterator[Fact]:
        """Give the size of the graph."""
        yield "units", f"{len(self):,}"
        yield "edges", f"{self.edges:,}"
        yield "weights", "1 each" if self.weights is None else "cosines"

    @property
    def edges(self) -> int:
        """How many entries there are: an edge between two units counts twice, a loop once."""
        return len(self.neighbours)

    @property
    def joins_units(self) -> bool:
        """Whether there is an edge between two units, and not only loops."""
        if self.edges > len(self):  # A unit has at most one loop.
            return True
        rows = np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.offsets))
        return bool((rows != self.neighbours).any())

    def of(self, unit: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        """Return the neighbours of a unit, and the weights of its edges to them."""
        unit = whole_number("unit", unit, 0, len(self) - 1)
        row = slice(int(self.offsets[unit]), int(self.offsets[unit + 1]))
        neighbours = self.neighbours[row]
        if self.weights is None:
            return neighbours, np.ones(len(neighbours))
        return neighbours, self.weights[row]

    def to_scipy(self) -> Any:
        """Return the graph as a `scipy.sparse.csr_array`; needs scipy."""
        from scipy.sparse import csr_array

        weights = np.ones(self.edges) if self.weights is None else self.weights
        return csr_array((weights, self.neighbours, self.offsets), shape=(len(self), len(self)))

    def to_arrow(self) -> pa.Table:
        """Return each edge between two units once: source < target, int32, and cosine, float64."""
        return edges_of(self.offsets, self.neighbours, self.weights)

    def to_networkx(self, scores: Any = None) -> Any:
        """Return a `networkx.Graph`; needs networkx.

        Nodes are the numbers of the units. Edges have the attribute `cosine`; a unit has no edge to
        itself.

        Args:
            scores: a number for each unit, which becomes the attribute `score`; None for none.

        Raises:
            SettingError: there is not one score for each unit.
        """
        return networkx_graph(len(self), self.to_arrow(), checked_scores(scores, len(self)))

    def to_graphml(self, path: str | Path | RemotePath, scores: Any = None) -> None:
        """Write the graph of `to_networkx` as GraphML, atomically; needs no library.

        Args:
            path: the file.
            scores: see `to_networkx`.

        Raises:
            SettingError: there is not one score for each unit.
            OSError: the file cannot be written.
        """
        write_graphml(path, len(self), self.to_arrow(), checked_scores(scores, len(self)))


def similarity_join(
    rows: Any,
    *,
    threshold: float | None = None,
    top_k: int | None = None,
    include_self: bool = True,
    text: str = "text",
    text_encoding: str | None = None,
    idf: Idf | None = None,
    stopwords: Stopwords = None,
    punctuation: bool = False,
    threads: int | None = None,
) -> SimilarityGraph:
    """Return the graph of all pairs of units whose cosine reaches a threshold, exactly.

    The edges are those that brute force finds in double precision. A cosine within 1e-12 of 1
    counts as 1, so that `threshold=1` finds equal units and multiples.

    With `top_k` each unit names the `top_k` other units with the highest cosine, among those that
    reach `threshold`, or without a threshold share a term; among equal cosines the smaller number
    comes first. Two units have an edge if either names the other. So a unit may have more than
    `top_k` neighbours.

    Source: docs/algorithms.md, section 10. Memory holds 4 bytes for each edge and 8 for its cosine,
    and an index of a few thousand units at a time.

    Args:
        rows: texts (a list of str, an Arrow column or table, a path), token lists, a sparse matrix
            in compressed rows, or embeddings: see `dsir.lexrank.units`.
        threshold: above 0, at most 1; edges have cosine >= threshold.
        top_k: 1 or more.
        include_self: whether every unit that is not zero is its own neighbour, with cosine 1.
        text: the text column, if there are columns.
        text_encoding: the encoding of a text column of bytes, such as "utf-8"; None if such
            a column is an error.
        idf: for texts and tokens: an idf fitted elsewhere; None to compute it from the units.
        stopwords: for texts and tokens: "en" or a list of terms to leave out; None for none, or
            for those of `idf`.
        punctuation: for texts: whether runs of punctuation are terms too.
        threads: how many threads to use; None for every core. The result does not depend on them.

    Raises:
        SettingError: an argument is out of range, or the rows hold NaN or are not vectors.
        InputError: a text cannot be read.

    Example:
        >>> dsir.graph.similarity_join(["a b", "a c", "x y"], threshold=0.01)
        SimilarityGraph(units: 3, edges: 5, weights: cosines)
    """
    if threshold is None and top_k is None:
        raise SettingError("give threshold=..., top_k=... or both")
    if threshold is not None:
        threshold = check_threshold(threshold)
    if top_k is not None:
        top_k = whole_number("top_k", top_k, 1, MOST_NEIGHBOURS)
    used = thread_count(threads)
    units = units_of(
        rows,
        text=text,
        text_encoding=text_encoding,
        idf=idf,
        stopwords=stopwords,
        punctuation=punctuation,
        threads=used,
    )
    return join_units(
        units, threshold, top_k, include_self=include_self, strict=False, weights=True, threads=used
    )


def join_units(
    units: Units,
    threshold: float | None,
    top_k: int | None,
    *,
    include_self: bool,
    strict: bool,
    weights: bool,
    threads: int,
) -> SimilarityGraph:
    """Return the graph of `similarity_join`; with `strict`, edges have cosine > threshold."""
    offsets, neighbours, cosines = _core.similarity_join(
        units.rows,
        threshold=LEAST_COSINE if threshold is None else threshold,
        strict=strict,
        self_edges=include_self,
        weights=weights,
        top_k=top_k or 0,
        threads=threads,
    )
    return SimilarityGraph(offsets, neighbours, cosines)


def check_threshold(threshold: object) -> float:
    """Return a threshold as a float.

    Raises:
        SettingError: it is not above 0 and at most 1.
    """
    if isinstance(threshold, Real) and not isinstance(threshold, bool):
        number = float(threshold)
        if 0 < number <= 1:
            return number
    raise SettingError(f"threshold={threshold!r}: expected a number above 0 and at most 1")
