"""Quotas: limits on how much of a selection may share one value of a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from typing import Any, Literal, SupportsIndex, get_args

from dsir import _core
from dsir.arguments import panels
from dsir.arguments.declared import argument
from dsir.arguments.values import amount, is_percent, one_of, share, shown
from dsir.errors import SettingError
from dsir.settings.option_text import max_per_in

MaxPer = Mapping[str, float | int | str]
Dedup = Literal["none", "exact", "near"]


@dataclass(frozen=True, slots=True)
class Cap:
    """The most of a selection that any one value of a column may take.

    Attributes:
        column: the column; dots lead into nested columns.
        most: a share of the budget, in its unit (float, above 0 and at most 1), or a number of
            documents (int, 1 or more).
    """

    column: str
    most: float | int

    @property
    def in_rows(self) -> bool:
        """Whether the cap is a number of documents, whatever the budget's unit."""
        return isinstance(self.most, int)

    def of(self, amount: int) -> int:
        """Return the cap for a budget of an amount; a share is exact, and rounded down.

        0.29 of 100 is 29, because the share is the decimal number that was written and not its
        nearest float.
        """
        if isinstance(self.most, int):
            return self.most
        return int(Fraction(repr(self.most)) * amount)


@dataclass(frozen=True, slots=True)
class Quotas:
    """How the values of columns limit a draw.

    Attributes:
        max_per: caps, by column.
        group_by: the column each value of which has its own budget; None for one budget.
    """

    max_per: tuple[Cap, ...] = argument(
        (),
        "The most that any one value of a column may take: a share of the budget, e.g. source=20%, "
        "or a number of documents, e.g. source=5. By default there is no such limit.",
        panel=panels.DRAW,
        metavar="COLUMN=MOST,...",
        read=max_per_in,
    )
    group_by: str | None = argument(
        None,
        "Apply the budget to each value of this column separately, e.g. group_by='lang' with "
        "n=1000 selects 1,000 rows of each language.",
        panel=panels.DRAW,
        metavar="COLUMN",
    )

    def __bool__(self) -> bool:
        """Whether there are any quotas."""
        return bool(self.max_per) or self.group_by is not None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose values the draw needs: the one of `group_by` first."""
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
    """Return checked quotas.

    Args:
        max_per: for each column a share of the budget (float, above 0 and at most 1) or a number of
            documents (int, 1 or more).
        group_by: the column whose values have a budget each; None for one budget.

    Raises:
        SettingError: a value is out of range, a column has no name or is named twice, or there are
            too many columns.
    """
    if max_per is not None and not isinstance(max_per, Mapping):
        raise SettingError(
            f"max_per={shown(max_per)}: expected shares by column, such as {{'source': 0.2}}"
        )
    caps = []
    for column, most in (max_per or {}).items():
        caps.append(Cap(column, _most(column, most)))
    quotas = Quotas(tuple(caps), group_by)
    for column in quotas.columns:
        if not isinstance(column, str) or not column:
            raise SettingError(f"max_per, group_by: {shown(column)} is not the name of a column")
    if len(set(quotas.columns)) < len(quotas.columns):
        raise SettingError(f"{quotas}: {group_by!r} is in both; leave it out of one")
    if len(quotas.columns) > _core.MOST_QUOTAS:
        raise SettingError(f"{quotas}: expected at most {_core.MOST_QUOTAS} columns")
    return quotas


def _most(column: str, most: object) -> int | float:
    """Return a cap: a share of the budget as a float, or a number of documents as an int.

    A text is a share if it has a percent sign, or a point and no unit or exponent.
    """
    name = f"max_per[{shown(column)}]"
    as_share = isinstance(most, Real) and not isinstance(most, SupportsIndex)
    if isinstance(most, str):
        as_share = is_percent(most) or (
            most.replace(".", "", 1).strip().isdecimal() and "." in most
        )
    try:
        return share(name, most, above=0) if as_share else amount(name, most, 1)
    except SettingError:
        raise SettingError(
            f"{name}={shown(most)}: expected a share (a float above 0, at most 1.0, or '20%') or a "
            "number of documents (1 or more, also '1k')"
        ) from None


def check_dedup(dedup: object) -> Dedup:
    """Return how duplicates are handled; None means "none".

    Raises:
        SettingError: `dedup` is none of "none", "exact" and "near".
    """
    if dedup is None:
        return "none"
    one_of("dedup", dedup, get_args(Dedup))
    return dedup  # type: ignore[return-value]
