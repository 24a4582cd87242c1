"""Quotas: how much of a selection may have any one value of a column, or how much each has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, get_args

from dsir import _core, arguments
from dsir.arguments import argument, one_of
from dsir.errors import SettingError
from dsir.settings.option_text import max_per_in

MaxPer = Mapping[str, float | int]
Dedup = Literal["none", "exact"]


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that any one value of a column may take.

    Attributes:
        column: dots lead into nested columns.
        most: a float, above 0 and at most 1: a share of the budget, in its unit; or an int, 1 or
            more: documents.
    """

    column: str
    most: float | int

    @property
    def in_rows(self) -> bool:
        """Whether the cap is a number of documents, whatever the budget's unit."""
        return isinstance(self.most, int)

    def of(self, amount: int) -> int:
        """Return the cap where the budget is an amount; a share is exact, and rounded down.

        0.29 of 100 is 29: the share is the decimal number that was written.
        """
        if isinstance(self.most, int):
            return self.most
        return int(Fraction(repr(self.most)) * amount)


@dataclass(frozen=True, slots=True)
class Quotas:
    """What the values of columns have to do with a draw.

    Attributes:
        max_per: caps, by column.
        group_by: the column whose every value has the budget to itself; None for one budget.
    """

    max_per: tuple[Cap, ...] = argument(
        (),
        "The most that any one value of a column may take, by column: a share of the budget "
        "(source=0.2), or a number of documents (source=5).",
        panel=arguments.DRAW,
        metavar="COLUMN=MOST,...",
        read=max_per_in,
    )
    group_by: str | None = argument(
        None,
        "Apply the budget to each value of this column separately, e.g. group_by='lang' with "
        "n=1000 selects 1,000 rows of each language.",
        panel=arguments.DRAW,
        metavar="COLUMN",
    )

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.max_per) or self.group_by is not None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose values are needed: that of `group_by` first."""
        grouped = () if self.group_by is None else (self.group_by,)
        return (*grouped, *(cap.column for cap in self.max_per))

    def describe(self) -> dict[str, Any]:
        """Return the quotas as JSON values."""
        caps = {cap.column: cap.most for cap in self.max_per}
        return {"max_per": caps or None, "group_by": self.group_by}

    def __str__(self) -> str:
        """The quotas in the words of the call."""
        words = []
        if self.group_by is not None:
            words.append(f"group_by={self.group_by!r}")
        if self.max_per:
            words.append(f"max_per={self.describe()['max_per']}")
        return ", ".join(words)


NO_QUOTAS = Quotas()


def check_quotas(max_per: MaxPer | None, group_by: str | None) -> Quotas:
    """Check quotas as they were given.

    Args:
        max_per: by column, a share of the budget (a float, above 0 and at most 1) or a number of
            documents (an int, 1 or more).
        group_by: a column.

    Raises:
        SettingError: a value is out of range, a column has no name or is named twice, or there are
            too many.
    """
    if max_per is not None and not isinstance(max_per, Mapping):
        raise SettingError(
            f"max_per={max_per!r}: expected shares by column, such as {{'source': 0.2}}"
        )
    caps = []
    for column, most in (max_per or {}).items():
        whole = isinstance(most, int) and not isinstance(most, bool)
        if not (whole and most >= 1) and not (isinstance(most, float) and 0 < most <= 1):
            raise SettingError(
                f"max_per[{column!r}]={most!r}: expected a share (a float above 0, at most 1.0) or "
                "a number of documents (1 or more)"
            )
        caps.append(Cap(column, most))
    quotas = Quotas(tuple(caps), group_by)
    for column in quotas.columns:
        if not isinstance(column, str) or not column:
            raise SettingError(f"{quotas}: {column!r} is no name of a column")
    if len(set(quotas.columns)) < len(quotas.columns):
        raise SettingError(f"{quotas}: {group_by!r} is in both")
    if len(quotas.columns) > _core.MOST_QUOTAS:
        raise SettingError(f"{quotas}: at most {_core.MOST_QUOTAS} columns")
    return quotas


def check_dedup(dedup: object) -> Dedup:
    """Return how duplicates are dealt with; None is "none".

    Raises:
        SettingError: it is neither "none" nor "exact".
    """
    if dedup is None:
        return "none"
    one_of("dedup", dedup, get_args(Dedup))
    return dedup  # type: ignore[return-value]
