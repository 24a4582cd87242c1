"""Which method to take, with the reasons, from the perplexities and KL reductions of a comparison.

Methods are compared seed by seed, because all methods are measured on the same documents for a
seed. A difference counts if it is more than twice its standard error over the seeds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.plural import counted

RANDOM = "random"
_LEAST = 0.005
"""Differences of perplexity below this share are no reason for anything, whatever their spread."""
_LEAST_OF_ONE = 0.02
"""The same with a single seed, which tells no spread."""
_LEAST_NATS = 0.002
_CHEAPER = 1.5


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Which method to take, and why.

    Attributes:
        method: the method with the lowest perplexity, over all budgets and seeds.
        level: other methods whose perplexity cannot be told from it.
        reasons: sentences.
    """

    method: str
    level: tuple[str, ...]
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        """The recommendation in words."""
        return " ".join((f"Take {self.method}.", *self.reasons))

    def describe(self) -> dict[str, Any]:
        """Return the recommendation as JSON values."""
        return {"method": self.method, "level": list(self.level), "reasons": list(self.reasons)}

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> Recommendation:
        """Return what `describe` returned.

        Raises:
            KeyError, TypeError: `described` is something else.
        """
        return cls(described["method"], tuple(described["level"]), tuple(described["reasons"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a recommendation is made of.

    Attributes:
        methods: names of the methods.
        budgets: names of the budgets.
        random: number of the method that draws at random.
        perplexity: float64[methods, budgets, seeds].
        kl_reduction: float64[methods, budgets, seeds].
        seconds: float64[methods], mean time of fit and draw.
    """

    methods: Sequence[str]
    budgets: Sequence[str]
    random: int
    perplexity: npt.NDArray[np.float64]
    kl_reduction: npt.NDArray[np.float64]
    seconds: npt.NDArray[np.float64]


def recommend(scores: Scores) -> Recommendation:
    """Return which method to take; ties go to the method that is named first."""
    log = np.log(scores.perplexity)
    of_seeds = log.mean(axis=1)  # [methods, seeds]
    seeds = of_seeds.shape[1]
    best = int(np.argmin(of_seeds.mean(axis=1)))
    least = math.log1p(_LEAST if seeds > 1 else _LEAST_OF_ONE)
    above = {
        number: of_seeds[number] - of_seeds[best]
        for number in range(len(scores.methods))
        if number != best
    }
    level = [number for number, more in above.items() if not _counts(more, least)]
    name = scores.methods[best]
    reasons = [_against_random(scores, best, above)]
    for number, more in sorted(above.items(), key=lambda one: float(one[1].mean())):
        if number == scores.random:
            continue
        percent = f"{100 * math.expm1(float(more.mean())):.1f}\N{NO-BREAK SPACE}%"
        if number in level:
            reasons.append(
                f"{scores.methods[number]} is level with {name}: its perplexity is {percent} "
                f"higher, {'within the spread' if seeds > 1 else 'too little for one seed'}."
            )
        else:
            reasons.append(f"The perplexity of {scores.methods[number]} is {percent} higher.")
    reasons += _of_kl(scores, best)
    reasons += _of_budgets(scores, log, best, least)
    reasons += _of_time(scores, best, level)
    if seeds == 1:
        reasons.append("One seed tells no spread; give more seeds to be surer.")
    return Recommendation(name, tuple(scores.methods[number] for number in level), tuple(reasons))


def _counts(differences: npt.NDArray[np.float64], least: float) -> bool:
    """Tell whether differences, one a seed, are more than chance makes."""
    mean = float(differences.mean())
    if len(differences) > 1:
        error = float(differences.std(ddof=1)) / math.sqrt(len(differences))
        return mean > max(least, 2 * error)
    return mean > least


def _against_random(scores: Scores, best: int, above: Mapping[int, npt.NDArray[np.float64]]) -> str:
    budgets, seeds = scores.perplexity.shape[1:]
    over = f"{counted(budgets, 'budget')} and {counted(seeds, 'seed')}"
    name = scores.methods[best]
    if best == scores.random:
        return (
            f"No method predicts the documents kept out better than a random selection, over "
            f"{over}: the target may be like raw as a whole, or too small."
        )
    ratio = math.exp(-float(above[scores.random].mean()))
    return (
        f"Its selections predict the documents kept out best: the perplexity with {name} is "
        f"{ratio:.2f} of that of random selections, over {over}."
    )


def _of_kl(scores: Scores, best: int) -> list[str]:
    """Say which method has the highest KL reduction."""
    of_seeds = scores.kl_reduction.mean(axis=1)
    highest = int(np.argmax(of_seeds.mean(axis=1)))
    if highest == best:
        return ["It has the highest KL reduction too."]
    more = of_seeds[highest] - of_seeds[best]
    said = f"{float(more.mean()):.3f} nats higher with {scores.methods[highest]}"
    if _counts(more, _LEAST_NATS):
        return [f"The KL reduction says otherwise: it is {said}."]
    return [f"The KL reduction is {said}, within the spread."]


def _of_budgets(scores: Scores, log: npt.NDArray[np.float64], best: int, least: float) -> list[str]:
    """Name the budgets at which another method is better."""
    found = []
    for number, budget in enumerate(scores.budgets):
        here = int(np.argmin(log[:, number].mean(axis=1)))
        less = log[best, number] - log[here, number]
        if here != best and _counts(less, least):
            percent = f"{-100 * math.expm1(-float(less.mean())):.1f}\N{NO-BREAK SPACE}%"
            found.append(
                f"At {budget} {scores.methods[here]} is better: its perplexity is {percent} lower."
            )
    return found


def _of_time(scores: Scores, best: int, level: Sequence[int]) -> list[str]:
    """Name a level method that takes much less time."""
    others = [number for number in level if number != scores.random]
    if not others:
        return []
    fastest = min(others, key=lambda number: float(scores.seconds[number]))
    mine, its = float(scores.seconds[best]), float(scores.seconds[fastest])
    if mine < _CHEAPER * its:
        return []
    return [
        f"{scores.methods[fastest]} takes less time: fit and draw took {its:.1f} s, where "
        f"{scores.methods[best]} took {mine:.1f} s."
    ]
