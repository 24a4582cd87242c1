"""How to draw: what may be selected, how much, by which keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dsir.sampling import KeyRule
from dsir.settings.budget import Budget
from dsir.settings.extra_columns import ExtraColumns
from dsir.settings.quotas import NO_QUOTAS, Dedup, Quotas


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

    @property
    def extra(self) -> ExtraColumns:
        """What has to be kept beside the log-weights."""
        return ExtraColumns(self.dedup == "exact", self.quotas.columns)

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
