"""How much to select: documents, a fraction of them, tokens, or bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from dsir import arguments
from dsir.arguments import argument, number, parse_byte_size, whole_number
from dsir.errors import BudgetError, SettingError
from dsir.plural import counted

Unit = Literal["documents", "tokens", "bytes"]


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

    n: int | None = argument(
        None,
        "Documents to select, e.g. 100000.",
        kind=int,
        letter="n",
        panel=arguments.BUDGET,
    )
    fraction: float | None = argument(
        None,
        "Share of the rows read to select, above 0 and at most 1, e.g. 0.02. The number of "
        "documents is rounded down.",
        kind=float,
        panel=arguments.BUDGET,
    )
    tokens: int | None = argument(
        None,
        "Tokens to select, e.g. 1000000000. Documents are taken by descending key until the next "
        "document would exceed this number.",
        kind=int,
        panel=arguments.BUDGET,
    )
    bytes: int | str | None = argument(
        None,
        "Bytes of text (UTF-8) to select, a number or a size such as 10GB. Documents are taken by "
        "descending key until the next document would exceed this size.",
        metavar="SIZE",
        panel=arguments.BUDGET,
    )

    def __post_init__(self) -> None:
        """Check that exactly one amount is given, and in range."""
        given = {name: value for name, value in self.describe().items() if value is not None}
        if len(given) != 1:
            found = ", ".join(given) or "none of them"
            raise SettingError(f"give exactly one of n, fraction, tokens and bytes; found {found}")
        for name in ("n", "tokens"):
            if name in given:
                object.__setattr__(self, name, whole_number(name, given[name], 1))
        if self.bytes is not None:
            object.__setattr__(self, "bytes", parse_byte_size("bytes", self.bytes))
        if self.fraction is not None:
            number("fraction", self.fraction, above=0, most=1, expected="a number in (0, 1]")

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
        """The amount in its unit; None for a fraction, which depends on the rows read."""
        given = self.n or self.tokens or self.bytes
        return None if given is None else int(given)

    def times(self, factor: float) -> Budget:
        """Return a budget that is `factor` times as large; a fraction stops at 1."""
        if self.fraction is not None:
            return Budget(fraction=min(1.0, self.fraction * factor))
        amount = math.ceil((self.amount or 0) * factor)
        if self.unit == "documents":
            return Budget(n=amount)
        return Budget(tokens=amount) if self.unit == "tokens" else Budget(bytes=amount)

    def __str__(self) -> str:
        """The budget in the words of the call."""
        name, value = next((k, v) for k, v in self.describe().items() if v is not None)
        return f"{name}={value:,}"

    def of_rows(self, rows: int) -> int:
        """Return the amount in the budget's unit when `rows` rows are read."""
        return self.amount or math.floor((self.fraction or 0) * rows)

    def refuse_nothing(self, *, rows: int, eligible: int, min_tokens: int) -> None:
        """Raise BudgetError if no document is eligible."""
        if eligible == 0:
            raise BudgetError(
                f"none of the {counted(rows, 'row')} can be selected: none has {min_tokens} tokens "
                "or more; lower min_tokens, or check the text column"
            )

    def resolve(
        self, *, rows: int, eligible: int, available: int, min_tokens: int, allow_fewer: bool
    ) -> int:
        """Return the amount to select, in the budget's unit.

        Args:
            rows: rows read.
            eligible: documents that may be selected.
            available: the size of the eligible documents, in the budget's unit.
            min_tokens: the fewest tokens of an eligible document; for the message.
            allow_fewer: take all eligible documents if the budget asks for more.

        Raises:
            BudgetError: no document is eligible, the budget asks for more than all eligible
                documents, or it is less than one document.
        """
        self.refuse_nothing(rows=rows, eligible=eligible, min_tokens=min_tokens)
        wanted = self.of_rows(rows)
        if wanted == 0:
            raise BudgetError(
                f"{self} of {counted(rows, 'row')} is less than one document; ask for more"
            )
        if wanted <= available:
            return wanted
        if allow_fewer:
            return available
        raise BudgetError(
            f"{self} asks for {wanted:,} {self.unit}, but only {available:,} are eligible "
            f"({counted(rows, 'row')} read, min_tokens={min_tokens}); "
            f"ask for less, lower min_tokens, or give allow_fewer=True to take all of them"
        )
