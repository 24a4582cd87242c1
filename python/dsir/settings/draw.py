"""How to draw: what may be selected, how much, by which keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from dsir import arguments
from dsir.arguments import argument, chosen, described, flag, whole_number
from dsir.sampling import KeyRule, Method
from dsir.settings.budget import Budget
from dsir.settings.extra_columns import ExtraColumns
from dsir.settings.quotas import NO_QUOTAS, Dedup, MaxPer, Quotas, check_dedup, check_quotas


class DrawArguments(TypedDict, total=False):
    """Arguments of `dsir.select` that say how to draw; see `DrawSettings`."""

    n: int | None
    fraction: float | None
    tokens: int | None
    bytes: int | str | None
    allow_fewer: bool
    method: Method
    temperature: float
    seed: int
    min_tokens: int
    dedup: Dedup | None
    max_per: MaxPer | None
    group_by: str | None


@dataclass(frozen=True, slots=True)
class DrawSettings:
    """How to draw.

    Attributes:
        budget: how much.
        rule: by which keys.
        min_tokens: documents with fewer tokens are never selected; nor are those without any.
        allow_fewer: take all eligible documents when the budget asks for more.
        dedup: "exact": of rows with the same text only the first may be selected.
        quotas: what the values of columns have to do with the draw.

    Raises:
        SettingError: a setting is out of range.
    """

    budget: Budget = field(metadata={"group": Budget})
    rule: KeyRule = field(metadata={"group": KeyRule})
    min_tokens: int = argument(
        100,
        "Documents with fewer tokens are never selected, 0 or more.",
        kind=int,
        panel=arguments.DRAW,
    )
    allow_fewer: bool = argument(
        False,
        "Take all eligible documents when the budget asks for more. By default such a "
        "budget is an error.",
        kind=bool,
        panel=arguments.BUDGET,
    )
    dedup: Dedup = argument(
        "none",
        "'exact': of rows with the same text, byte for byte, only the first may be selected.",
        panel=arguments.DRAW,
    )
    quotas: Quotas = field(default=NO_QUOTAS, metadata={"group": Quotas})

    def __post_init__(self) -> None:
        """Check the settings."""
        object.__setattr__(self, "min_tokens", whole_number("min_tokens", self.min_tokens, 0))
        flag("allow_fewer", self.allow_fewer)
        object.__setattr__(self, "dedup", check_dedup(self.dedup))

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
        """What has to be kept beside the log-weights."""
        return ExtraColumns(self.dedup == "exact", self.quotas.columns)

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return described(self)
