"""How to draw: which documents may be selected, how many, and by which keys."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

from dsir.arguments import panels
from dsir.arguments.declared import argument, chosen, described
from dsir.arguments.values import Amount, amount, flag
from dsir.sampling import METHODS, Calibration, KeyRule, Method
from dsir.settings.budget import Budget
from dsir.settings.extra_columns import ExtraColumns
from dsir.settings.quotas import (
    NO_QUOTAS,
    Cap,
    Dedup,
    MaxPer,
    Quotas,
    check_dedup,
    check_quotas,
)


class DrawArguments(TypedDict, total=False):
    """Arguments of `dsir.select` that say how to draw; see `DrawSettings`."""

    n: Amount | None
    fraction: float | str | None
    tokens: Amount | None
    bytes: Amount | None
    allow_fewer: bool
    method: Method
    temperature: float
    seed: int
    min_tokens: Amount
    dedup: Dedup | None
    max_per: MaxPer | None
    group_by: str | None


@dataclass(frozen=True, slots=True)
class DrawSettings:
    """How to draw.

    Attributes:
        budget: how much to select.
        rule: how the keys are made that documents are ranked by.
        min_tokens: documents with fewer tokens, or none, are never selected.
        allow_fewer: take all eligible documents if the budget asks for more.
        dedup: "exact": only the first of several rows with the same text may be selected; "near":
            no row that nearly has the text of an earlier one.
        quotas: limits by the values of columns.

    Raises:
        SettingError: a setting is out of range.
    """

    budget: Budget = field(metadata={"group": Budget})
    rule: KeyRule = field(metadata={"group": KeyRule})
    min_tokens: int = argument(
        100,
        "Documents with fewer tokens are never selected, 0 or more, e.g. 20.",
        panel=panels.DRAW,
        metavar="N",
    )
    allow_fewer: bool = argument(
        False,
        "Take all eligible documents if the budget asks for more. By default such a budget is an "
        "error.",
        kind=bool,
        panel=panels.BUDGET,
    )
    dedup: Dedup = argument(
        "none",
        "'exact' selects at most the first of several rows with the same text, byte for byte; "
        "'near' selects no row whose text is nearly that of an earlier one, by MinHash of 5-grams; "
        "'none' does not look for duplicates.",
        panel=panels.DRAW,
    )
    quotas: Quotas = field(default=NO_QUOTAS, metadata={"group": Quotas})

    def __post_init__(self) -> None:
        """Check the settings."""
        object.__setattr__(self, "min_tokens", amount("min_tokens", self.min_tokens, 0))
        flag("allow_fewer", self.allow_fewer)
        object.__setattr__(self, "dedup", check_dedup(self.dedup))

    def widened(self, factor: float) -> DrawSettings:
        """Return the settings with budget and quotas `factor` times as large, for candidates.

        Quotas that are shares of the budget grow with it.
        """
        caps = tuple(
            Cap(cap.column, math.ceil(cap.most * factor)) if cap.in_rows else cap
            for cap in self.quotas.max_per
        )
        return replace(
            self,
            budget=self.budget.times(factor),
            allow_fewer=True,
            quotas=replace(self.quotas, max_per=caps),
        )

    def calibrated(self, calibrations: Sequence[Calibration]) -> DrawSettings:
        """Return the same settings for log-weights with these calibrations, one for each target.

        Raises:
            SettingError: the method needs calibrations, and there are none.
        """
        rule = replace(self.rule, calibrations=tuple(calibrations))
        if METHODS[rule.method].calibrated:
            rule.calibration  # noqa: B018 - raises if there is none
        return replace(self, rule=rule)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> DrawSettings:
        """Check the arguments of a call.

        Raises:
            SettingError: an argument is out of range, or none or several budgets are given.
        """
        return cls(
            Budget(**chosen(Budget, given)),
            KeyRule(**chosen(KeyRule, given)),
            quotas=check_quotas(given.get("max_per"), given.get("group_by")),
            **chosen(cls, given),
        )

    @property
    def extra(self) -> ExtraColumns:
        """The columns that scores need beside the log-weights for this draw."""
        return ExtraColumns.of(self.dedup, self.quotas.columns)

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return described(self)
