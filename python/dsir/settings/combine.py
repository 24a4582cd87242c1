"""How centrality, a second measure, is combined with the weights of DSIR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from dsir import arguments
from dsir.arguments import argument, number, shown
from dsir.errors import SettingError
from dsir.settings.draw import DrawSettings
from dsir.settings.option_text import combine_in

_MEASURES = ("dsir", "lexrank")
_EXPECTED = "numbers, 0 or more, one of the two above 0"


class CombineArguments(TypedDict, total=False):
    """Arguments of `dsir.select` that combine two measures; see `Combine`."""

    combine: Mapping[str, float] | None
    candidates: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CombineOptions:
    """The arguments that a `Combine` is made from."""

    combine: Mapping[str, float] | None = argument(
        None,
        "Weights of two measures, e.g. dsir=1,lexrank=0.2: among the documents that DSIR ranks "
        "first, choose those that are also central among each other. The texts of these candidates "
        "are held in memory. By default DSIR decides alone.",
        panel=arguments.DRAW,
        metavar="dsir=W,lexrank=W",
        read=combine_in,
    )
    candidates: float = argument(
        4.0,
        "With combine: how many candidates to draw, in budgets, 1 or more; 4 draws four times "
        "the budget and chooses a quarter.",
        kind=float,
        panel=arguments.DRAW,
    )


@dataclass(frozen=True, slots=True)
class Combine:
    """How the selection is chosen among candidates.

    Attributes:
        dsir: weight of the key that DSIR draws by.
        lexrank: weight of the centrality among the candidates.
        candidates: size of the first draw, in budgets.
    """

    dsir: float
    lexrank: float
    candidates: float

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Combine | None:
        """Check the arguments of a call.

        Returns:
            How to combine; None for DSIR alone.

        Raises:
            SettingError: a measure is not known or missing, a weight is out of range, or targets
                are separate.
        """
        combine, candidates = given.get("combine"), given.get("candidates", 4.0)
        candidates = number("candidates", candidates, least=1, expected="a number, 1 or more")
        if combine is None:
            return None
        if not isinstance(combine, Mapping) or set(combine) != set(_MEASURES):
            raise SettingError(f"combine={shown(combine)}: expected weights of dsir and lexrank")
        weights = [
            number(f"combine[{name!r}]", combine[name], least=0, expected=_EXPECTED)
            for name in _MEASURES
        ]
        if not any(weights):
            raise SettingError(f"combine={combine!r}: expected {_EXPECTED}")
        if given.get("targets") == "separate":
            raise SettingError('combine: cannot be used with targets="separate"')
        return cls(float(weights[0]), float(weights[1]), float(candidates))

    def describe(self) -> dict[str, float]:
        """Return the settings as JSON values."""
        return {"dsir": self.dsir, "lexrank": self.lexrank, "candidates": self.candidates}

    def widened(self, settings: DrawSettings) -> DrawSettings:
        """Return the settings for drawing the candidates."""
        wider = settings.budget.times(self.candidates)
        return replace(settings, budget=wider, allow_fewer=True)
