"""What a row must meet to be selected, whatever its log-weight: quality, and no contamination."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.engine import Shared
from dsir.model import quality
from dsir.model.decontamination import CONTAMINATED, Decontamination
from dsir.model.estimator import Scoring, SharedNgrams, TextScores, Watch
from dsir.model.features import HashedNgrams
from dsir.model.quality import QualityFilters

REASONS: tuple[str, ...] = (*quality.REASONS, CONTAMINATED)
"""Names of all reasons; the number of a reason in scores is 1 + its place here."""


class Match(NamedTuple):
    """A contaminated row.

    Attributes:
        at: its place among the rows that were scored together.
        ngrams: how many different n-grams it shares; counted up to 100, or `hits` if that is more.
        text: number of the text that has the first of them.
    """

    at: int
    ngrams: int
    text: int


class Judged(NamedTuple):
    """What filters say of rows.

    Attributes:
        reason: uint8[rows]: 0 for a row that passes, else 1 + the place in REASONS of the reason.
        matches: the contaminated rows, in order.
    """

    reason: npt.NDArray[np.uint8]
    matches: list[Match]


@dataclass(frozen=True, slots=True)
class RowFilters(Shared):
    """The quality filters and the decontamination of a run; at least one of the two.

    Attributes:
        quality: the quality filters; None for none.
        decontamination: the texts that no selected row may share n-grams with; None for none.
    """

    quality: QualityFilters | None = None
    decontamination: Decontamination | None = None

    @property
    def active(self) -> tuple[str, ...]:
        """Names of the reasons that a row can be refused for, in the order of REASONS."""
        names = () if self.quality is None else self.quality.active
        return names if self.decontamination is None else (*names, CONTAMINATED)

    def score(
        self, model: Scoring, texts: pa.Array, *, bands: bool = False, threads: int = 1
    ) -> tuple[TextScores, Judged]:
        """Score texts and judge them, in one pass if the model can.

        Args:
            model: the model.
            texts: the texts.
            bands: whether to make the keys of their bands as well.
            threads: how many threads to use; the outcome does not depend on it.
        """
        watch = Watch(bands=bands)
        if self.decontamination is not None:
            index = self.decontamination.index(model.features)
            watch = Watch(index, self.decontamination.most, bands)
        scored = model.score_and_watch(texts, watch, threads=threads)
        judged = self._judged(model.features, texts, scored.prepared, scored.shared, threads)
        return scored, judged

    def judge(
        self, features: HashedNgrams, texts: pa.Array, prepared: pa.Array, *, threads: int = 1
    ) -> Judged:
        """Judge texts that are scored already.

        Args:
            features: the features of the model.
            texts: the texts as they were read.
            prepared: what `features.prepared` made of them.
            threads: how many threads to use; the outcome does not depend on it.
        """
        shared = None
        if self.decontamination is not None:
            index = self.decontamination.index(features)
            found = index.find(prepared, most=self.decontamination.most, threads=threads)
            shared = SharedNgrams(*found)
        return self._judged(features, texts, prepared, shared, threads)

    def _judged(
        self,
        features: HashedNgrams,
        texts: pa.Array,
        prepared: pa.Array,
        shared: SharedNgrams | None,
        threads: int,
    ) -> Judged:
        reason = np.zeros(len(texts), dtype=np.uint8)
        if self.quality is not None:
            measured, cut_by, form = features.for_filters(texts, prepared)
            reason = self.quality.apply(measured, cut_by, threads, normalize=form, source=texts)
        if shared is None or self.decontamination is None:
            return Judged(reason, [])
        # Whatever else is wrong with a row, it is counted here: how many rows share text with a
        # benchmark does not depend on the other filters.
        rows = np.flatnonzero(shared.ngrams >= self.decontamination.hits)
        reason[rows] = 1 + REASONS.index(CONTAMINATED)
        found = zip(
            rows.tolist(), shared.ngrams[rows].tolist(), shared.text[rows].tolist(), strict=True
        )
        return Judged(reason, [Match(*one) for one in found])


def described_filters(filters: RowFilters | None) -> dict[str, Any]:
    """Return filters as JSON values for the settings of scores; decontamination only if given."""
    if filters is None:
        return {"filters": None}
    given = filters.quality
    found: dict[str, Any] = {"filters": None if given is None else given.describe()}
    if filters.decontamination is not None:
        found["decontaminate"] = filters.decontamination.describe()
    return found


def active_in(settings: Mapping[str, Any]) -> list[str]:
    """Return the names of the reasons that are on, by settings that `described_filters` made."""
    return list(_active_in(settings))


def _active_in(settings: Mapping[str, Any]) -> Iterator[str]:
    yield from (name for name in quality.REASONS if name in (settings.get("filters") or {}))
    if settings.get("decontaminate") is not None:
        yield CONTAMINATED
