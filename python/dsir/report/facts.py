"""What the page of a selection shows: collected first, drawn afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Histogram:
    """Distributions over the same bins.

    Attributes:
        edges: float64[bins + 1], where the bins begin and end. Values beyond the first and last
            edge are in the first and last bin.
        shares: for each series, float64[bins]: the share of its documents in each bin.
        medians: the median of each series.
        documents: how many documents each series has.
        beyond: whether a series has values below the first and above the last edge.
        logarithmic: whether the bins are equally wide on a logarithmic scale.
    """

    edges: npt.NDArray[np.float64]
    shares: Mapping[str, npt.NDArray[np.float64]]
    medians: Mapping[str, float]
    documents: Mapping[str, int]
    beyond: tuple[bool, bool]
    logarithmic: bool = False


class ValueShare(NamedTuple):
    """How often a value of a column is among raw and selected documents.

    Attributes:
        value: the value.
        selected: share of the selected documents, 0 to 1.
        raw: share of the raw documents; None if unknown.
        is_rest: whether this stands for all other values together.
    """

    value: str
    selected: float
    raw: float | None
    is_rest: bool = False


class Shares(NamedTuple):
    """The shares of the values of one column.

    Attributes:
        column: what the values are of: a column, or "input file".
        values: the values, those with the largest share of the selection first.
        distinct: how many values the selection has.
        note: how the shares were counted.
    """

    column: str
    values: tuple[ValueShare, ...]
    distinct: int
    note: str


class Closeness(NamedTuple):
    """The KL reduction of a selection, beside that of a random draw.

    Attributes:
        target: name of the target; "" for the only one, or the mean of several.
        value: KL reduction in nats.
        low: lower end of the interval; None if it was not computed.
        high: upper end of the interval.
        by_chance: an estimate for a random selection of the same size; None if unknown.
    """

    target: str
    value: float
    low: float | None
    high: float | None
    by_chance: float | None


class Coverage(NamedTuple):
    """How much of the n-grams of a target a selection has.

    Attributes:
        target: name of the target; "" for the only one.
        buckets: distinct buckets of the target.
        selected: share of the target's n-grams whose bucket the selection has, 0 to 1.
        by_chance: the same, expected of as many n-grams drawn at random from raw.
        raw: the same, of all of raw.
        missing: the most frequent n-grams of the target that the selection lacks, with their
            number; empty if they are unknown.
    """

    target: str
    buckets: int
    selected: float
    by_chance: float
    raw: float
    missing: tuple[tuple[str, int], ...]


class Contribution(NamedTuple):
    """What an n-gram adds to log-weights.

    Attributes:
        ngram: the n-gram.
        amount: what it adds: to one document, or on average over several.
        documents: how many of the documents have it.
    """

    ngram: str
    amount: float
    documents: int = 1


@dataclass(frozen=True, slots=True)
class MarkedText:
    """The beginning of a text, with what its tokens contribute.

    Attributes:
        pieces: parts of the text, in order, each with its contribution; 0 for none.
        left_out: characters of the text that are not in the pieces.
        most_for: the n-grams that raise the log-weight most.
        most_against: the n-grams that lower it most.
        note: why nothing is marked; "" if something is.
    """

    pieces: tuple[tuple[str, float], ...]
    left_out: int
    most_for: tuple[Contribution, ...] = ()
    most_against: tuple[Contribution, ...] = ()
    note: str = ""


class Sample(NamedTuple):
    """One document.

    Attributes:
        group: which sample it belongs to, such as "highest".
        where: where the document comes from.
        log_weight: its log-weight.
        target: the target that took it; "" for none.
        text: its beginning.
        reason: why it was not selected; "" if it was.
    """

    group: str
    where: str
    log_weight: float
    target: str
    text: MarkedText
    reason: str = ""


class NearPair(NamedTuple):
    """Two selected rows that are near copies.

    Attributes:
        resemblance: the share of their different n-grams that both have, 0.8 to 1.
        where: where each comes from.
        texts: the beginning of each, with what the other lacks marked.
    """

    resemblance: float
    where: tuple[str, str]
    texts: tuple[MarkedText, MarkedText]


class NearRows(NamedTuple):
    """Near copies among selected rows.

    Attributes:
        rows: how many rows were looked at.
        compared: how many of these have an n-gram, and were compared.
        with_copy: how many of these have a near copy among them.
        complete: whether no more of them have one.
        pairs: a few pairs.
    """

    rows: int
    compared: int
    with_copy: int
    complete: bool
    pairs: tuple[NearPair, ...]


@dataclass(slots=True)
class SelectionFacts:
    """What is known of a selection. What is unknown is None or empty, and `unknown` says why.

    Attributes:
        name: name of the folder.
        folder: the folder as it was given; "" for a selection in memory.
        content: the content of its manifest.
        raw_read: rows of raw that were read for the page; 0 if raw is unknown.
        selected_read: selected rows that were read for the page.
        weights: distributions of log-weights.
        lengths: distributions of tokens per document.
        shares: shares by input file and by columns.
        closeness: KL reductions.
        coverage: coverage of the n-grams of each target.
        lifting: n-grams that raise the log-weights of selected documents.
        lowering: n-grams that lower the log-weights of documents.
        lowering_of: whose log-weights these are: "documents left out" or "selected documents".
        explained: how many documents lifting and lowering were measured on.
        near: near copies among selected rows; None if rows are no texts.
        samples: documents to look at.
        unknown: what could not be known, and why, by topic.
    """

    name: str
    folder: str
    content: Mapping[str, Any]
    raw_read: int = 0
    selected_read: int = 0
    weights: Histogram | None = None
    lengths: Histogram | None = None
    shares: list[Shares] = field(default_factory=list)
    closeness: list[Closeness] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    lifting: tuple[Contribution, ...] = ()
    lowering: tuple[Contribution, ...] = ()
    lowering_of: str = ""
    explained: int = 0
    near: NearRows | None = None
    samples: list[Sample] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)

    @property
    def metrics(self) -> Mapping[str, Any]:
        """The accounts of the run."""
        found: Mapping[str, Any] = self.content["metrics"]
        return found

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of the run."""
        found: Mapping[str, Any] = self.content["settings"]
        return found
