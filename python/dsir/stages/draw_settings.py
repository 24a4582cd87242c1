"""How to draw: what may be selected, how much, by which keys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir.budget import Budget
from dsir.sampling import KeyRule
from dsir.stages.score_table import Scores


@dataclass(frozen=True, slots=True)
class DrawSettings:
    """How to draw.

    Attributes:
        budget: how much.
        rule: by which keys.
        min_tokens: documents with fewer are never selected; nor are those without any.
        allow_fewer: take all where the budget asks for more than is eligible.
    """

    budget: Budget
    rule: KeyRule
    min_tokens: int
    allow_fewer: bool

    def long_enough(self, scores: Scores) -> npt.NDArray[np.bool_]:
        """Tell of each row whether it has enough tokens."""
        enough: npt.NDArray[np.bool_] = scores.tokens >= max(1, self.min_tokens)
        return enough

    def eligible(self, scores: Scores) -> npt.NDArray[np.uint8]:
        """Return 1 for each row that may be selected, uint8."""
        eligible = self.long_enough(scores)
        if scores.reason is not None:
            eligible &= scores.reason == 0
        return eligible.astype(np.uint8)
