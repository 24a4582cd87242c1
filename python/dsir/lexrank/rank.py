"""LexRank: scores text units by their centrality."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.arguments.arrays import array_of
from dsir.arguments.values import one_of, whole_number
from dsir.engine import thread_count
from dsir.errors import SettingError, warn
from dsir.facts import Fact, Facts
from dsir.lexrank.doubtful import warn_of_flat
from dsir.lexrank.idf import Idf
from dsir.lexrank.similarity import (
    MOST_NEIGHBOURS,
    SimilarityGraph,
    check_threshold,
    join_units,
)
from dsir.lexrank.stopwords import Stopwords
from dsir.lexrank.units import Units, units_of

Method = Literal["lexrank", "degree"]
_OF_WALK = ("damping", "tolerance", "max_iterations")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Centrality(Facts):
    """Scores of units, and a report of how they were computed.

    Attributes:
        scores: float64[units]. For "lexrank" a distribution over the units with a term; for
            "degree" the sum of each unit's edges.
        iterations: steps of the walk; 0 for "degree".
        change: how much the last step changed the scores, absolute values added up; in the
            continuous variant a bound on what one more step would change.
        converged: whether the change is at most the tolerance.
        graph: the similarity graph; None for the continuous variant, which needs no graph.

    Example:
        >>> units = ["ships courts bakers", "ships sail", "courts judge", "bakers bake"]
        >>> dsir.graph.centrality(units).converged
        True
    """

    scores: npt.NDArray[np.float64]
    iterations: int
    change: float
    converged: bool
    graph: SimilarityGraph | None

    def _facts(self) -> Iterator[Fact]:
        """Give the size, the range of the scores, and how the walk ended."""
        yield "units", f"{len(self.scores):,}"
        if len(self.scores):
            yield "scores", f"{self.scores.min():.4g} to {self.scores.max():.4g}"
        yield "iterations", f"{self.iterations:,}"
        yield "converged", "yes" if self.converged else f"no, last change {self.change:.3g}"
        if self.graph is not None:
            yield "edges", f"{self.graph.edges:,}"

    @property
    def has_edges(self) -> bool | None:
        """Whether the graph has an edge between two units; None if there is no graph."""
        return None if self.graph is None else self.graph.joins_units


@dataclass(frozen=True, slots=True)
class LexRankSettings:
    """The checked settings of `lexrank`, which describes them."""

    threshold: float | None = 0.1
    damping: float = 0.85
    tolerance: float = 1e-6
    max_iterations: int = 1000
    method: Method = "lexrank"
    top_k: int | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.threshold is not None:
            object.__setattr__(self, "threshold", check_threshold(self.threshold))
        if self.top_k is not None:
            object.__setattr__(self, "top_k", whole_number("top_k", self.top_k, 1, MOST_NEIGHBOURS))
        object.__setattr__(self, "damping", _within("damping", self.damping, 0, 1))
        object.__setattr__(self, "tolerance", _within("tolerance", self.tolerance, 0, None))
        iterations = whole_number("max_iterations", self.max_iterations, 1, 1 << 40)
        object.__setattr__(self, "max_iterations", iterations)
        one_of("method", self.method, get_args(Method))
        if self.method == "degree":
            refuse_of_walk(self)


def refuse_of_walk(settings: LexRankSettings) -> None:
    """Raise SettingError for a setting of the walk that is not its default, where nothing walks."""
    for field in fields(settings):
        value = getattr(settings, field.name)
        if field.name in _OF_WALK and value != field.default:
            raise SettingError(
                f"{field.name}={value:g}: method='degree' counts neighbours and does not walk; "
                "leave one of the two out"
            )


def lexrank(
    units: Any,
    threshold: float | None = 0.1,
    *,
    damping: float = 0.85,
    tolerance: float = 1e-6,
    max_iterations: int = 1000,
    idf: Idf | None = None,
    stopwords: Stopwords = None,
    teleport: Any = None,
    method: Method = "lexrank",
    top_k: int | None = None,
    punctuation: bool = False,
    text: str = "text",
    text_encoding: str | None = None,
    threads: int | None = None,
) -> npt.NDArray[np.float64]:
    """Score text units by their centrality.

    The scores are the stationary distribution of a random walk. Each step goes to a neighbour with
    probability `damping`, and otherwise to any unit (or as `teleport` says). Units without a term
    score 0 and are left out of the walk and of N. A unit whose terms all have idf 0 has itself as
    its only neighbour.

    Source: Erkan & Radev 2004, sections 3.1 to 3.3; docs/algorithms.md, section 10.

    Args:
        units: texts, token lists, a sparse matrix in compressed rows, embeddings (see
            `dsir.lexrank.units`), or a `SimilarityGraph`.
        threshold: units are neighbours if their cosine is above this; all neighbours count alike.
            With None all units are neighbours, weighted by their cosine (continuous LexRank). That
            needs no graph: each step is two products with the vectors.
        damping: 0 to 1; 1 - d in the paper. With 1 the walk is that of older packages: the degree,
            up to a constant for each connected component.
        tolerance: the walk ends when a step changes the scores by no more than this,
            absolute values added up.
        max_iterations: the walk also ends after this many steps, with a warning.
        idf: for texts and tokens: an idf fitted elsewhere; None to compute it from the units.
        stopwords: for texts and tokens: "en" or a list of terms to leave out; None for none, or
            for those of `idf`.
        teleport: float[units], 0 or more: jumps go to units in proportion to these numbers. For
            query-biased centrality, give the similarity to the query. None is uniform.
        method: "lexrank", or "degree": the number of neighbours, counting the unit itself; with
            `threshold=None` the sum of cosines.
        top_k: keep only edges between a unit and the `top_k` units nearest to it, see
            `similarity_join`; with `threshold=None` edges are weighted by the cosine.
        punctuation: for texts: whether runs of punctuation are terms too.
        text: the text column, if there are columns.
        text_encoding: the encoding of a text column of bytes, such as "utf-8"; None if such
            a column is an error.
        threads: how many threads to use; None for every core. The scores are the same to the bit
            for any number.

    Returns:
        float64[units]; they add up to 1 for "lexrank". `centrality` also returns a report.

    Warns:
        DsirWarning: the walk did not converge; the graph has no edges, or all scores are
            equal; or the words of the texts are not cut.

    Raises:
        SettingError: an argument is out of range; or vectors hold NaN, are not two-dimensional, or
            have negative entries in the continuous variant.
        InputError: a text cannot be read.

    Example:
        >>> units = ["ships courts bakers", "ships sail", "courts judge", "bakers bake"]
        >>> dsir.graph.lexrank(units).round(2).tolist()
        [0.38, 0.21, 0.21, 0.21]
    """
    return centrality(
        units,
        threshold,
        damping=damping,
        tolerance=tolerance,
        max_iterations=max_iterations,
        idf=idf,
        stopwords=stopwords,
        teleport=teleport,
        method=method,
        top_k=top_k,
        punctuation=punctuation,
        text=text,
        text_encoding=text_encoding,
        threads=threads,
    ).scores


def centrality(
    units: Any,
    threshold: float | None = 0.1,
    *,
    damping: float = 0.85,
    tolerance: float = 1e-6,
    max_iterations: int = 1000,
    idf: Idf | None = None,
    stopwords: Stopwords = None,
    teleport: Any = None,
    method: Method = "lexrank",
    top_k: int | None = None,
    punctuation: bool = False,
    text: str = "text",
    text_encoding: str | None = None,
    threads: int | None = None,
) -> Centrality:
    """Score text units as `lexrank` does, and return the scores with a report and the graph.

    The arguments and errors are those of `lexrank`.

    Example:
        >>> units = ["ships courts bakers", "ships sail", "courts judge", "bakers bake"]
        >>> found = dsir.graph.centrality(units, threshold=None)
        >>> found.converged, found.graph is None
        (True, True)
    """
    settings = LexRankSettings(threshold, damping, tolerance, max_iterations, method, top_k)
    if method == "degree" and teleport is not None:
        raise SettingError(
            "teleport: method='degree' counts neighbours and jumps nowhere; leave one of the two "
            "out"
        )
    used = thread_count(threads)
    if isinstance(units, SimilarityGraph):
        if idf is not None or stopwords is not None:
            raise SettingError(
                "idf and stopwords apply to terms, but this is a graph; leave both out"
            )
        if punctuation:
            raise SettingError("punctuation=True: is for texts, but this is a graph; leave it out")
        if top_k is not None:
            raise SettingError(
                f"top_k={top_k}: this graph already has its edges; leave it out, or give top_k to "
                "similarity_join"
            )
        found = rank_graph(units, settings, teleport=teleport, threads=used)
    else:
        vectors = units_of(
            units,
            text=text,
            text_encoding=text_encoding,
            idf=idf,
            stopwords=stopwords,
            punctuation=punctuation,
            threads=used,
        )
        found = rank_units(vectors, settings, teleport=teleport, threads=used)
    if not found.converged:
        all_steps = found.iterations >= settings.max_iterations
        steps = f"max_iterations={settings.max_iterations}" if all_steps else f"{found.iterations}"
        way_out = "allow more steps or" if all_steps else "rounding allows no nearer; give"
        warn(
            f"LexRank stopped after {steps} steps; a step still changes the scores by "
            f"{found.change:.2g}, more than tolerance={settings.tolerance:g}; {way_out} a larger "
            "tolerance"
        )
    warn_of_flat(found.scores, found.has_edges, settings.threshold)
    return found


def rank_units(
    units: Units,
    settings: LexRankSettings,
    *,
    teleport: Any = None,
    cosines: bool = False,
    threads: int = 1,
) -> Centrality:
    """Score units; see `lexrank`.

    Args:
        units: the units.
        settings: how to score.
        teleport: see `lexrank`.
        cosines: the graph of the result has cosines, also if all its edges count alike.
        threads: how many threads to use.
    """
    if settings.threshold is None and settings.top_k is None:
        negative = units.rows.negative_row()
        if negative >= 0:
            raise SettingError(
                f"units: row {negative} holds a negative value, but weights must not be negative; "
                "give a threshold, e.g. threshold=0.1"
            )
        if settings.method == "degree":
            degrees = _core.cosine_degrees(units.rows, threads=threads)
            # A unit whose terms all have idf 0 is still its own neighbour.
            degrees[(degrees == 0) & (units.occupied != 0)] = 1.0
            return Centrality(degrees, 0, 0.0, True, None)
        walked = _core.walk_cosines(
            units.rows,
            damping=settings.damping,
            tolerance=settings.tolerance,
            max_iterations=settings.max_iterations,
            teleport=_jumps(teleport, units.occupied),
            takes_part=units.occupied,
            threads=threads,
        )
        return Centrality(*walked, None)
    graph = join_units(
        units,
        settings.threshold,
        settings.top_k,
        include_self=True,
        # No cosine is above 1, so with threshold=1 the neighbours are the duplicates.
        strict=settings.threshold != 1,
        weights=cosines or settings.threshold is None,
        threads=threads,
    )
    alike = graph if settings.threshold is None else replace(graph, weights=None)
    found = rank_graph(
        alike, settings, teleport=teleport, takes_part=units.occupied, threads=threads
    )
    return replace(found, graph=graph) if cosines else found


def rank_graph(
    graph: SimilarityGraph,
    settings: LexRankSettings,
    *,
    teleport: Any = None,
    takes_part: npt.NDArray[np.uint8] | None = None,
    threads: int = 1,
) -> Centrality:
    """Score the units of a graph; see `lexrank`."""
    if takes_part is None:
        takes_part = np.ones(len(graph), dtype=np.uint8)
    csr = (graph.offsets, graph.neighbours, graph.weights)
    if settings.method == "degree":
        degrees = _core.graph_degrees(*csr, threads=threads)
        degrees[(degrees == 0) & (takes_part != 0)] = 1.0
        return Centrality(degrees, 0, 0.0, True, graph)
    walked = _core.walk_graph(
        *csr,
        damping=settings.damping,
        tolerance=settings.tolerance,
        max_iterations=settings.max_iterations,
        teleport=_jumps(teleport, takes_part),
        takes_part=takes_part,
        threads=threads,
    )
    return Centrality(*walked, graph)


def _jumps(teleport: Any, takes_part: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64] | None:
    """Return the targets of jumps, as a distribution over the units that take part."""
    if teleport is None:
        return None
    weights = array_of("teleport", teleport)
    if weights.shape != takes_part.shape or weights.dtype.kind not in "fiub":
        raise SettingError(
            f"teleport: expected {len(takes_part):,} numbers, one for each unit; found an array of "
            f"{weights.dtype} of shape {weights.shape}"
        )
    weights = np.where(takes_part != 0, weights.astype(np.float64), 0.0)
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise SettingError("teleport: a number is negative, infinite or NaN")
    if not takes_part.any():
        return None
    largest = float(weights.max())
    if largest == 0:
        raise SettingError("teleport: no unit with a term has a number above 0")
    weights /= largest
    weights /= weights.sum()
    return weights


def _within(name: str, value: object, least: float, most: float | None) -> float:
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        # NaN fails both comparisons.
        if number >= least and (most is None or number <= most):
            return number
    limits = f"{least} or more" if most is None else f"from {least} to {most}"
    raise SettingError(f"{name}={value!r}: expected a number, {limits}")
