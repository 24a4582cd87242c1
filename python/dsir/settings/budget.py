"""How much to select: documents, a fraction of them, tokens, or bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

from dsir.arguments import panels
from dsir.arguments.declared import argument
from dsir.arguments.values import MOST, amount, exact_share, is_percent, share
from dsir.errors import BudgetError, SettingError
from dsir.plural import counted, none_of

Unit = Literal["documents", "tokens", "bytes"]


class LeftOut(NamedTuple):
    """How many documents cannot be selected for other reasons than their length.

    Attributes:
        duplicates: those with the text of an earlier document, or nearly that.
        filtered: those that a filter refuses.
        contaminated: those that share text with the texts of `decontaminate`.
    """

    duplicates: int = 0
    filtered: int = 0
    contaminated: int = 0


@dataclass(frozen=True, slots=True)
class Budget:
    """How much to select, given as exactly one of four amounts.

    Attributes:
        n: documents, 1 or more.
        fraction: share of the rows read, above 0 and at most 1; rounded down to whole documents.
        tokens: tokens, 1 or more; documents are taken by descending key until the next document
            would exceed them.
        bytes: bytes of text (UTF-8), taken in the same way; a number, or a size such as "10GB".

    Raises:
        SettingError: none or several are given, or one is out of range.
    """

    n: int | str | None = argument(
        None,
        "Documents to select, e.g. 100000 or 100k; or a share of the rows read, e.g. 2%.",
        metavar="N|SHARE%",
        letter="n",
        panel=panels.BUDGET,
    )
    fraction: float | None = argument(
        None,
        "Share of the rows read to select, above 0 and at most 1, e.g. 0.02 or 2%. The number of "
        "documents is rounded down.",
        metavar="SHARE",
        panel=panels.BUDGET,
    )
    tokens: int | str | None = argument(
        None,
        "Tokens to select, e.g. 1000000000 or 1G; or a share of the tokens read, e.g. 2%. "
        "Documents are taken by descending key until the next document would exceed this number.",
        metavar="N|SHARE%",
        panel=panels.BUDGET,
    )
    bytes: int | str | None = argument(
        None,
        "Bytes of text (UTF-8) to select, a number or a size such as 10GB; or a share of the bytes "
        "of text read, e.g. 2%. Documents are taken by descending key until the next document "
        "would exceed this size.",
        metavar="SIZE|SHARE%",
        panel=panels.BUDGET,
    )

    def __post_init__(self) -> None:
        """Check that exactly one amount is given, and in range."""
        given = {name: value for name, value in self.describe().items() if value is not None}
        if len(given) != 1:
            named = ", ".join(f"{name}={value}" for name, value in given.items())
            found = named or "none of them"
            raise SettingError(f"give exactly one of n, fraction, tokens and bytes; found {found}")
        ((name, value),) = given.items()
        if name == "fraction":
            object.__setattr__(self, name, share(name, value, above=0))
        elif is_percent(value):
            share(name, value, above=0)
        else:
            object.__setattr__(self, name, amount(name, value, 1, sizes=name == "bytes"))

    def describe(self) -> dict[str, int | float | str | None]:
        """Return the four amounts as plain values."""
        return {
            "n": self.n,
            "fraction": self.fraction,
            "tokens": self.tokens,
            "bytes": self.bytes,
        }

    @property
    def unit(self) -> Unit:
        """What the budget is counted in."""
        if self.tokens is not None:
            return "tokens"
        return "documents" if self.bytes is None else "bytes"

    @property
    def amount(self) -> int | None:
        """The amount in its unit; None for a share, which depends on what is read."""
        given = self.n or self.tokens or self.bytes
        return given if isinstance(given, int) else None

    @property
    def share(self) -> Fraction:
        """The share of what is read, as the decimal number that was given; 0 for an amount.

        29% of 100 is 29, which it is not of the float 0.29.
        """
        if self.fraction is not None:
            return Fraction(repr(self.fraction))
        given = self.n or self.tokens or self.bytes
        return (exact_share(given) if isinstance(given, str) else None) or Fraction(0)

    def times(self, factor: float) -> Budget:
        """Return a budget that is `factor` times as large; a share stops at 1."""
        if self.fraction is not None:
            return Budget(fraction=min(1.0, self.fraction * factor))
        wider: int | str
        if self.amount is None:
            wider = f"{100 * min(1.0, float(self.share) * factor)!r}%"
        else:
            wider = math.ceil(min(self.amount * factor, MOST // 2))
        if self.unit == "documents":
            return Budget(n=wider)
        return Budget(tokens=wider) if self.unit == "tokens" else Budget(bytes=wider)

    def __str__(self) -> str:
        """The budget in the words of the call."""
        name, value = next((k, v) for k, v in self.describe().items() if v is not None)
        return f"{name}={value!r}" if isinstance(value, str) else f"{name}={value:,}"

    def of(self, total: int) -> int:
        """Return the amount in the budget's unit, of a total in that unit that is read."""
        return self.amount or math.floor(self.share * total)

    def refuse_nothing(self, *, rows: int, eligible: int, min_tokens: int) -> None:
        """Raise BudgetError if no document is eligible."""
        if eligible == 0:
            raise BudgetError(
                f"{none_of(rows, 'row')} can be selected: none has {min_tokens} tokens "
                "or more; lower min_tokens, or check the text column"
            )

    def resolve(
        self,
        *,
        rows: int,
        total: int,
        eligible: int,
        available: int,
        left_out: LeftOut,
        min_tokens: int,
        allow_fewer: bool,
    ) -> int:
        """Return the amount to select, in the budget's unit.

        Args:
            rows: rows read.
            total: the size of the rows read, in the budget's unit.
            eligible: documents that may be selected.
            available: the size of the eligible documents, in the budget's unit.
            left_out: why other documents are not eligible; for the message.
            min_tokens: the fewest tokens of an eligible document; for the message.
            allow_fewer: take all eligible documents if the budget asks for more.

        Raises:
            BudgetError: no document is eligible, the budget asks for more than all eligible
                documents, or it is less than one document.
        """
        self.refuse_nothing(rows=rows, eligible=eligible, min_tokens=min_tokens)
        wanted = self.of(total)
        if wanted == 0:
            raise BudgetError(
                f"{self} of {counted(rows, 'row')} is less than one "
                f"{self.unit.removesuffix('s')}; ask for more"
            )
        if wanted <= available:
            return wanted
        if allow_fewer:
            return available
        why = "".join(f", {count:,} {what}" for what, count in left_out._asdict().items() if count)
        are = "is" if available == 1 else "are"
        raise BudgetError(
            f"{self} asks for {wanted:,} {self.unit}, but only {available:,} {are} eligible "
            f"({counted(rows, 'row')} read, min_tokens={min_tokens}{why}); "
            f"ask for less, lower min_tokens, or give allow_fewer=True to take all of them"
        )
