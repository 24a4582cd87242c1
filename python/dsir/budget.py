"""How much to select: documents, a fraction of them, or tokens."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dsir.arguments import whole_number
from dsir.errors import BudgetError, SettingError


@dataclass(frozen=True, slots=True)
class Budget:
    """Exactly one of three.

    Attributes:
        n: documents, 1 or more.
        fraction: of the rows read, above 0 and at most 1; rounded down.
        tokens: documents are taken by descending key until the next would pass it; 1 or more.

    Raises:
        SettingError: none or several are given, or one is out of range.
    """

    n: int | None = None
    fraction: float | None = None
    tokens: int | None = None

    def __post_init__(self) -> None:
        """Check that there is exactly one."""
        given = {name: value for name, value in self.describe().items() if value is not None}
        if len(given) != 1:
            found = ", ".join(given) or "none of them"
            raise SettingError(f"give exactly one of n, fraction and tokens; found {found}")
        for name in ("n", "tokens"):
            if name in given:
                object.__setattr__(self, name, whole_number(name, given[name], 1))
        fraction = self.fraction
        if fraction is not None and not (isinstance(fraction, int | float) and 0 < fraction <= 1):
            raise SettingError(f"fraction={self.fraction!r}: expected a number in (0, 1]")

    def describe(self) -> dict[str, int | float | None]:
        """Return the three as plain values."""
        return {"n": self.n, "fraction": self.fraction, "tokens": self.tokens}

    def __str__(self) -> str:
        """The budget in the words of the call."""
        name, value = next((k, v) for k, v in self.describe().items() if v is not None)
        return f"{name}={value:,}"

    def resolve(
        self, *, rows: int, eligible: int, eligible_tokens: int, min_tokens: int, allow_fewer: bool
    ) -> int:
        """Return the documents, or for a token budget the tokens, to select.

        Args:
            rows: rows read.
            eligible: documents that may be selected.
            eligible_tokens: tokens in these.
            min_tokens: why the others may not; for the message.
            allow_fewer: take all where the budget asks for more.

        Raises:
            BudgetError: nothing is eligible, the budget is more than that, or it comes to nothing.
        """
        if eligible == 0:
            raise BudgetError(
                f"none of the {rows:,} rows can be selected: none has {min_tokens} tokens or more; "
                f"lower min_tokens, or check the text column"
            )
        unit, available = ("tokens", eligible_tokens) if self.tokens else ("documents", eligible)
        wanted = self.tokens or self.n or math.floor((self.fraction or 0) * rows)
        if wanted == 0:
            raise BudgetError(f"{self} of {rows:,} rows is less than one document")
        if wanted <= available:
            return wanted
        if allow_fewer:
            return available
        raise BudgetError(
            f"{self} asks for {wanted:,} {unit}, but only {available:,} are eligible "
            f"({rows:,} rows read, min_tokens={min_tokens}); "
            f"ask for less, lower min_tokens, or give allow_fewer=True to take all"
        )
