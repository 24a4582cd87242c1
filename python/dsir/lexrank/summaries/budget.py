"""How long a summary may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from dsir.arguments.values import number, whole_number
from dsir.errors import SettingError

BudgetUnit = Literal["sentences", "words", "characters", "tokens"]
DEFAULT_SENTENCES = 5
# The paper's re-ranker has this limit (Erkan & Radev 2004, section 5).
DEFAULT_REDUNDANCY = 0.5


@dataclass(frozen=True, slots=True)
class SummaryBudget:
    """How long a summary may be, and how similar its sentences. The values are checked.

    Attributes:
        sentences: the most sentences; None if another field limits the summary.
        words: the most words, separated by white space; None for another limit.
        redundancy: a sentence is skipped if its cosine with a chosen sentence is above this; None
            for what the method does by default.
        min_words: shorter sentences are skipped.
        characters: the most characters; None for another limit.
        tokens: the most tokens, as the tokenizer cuts them; None for another limit.
    """

    sentences: int | None = None
    words: int | None = None
    redundancy: float | None = None
    min_words: int = 1
    characters: int | None = None
    tokens: int | None = None

    def __post_init__(self) -> None:
        """Check the arguments."""
        given = [unit for unit in get_args(BudgetUnit) if getattr(self, unit) is not None]
        if len(given) > 1:
            either = " or ".join(f"{unit}=..." for unit in given)
            raise SettingError(f"give {either}, not both")
        if not given:
            object.__setattr__(self, "sentences", DEFAULT_SENTENCES)
        for unit in given:
            object.__setattr__(self, unit, whole_number(unit, getattr(self, unit), 1))
        object.__setattr__(self, "min_words", whole_number("min_words", self.min_words, 0))
        if self.redundancy is not None:
            expected = "a number from 0 to 1"
            number("redundancy", self.redundancy, least=0, most=1, expected=expected)

    @property
    def unit(self) -> BudgetUnit:
        """What the budget counts."""
        units: tuple[BudgetUnit, ...] = get_args(BudgetUnit)
        return next(unit for unit in units if getattr(self, unit) is not None)

    @property
    def limit(self) -> int:
        """How many of them a summary may have."""
        return int(getattr(self, self.unit))
