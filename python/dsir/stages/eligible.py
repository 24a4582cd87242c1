"""Which rows a draw may select, and how much of the budget each row uses."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dsir.settings.draw import DrawSettings
from dsir.stages.score_table import Scores


class Judged(Protocol):
    """Rows with what decides whether they could be selected, such as `Scores`."""

    @property
    def tokens(self) -> npt.NDArray[np.uint32]:
        """Tokens of each row."""

    @property
    def reason(self) -> npt.NDArray[np.uint8] | None:
        """0 for each row that passes the quality filters; None without filters."""


def rules(scores: Judged, settings: DrawSettings) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """Give the rules that a document has to meet, besides the quality filters and `dedup`.

    Yields:
        The account of the rows that break the rule, a field of `dsir.run.metrics.PassedOver`; and
        which rows meet it, bool[rows]. A row that breaks several rules counts for the first.
    """
    yield "too_short", scores.tokens >= max(1, settings.min_tokens)


def within_rules(scores: Judged, settings: DrawSettings) -> npt.NDArray[np.bool_]:
    """Return which rows meet all rules, bool[rows]."""
    return functools.reduce(np.logical_and, (meets for _, meets in rules(scores, settings)))


def could_be_selected(scores: Judged, settings: DrawSettings) -> npt.NDArray[np.bool_]:
    """Return which rows meet all rules and pass the filters, duplicates included, bool[rows]."""
    could = within_rules(scores, settings)
    if scores.reason is not None:
        could &= scores.reason == 0
    return could


def eligible_rows(scores: Scores, settings: DrawSettings) -> npt.NDArray[np.uint8]:
    """Return 1 for each row that may be selected, uint8[rows]."""
    eligible = could_be_selected(scores, settings)
    if scores.repeated is not None:
        eligible &= scores.repeated == 0
    return eligible.astype(np.uint8)


def cost_of_rows(scores: Scores, settings: DrawSettings) -> npt.NDArray[np.uint32] | None:
    """Return how much of the budget each row uses, uint32[rows]; None if each row uses 1."""
    if settings.budget.unit == "documents":
        return None
    return scores.tokens if settings.budget.unit == "tokens" else scores.bytes
