"""Drawing documents by their log-weights: Gumbel top-k by global row number.

The key of a document is log_weight / temperature + Gumbel noise, where the noise is a function of
(seed, target, global row number). The documents with the greatest keys are selected; among equal
keys the smaller row comes first. Taking the k greatest keys samples without replacement in
proportion to exp(log_weight / temperature) (the Gumbel top-k trick; docs/algorithms.md, section 3).
A `KeyMethod` may leave either term out.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.arguments import panels
from dsir.arguments.arrays import refuse_masked
from dsir.arguments.declared import argument
from dsir.arguments.values import amount, number, one_of, whole_number
from dsir.errors import BudgetError, SettingError

Method = Literal["resample", "top-k", "random", "cap", "coverage"]


@dataclass(frozen=True, slots=True)
class KeyMethod:
    """What the keys of documents are made of under one `Method`.

    Attributes:
        weight: the log-weight; False: every document has the same.
        noise: Gumbel noise.
        calibrated: whether the method needs a model that has a `Calibration`, of an estimator of
            the kind "relevance".
    """

    weight: bool
    noise: bool
    calibrated: bool = False


class Calibration(NamedTuple):
    """What documents of a target reach themselves, each left out of the target.

    Attributes:
        threshold: the log-weight that nine in ten of them reach.
        spread: standard deviation of their log-weights.
    """

    threshold: float
    spread: float


METHODS: dict[str, KeyMethod] = {
    "resample": KeyMethod(weight=True, noise=True),
    "top-k": KeyMethod(weight=True, noise=False),
    "random": KeyMethod(weight=False, noise=True),
    "cap": KeyMethod(weight=True, noise=True, calibrated=True),
    # Coverage has keys only for its pool; the rounds have gains (dsir.stages.coverage).
    "coverage": KeyMethod(weight=True, noise=False, calibrated=True),
}
"""The key of each `Method`."""

_CAP_TEMPERATURE = 0.001
"""Of `cap`, in spreads: log-weights below the cap that differ by more are hardly drawn."""

_MOST_THREADS = 4096
_SLICE = 1 << 20
_LEAST_TEMPERATURE = 1e-100
_WORTH_A_GUESS = 1 << 22


class Run(NamedTuple):
    """Consecutive documents of a draw.

    Attributes:
        first_row: global row number of the first document.
        log_weight: float64[rows], no NaN; as `KeyRule.in_keys` returns it.
        eligible: uint8[rows]; documents with 0 are never selected. None: every document with a
            log-weight above -inf is eligible.
        cost: uint32[rows], the cost of each document in the budget's unit; None for 1 each.
        groups: uint32[columns, rows], codes of the values of columns with quotas; None without
            quotas.
    """

    first_row: int
    log_weight: npt.NDArray[np.float64]
    eligible: npt.NDArray[np.uint8] | None
    cost: npt.NDArray[np.uint32] | None = None
    groups: npt.NDArray[np.uint32] | None = None


@dataclass(frozen=True, slots=True)
class KeyRule:
    """How the keys of documents are made.

    Attributes:
        seed: 0 to 2**64 - 1.
        method: "resample"; "top-k" for keys without noise; "random" for keys of noise alone; "cap"
            for log-weights that end at the threshold of a calibration; "coverage".
        temperature: above 0; divides the log-weights.
        target: index of the target that draws; each target has its own noise.
        calibrations: one for each target if the model has them.
    """

    seed: int = argument(
        0,
        "Seed of the random draw, 0 to 2^64 - 1, e.g. 7. The same seed gives the same rows.",
        kind=int,
        panel=panels.DRAW,
    )
    method: Method = argument(
        "resample",
        "How to draw: 'resample' draws without replacement in proportion to the weights; 'top-k' "
        "takes the greatest log-weights, without noise; 'random' ignores the weights and draws "
        "all eligible documents with equal chance, to compare with; 'coverage' takes in ten rounds "
        "the documents with the n-grams of the target that the selection still lacks; 'cap' draws "
        "at random from all documents that are as relevant as the target's own. The last two weigh "
        "by the estimator 'relevance'.",
        panel=panels.DRAW,
    )
    temperature: float = argument(
        1.0,
        "Divides the log-weights before the noise is added, a number above 0, e.g. 0.5. Above 1 it "
        "flattens the draw, below 1 it sharpens the draw. The rows of the other "
        "methods do not depend on it.",
        kind=float,
        panel=panels.DRAW,
    )
    target: int = 0
    calibrations: tuple[Calibration, ...] = ()

    def __post_init__(self) -> None:
        """Check the settings."""
        one_of("method", self.method, get_args(Method))
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0, (1 << 64) - 1))
        found = number(
            "temperature",
            self.temperature,
            above=0,
            # Log-weights divided by less than this would be infinite.
            least=_LEAST_TEMPERATURE,
            expected=f"a number above 0, {_LEAST_TEMPERATURE} or more",
        )
        object.__setattr__(self, "temperature", found)

    def describe(self) -> dict[str, Any]:
        """Return the rule as JSON values, without its target."""
        return {"method": self.method, "temperature": self.temperature, "seed": self.seed}

    def of_target(self, target: int) -> KeyRule:
        """Return the same rule for another target."""
        return replace(self, target=target)

    @property
    def calibration(self) -> Calibration:
        """The calibration of the target that draws.

        Raises:
            SettingError: there is none, because the weights are not those of such a model.
        """
        if not self.calibrations:
            raise SettingError(
                f'method="{self.method}": needs log-weights of the estimator "relevance"; use '
                "dsir.select, or fit the model with that estimator"
            )
        return self.calibrations[self.target]

    @property
    def divisor(self) -> float:
        """What log-weights are divided by, above 0."""
        if self.method != "cap":
            return self.temperature
        spread = self.temperature * _CAP_TEMPERATURE * self.calibration.spread
        return max(spread, _LEAST_TEMPERATURE)

    @property
    def core(self) -> _core.KeySettings:
        """The rule, as the core takes it."""
        return _core.KeySettings(
            seed=self.seed,
            target=self.target,
            temperature=self.divisor,
            noise=METHODS[self.method].noise,
        )

    def in_keys(self, log_weight: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the log-weights as they enter the keys, before they are divided.

        They are zeros if the method ignores them, and end at a threshold with method="cap".
        """
        if self.method == "cap":
            return np.minimum(log_weight, self.calibration.threshold)
        return log_weight if METHODS[self.method].weight else np.zeros_like(log_weight)


