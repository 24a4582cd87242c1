"""How to draw: what may be selected, how much, by which keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.sampling import KeyRule
from dsir.settings.budget import Budget
from dsir.settings.quotas import NO_QUOTAS, Dedup, Quotas
from dsir.stages.score_table import Beside, Scores


@dataclass(frozen=True, slots=True)
class DrawSettings:
    """How to draw.

    Attributes:
        budget: how much.
        rule: by which keys.
        min_tokens: documents with fewer are never selected; nor are those without any.
        allow_fewer: take all where the budget asks for more than is eligible.
        dedup: "exact": of rows with the same text only the first may be selected.
        quotas: what the values of columns have to do with it.
    """

    budget: Budget
    rule: KeyRule
    min_tokens: int
    allow_fewer: bool
    dedup: Dedup = "none"
    quotas: Quotas = NO_QUOTAS

    def long_enough(self, scores: Scores) -> npt.NDArray[np.bool_]:
        """Tell of each row whether it has enough tokens."""
        enough: npt.NDArray[np.bool_] = scores.tokens >= max(1, self.min_tokens)
        return enough

    def eligible(self, scores: Scores) -> npt.NDArray[np.uint8]:
        """Return 1 for each row that may be selected, uint8."""
        eligible = self.long_enough(scores)
        if scores.reason is not None:
            eligible &= scores.reason == 0
        if scores.repeated is not None:
            eligible &= scores.repeated == 0
        return eligible.astype(np.uint8)

    def cost(self, scores: Scores) -> npt.NDArray[np.uint32] | None:
        """Return what each row takes of the budget; None for 1 each."""
        if self.budget.unit == "documents":
            return None
        return scores.tokens if self.budget.unit == "tokens" else scores.bytes

    @property
    def beside(self) -> Beside:
        """What has to be kept beside the log-weights."""
        return Beside(self.dedup == "exact", self.quotas.columns)

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return {
            **self.budget.describe(),
            "method": self.rule.method,
            "temperature": self.rule.temperature,
            "seed": self.rule.seed,
            "min_tokens": self.min_tokens,
            "allow_fewer": self.allow_fewer,
            "dedup": self.dedup,
            **self.quotas.describe(),
        }
