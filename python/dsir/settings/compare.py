"""How methods are compared: which methods and budgets, how often, and on how much of the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from dsir.arguments.declared import argument, chosen
from dsir.arguments.values import Amount, name_of_column, share, shown, whole_number
from dsir.errors import SettingError
from dsir.settings.budget import Budget

MOST_SEEDS = 100
Methods = str | Sequence[str] | Mapping[str, Mapping[str, Any]]
Budgets = Amount | Sequence[Amount]

DEFAULT_METHODS = ("coverage", "cap", "resample", "top-k", "random")
DEFAULT_BUDGETS = ("0.5%", "2%", "10%")
_UNITS = ("n", "fraction", "tokens", "bytes")


class CompareArguments(TypedDict, total=False):
    """Arguments of `dsir.compare` alone, besides `methods`; see `CompareSettings`."""

    budgets: Budgets
    seeds: int
    hold_out: float | str
    shares_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSettings:
    """What is compared, and on what.

    Attributes:
        methods: the methods, as `dsir.comparison.variants` reads them.
        budgets: the budgets, by the names under which they are shown.
        seeds: how many times to draw, each time with another part of the target kept out.
        hold_out: share of the target's documents that is kept out.
        shares_by: the column whose values' shares of the tokens are told; None for none.

    Raises:
        SettingError: a setting is out of range.
    """

    methods: Methods = argument(
        DEFAULT_METHODS,
        "The methods to compare: names of `method`, or 'classifier', or names of your own with "
        "arguments of select, e.g. 'coverage,resample,svm: estimator=classifier,method=top-k'. "
        "'random' is always among them.",
        metavar="NAME,...",
    )
    budgets: Budgets = argument(
        DEFAULT_BUDGETS,
        "How much to select, one or more amounts: tokens, e.g. 0.5% or 1e9, or documents or bytes "
        "with their name, e.g. '1%,n=10000,bytes=10GB'.",
        metavar="N|SHARE%,...",
    )
    seeds: int = argument(
        3,
        "How many times to draw, from 1 to 100. Each time other documents of the target are kept "
        "out, and methods with chance in them draw anew; the spread is over these.",
        kind=int,
    )
    hold_out: float | str = argument(
        0.5,
        "Share of the target's documents that no method sees and that selections are measured on, "
        "above 0 and below 1, e.g. 0.3 or 30%.",
        metavar="SHARE",
    )
    shares_by: str | None = argument(
        None,
        "A column of raw, e.g. source: also tell the share of each of its values in the tokens of "
        "every selection.",
        metavar="COLUMN",
    )

    def __post_init__(self) -> None:
        """Check the settings."""
        budgets_of(self.budgets)
        whole_number("seeds", self.seeds, 1, MOST_SEEDS)
        held = share("hold_out", self.hold_out, above=0)
        if held >= 1:
            raise SettingError(
                f"hold_out={shown(self.hold_out)}: leaves nothing of the target for the methods; "
                "give a share below 1, such as 0.5"
            )
        object.__setattr__(self, "hold_out", held)
        if self.shares_by is not None:
            name_of_column("shares_by", self.shares_by)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> CompareSettings:
        """Check the arguments of a call.

        Raises:
            SettingError: an argument is out of range.
        """
        return cls(**chosen(cls, given))


def budgets_of(given: object) -> dict[str, dict[str, Any]]:
    """Return budgets as arguments of `select`, by the names under which they are shown.

    Args:
        given: an amount, a text of amounts such as "0.5%,n=1000", or a sequence of amounts. An
            amount without a name is one of tokens.

    Raises:
        SettingError: there is none, one is no amount, or one is given twice.
    """
    if isinstance(given, str):
        entries: list[object] = list(given.split(","))
    elif isinstance(given, Sequence):
        entries = list(given)
    else:
        entries = [given]
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        unit: str = "tokens"
        value: Any = entry
        if isinstance(entry, str):
            name, separator, amount = entry.partition("=")
            if separator:
                unit, value = name.strip(), amount
                if unit not in _UNITS:
                    raise SettingError(
                        f"budgets={shown(entry)}: expected an amount of tokens, or one of "
                        f"{', '.join(f'{one}=...' for one in _UNITS)}"
                    )
            value = str(value).strip()
        try:
            Budget(**{unit: value})
        except SettingError as error:
            reason = str(error).partition(": ")[2] or str(error)
            raise SettingError(f"budgets={shown(entry)}: {reason}") from None
        shown_value = value if isinstance(value, str) else f"{value:,}"
        label = shown_value if unit == "tokens" else f"{unit}={shown_value}"
        if label in found:
            raise SettingError(f"budgets={label}: is given twice")
        found[label] = {unit: value}
    if not found:
        raise SettingError(
            f"budgets={shown(given)}: has no amount; give at least one, such as '1%'"
        )
    return found