@dataclass(frozen=True, slots=True)
class Threshold:
    """The lowest rank that is selected. Picklable, and exact as JSON.

    Attributes:
        key, not_row: the rank (see cpp/sampling/keys.hpp); a document is selected if it is eligible
            and its rank is at least this.
        selected: how many documents are selected.
        cost: their cost, in the budget's unit.
        next_cost: the cost of the best document that is not selected; 0 if there is none.
    """

    key: int
    not_row: int
    selected: int
    cost: int
    next_cost: int


NOTHING = Threshold(key=(1 << 64) - 1, not_row=(1 << 64) - 1, selected=0, cost=0, next_cost=0)
"""Selects no document, because no key is as great."""


def find_threshold(
    runs: Callable[[], Iterable[Run]],
    rule: KeyRule,
    budget: int,
    threads: int = 1,
    rows: int = 0,
) -> Threshold:
    """Return the threshold that spends a budget. The memory needed is constant.

    Args:
        runs: gives all documents, in any order; called once for each of one to four passes.
        rule: how the keys are made.
        budget: documents are taken by descending key until the next document would exceed it.
        threads: how many threads to use; the result does not depend on it.
        rows: the number of documents, or 0 if it is unknown. If there are very many, a first look
            at some of them saves passes. The result does not depend on it.
    """
    search = _core.ThresholdSearch(rule.core, budget)
    if rows >= _WORTH_A_GUESS:
        guess = _core.ThresholdGuess(rule.core, budget, rows)
        for run in runs():
            guess.add(run.log_weight, run.eligible, run.first_row, cost=run.cost)
        bracket = guess.bracket()
        if bracket is not None:
            search.expect(bracket)
    while not search.done:
        for run in runs():
            search.add(run.log_weight, run.eligible, run.first_row, cost=run.cost, threads=threads)
        search.end_pass()
    rank = search.threshold
    return Threshold(rank.key, rank.not_row, search.selected, search.cost, search.next_cost)


def selected_positions(
    run: Run, rule: KeyRule, threshold: Threshold, threads: int = 1
) -> npt.NDArray[np.int64]:
    """Return the positions of the selected documents in the run, int64, ascending."""
    rank = _core.Rank(threshold.key, threshold.not_row)
    return _core.selected_positions(
        rule.core, rank, run.log_weight, run.eligible, run.first_row, threads=threads
    )


