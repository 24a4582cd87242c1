"""What every method of summarizing takes and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.arguments.values import number
from dsir.lexrank.rank import LexRankSettings
from dsir.lexrank.summaries.budget import SummaryBudget
from dsir.lexrank.summaries.candidates import Candidates


@dataclass(frozen=True, slots=True)
class MethodSettings:
    """What methods may be told. The values are checked; a method names those that it reads.

    Attributes:
        lexrank: the settings of LexRank.
        teleport: see `lexrank`.
        diversity: 0 to 1: how much a sentence that repeats nothing is worth against a relevant one;
            None for the method's own.
        preceding: the weight of an edge to an earlier sentence; None for edges without direction.
    """

    lexrank: LexRankSettings
    teleport: Any = None
    diversity: float | None = None
    preceding: float | None = None

    def __post_init__(self) -> None:
        """Check the values that are not checked elsewhere."""
        for name, least, most in (("diversity", 0, 1), ("preceding", -10, 10)):
            value = getattr(self, name)
            if value is None:
                continue
            expected = f"a number from {least} to {most}"
            found = number(name, value, least=least, most=most, expected=expected)
            object.__setattr__(self, name, float(found))


@dataclass(frozen=True, slots=True)
class Choice:
    """What a method chose.

    Attributes:
        rows: int64, the sentences in the order in which they were chosen.
        scores: float64[sentences], what the method thinks of each sentence.
        value: what the chosen sentences are worth together; None if the method has no such measure.
        bound: no summary within the budget is worth more than this; None if unknown.
        has_edges: whether the graph joins two sentences; None if there is no graph.
    """

    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    value: float | None = None
    bound: float | None = None
    has_edges: bool | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """A method of summarizing.

    Attributes:
        choose: chooses sentences under a budget.
        reads: the arguments of `summarize` that only some methods read, and this one does.
        help: one line for tables and messages.
    """

    choose: Callable[[Candidates, SummaryBudget, MethodSettings], Choice]
    reads: frozenset[str]
    help: str
