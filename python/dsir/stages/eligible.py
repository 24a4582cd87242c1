"""Which rows a draw may select, and how much of the budget each row uses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dsir.settings.draw import DrawSettings
from dsir.stages.score_table import Scores


def long_enough(scores: Scores, settings: DrawSettings) -> npt.NDArray[np.bool_]:
    """Return which rows have enough tokens, bool[rows]."""
    enough: npt.NDArray[np.bool_] = scores.tokens >= max(1, settings.min_tokens)
    return enough


def eligible_rows(scores: Scores, settings: DrawSettings) -> npt.NDArray[np.uint8]:
    """Return 1 for each row that may be selected, uint8[rows]."""
    eligible = long_enough(scores, settings)
    if scores.reason is not None:
        eligible &= scores.reason == 0
    if scores.repeated is not None:
        eligible &= scores.repeated == 0
    return eligible.astype(np.uint8)


def cost_of_rows(scores: Scores, settings: DrawSettings) -> npt.NDArray[np.uint32] | None:
    """Return how much of the budget each row uses, uint32[rows]; None if each row uses 1."""
    if settings.budget.unit == "documents":
        return None
    return scores.tokens if settings.budget.unit == "tokens" else scores.bytes