def flat_numbers(log_weights: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return log-weights as an array, without a copy if they are one.

    Raises:
        SettingError: they are not a flat array of numbers, or some of them are masked.
    """
    values = np.asanyarray(log_weights)
    if values.ndim != 1 or (len(values) and values.dtype.kind not in "fiu"):
        raise SettingError("log_weights: expected a flat array of numbers")
    way_out = "give log_weights.filled(-numpy.inf) to draw no masked document"
    refuse_masked("log_weights", values, way_out)
    return values


def sample(
    log_weights: npt.ArrayLike,
    n: int,
    *,
    seed: int = 0,
    method: Method = "resample",
    temperature: float = 1.0,
    threads: int = 1,
) -> npt.NDArray[np.int64]:
    """Draw n documents without replacement, in proportion to their weights.

    A pure function: the same arguments give the same rows on every machine. A memory-mapped array
    is read in slices, so memory holds only the answer and some tens of megabytes.

    Args:
        log_weights: one number for each document; -inf (a weight of zero) is never drawn, by no
            method.
        n: how many documents to draw.
        seed: seed of the noise, 0 to 2**64 - 1.
        method: "resample"; "top-k" for the greatest log-weights without noise; "random" for equal
            chances, whatever the weights.
        temperature: divides the log-weights; above 1 flattens the draw, below 1 sharpens it.
        threads: how many threads to use; the result does not depend on it.

    Returns:
        int64[n], row numbers, ascending.

    Raises:
        SettingError: an argument is out of range, or a log-weight is NaN or +inf.
        BudgetError: fewer than n documents have a weight above zero.

    Example:
        >>> dsir.sample([0.0, 9.0, 1.0, 9.0], 2, method="top-k").tolist()
        [1, 3]
        >>> len(dsir.sample([0.0, 9.0, 1.0, 9.0], 2, seed=7))
        2
    """
    rule = KeyRule(seed, method, temperature)
    if METHODS[rule.method].calibrated:
        rule.calibration  # noqa: B018 - raises, because numbers have none
    values = flat_numbers(log_weights)
    n = amount("n", n, 1)
    threads = whole_number("threads", threads, 1, _MOST_THREADS)

    def runs() -> Iterable[Run]:
        for first in range(0, len(values), _SLICE):
            piece = values[first : first + _SLICE]
            yield Run(first, np.ascontiguousarray(piece, dtype=np.float64), None)
            _release_pages(piece)

    def ranked() -> Iterable[Run]:
        if METHODS[method].weight:
            return runs()
        return (
            run._replace(
                log_weight=rule.in_keys(run.log_weight),
                eligible=(run.log_weight > -math.inf).astype(np.uint8),
            )
            for run in runs()
        )

    eligible = sum(_count_eligible(run) for run in runs())
    if n > eligible:
        raise BudgetError(f"n={n:,}: only {eligible:,} documents have a weight above zero")
    threshold = find_threshold(ranked, rule, n, threads, len(values))
    rows = [run.first_row + selected_positions(run, rule, threshold, threads) for run in ranked()]
    return np.concatenate(rows)


def _count_eligible(run: Run) -> int:
    """Count the log-weights above -inf.

    Raises:
        SettingError: a log-weight is NaN or +inf.
    """
    values = run.log_weight
    if not values.max(initial=-math.inf) < math.inf:  # Also true if the maximum is NaN.
        at = int(np.flatnonzero(np.isnan(values) | np.isposinf(values))[0])
        raise SettingError(
            f"log_weights: {values[at]} at position {run.first_row + at}; expected finite numbers "
            "or -inf"
        )
    if values.min(initial=math.inf) > -math.inf:
        return len(values)
    return int(np.count_nonzero(values > -math.inf))


def _release_pages(piece: npt.NDArray[Any]) -> None:
    """Release the pages of a slice of a memory map, so that memory does not grow with the map.

    The pages stay in the system's cache. A private map (mode "c") keeps its pages, because it would
    lose what was written to it.
    """
    if not isinstance(piece, np.memmap) or piece.mode == "c" or not piece.flags.c_contiguous:
        return
    mapped = getattr(piece, "_mmap", None)
    if mapped is None or not hasattr(mmap, "MADV_DONTNEED"):
        return
    offset = piece.ctypes.data - np.frombuffer(mapped, np.uint8).ctypes.data
    begin = offset // mmap.PAGESIZE * mmap.PAGESIZE
    mapped.madvise(mmap.MADV_DONTNEED, begin, offset + piece.nbytes - begin)
