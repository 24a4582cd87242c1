"""The rank at which a budget is spent, found by tasks that count documents by digits of the ranks.

A rank is 128 bits. Tasks send the number and the cost of the documents by its first digit, as the
radix search of the core has them; the digit at which the budget ends is known, and the documents
with that digit are counted by the next, until a few are left. Those are sent back and sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir.engine import Engine, Progress
from dsir.progress import ignore
from dsir.sampling import Threshold
from dsir.stages.turn import NOBODY, U64, Candidates, Turn

_FEW = 1 << 14  # Candidates that are sent back and sorted.


class Level(NamedTuple):
    """A digit of a rank: `bits` bits of the key, or of the row, from bit `shift` up."""

    of_key: bool
    shift: int
    bits: int

    def digits(self, found: Candidates) -> npt.NDArray[np.int64]:
        """Return the digit of each document's rank."""
        values = found.keys if self.of_key else found.not_rows
        mask = np.uint64((1 << self.bits) - 1)
        digits: npt.NDArray[np.int64] = ((values >> np.uint64(self.shift)) & mask).astype(np.int64)
        return digits


# Keys lie close together in their first 16 bits (sign, exponent, 4 bits), so tasks send few bins.
LEVELS = (
    Level(True, 48, 16),
    *(Level(True, shift, 12) for shift in (36, 24, 12, 0)),
    *(Level(False, shift, 16) for shift in (48, 32, 16, 0)),
)


@dataclass(frozen=True, slots=True)
class Prefix:
    """The digits of the threshold's rank that are known.

    Attributes:
        level: how many.
        key, not_row: the digits; 0 where they are not known.
    """

    level: int = 0
    key: int = 0
    not_row: int = 0

    def extended(self, digit: int) -> Prefix:
        """Return the prefix with one digit more."""
        level = LEVELS[self.level]
        more = digit << level.shift
        if level.of_key:
            return Prefix(self.level + 1, self.key | more, self.not_row)
        return Prefix(self.level + 1, self.key, self.not_row | more)

    def has(self, keys: U64, not_rows: U64) -> npt.NDArray[np.bool_]:
        """Tell which ranks begin with the prefix."""
        if self.level == 0:
            return np.ones(len(keys), dtype=bool)
        last = LEVELS[self.level - 1]
        shift = np.uint64(last.shift)
        if last.of_key:
            same: npt.NDArray[np.bool_] = (keys >> shift) == np.uint64(self.key >> last.shift)
            return same
        same = (not_rows >> shift) == np.uint64(self.not_row >> last.shift)
        same &= keys == np.uint64(self.key)
        return same


@dataclass(frozen=True, slots=True)
class DigitTask(Turn):
    """Count the documents of a piece by the next digit of their ranks.

    Attributes:
        prefix: the documents whose ranks begin with it are counted.
        collects: send back these documents, and do not count them.
    """

    prefix: Prefix
    collects: bool = False


class Bins(NamedTuple):
    """Documents by a digit of their ranks; bins without documents are left out.

    Attributes:
        digits: uint64, ascending.
        documents: uint64, how many there are.
        costs: uint64, their cost.
    """

    digits: U64
    documents: U64
    costs: U64


def digits_in_piece(task: DigitTask, progress: Progress) -> Bins | Candidates:
    """Count the documents of a piece by a digit, or return them."""
    level = LEVELS[min(task.prefix.level, len(LEVELS) - 1)]
    documents = np.zeros(1 << level.bits, dtype=np.uint64)
    costs = np.zeros(1 << level.bits, dtype=np.uint64)
    collected = [NOBODY]
    for ranked, _ in task.ranked():
        found = ranked.where(task.prefix.has(ranked.keys, ranked.not_rows))
        if task.collects:
            collected.append(found)
        else:
            digits = level.digits(found)
            documents += np.bincount(digits, minlength=len(documents)).astype(np.uint64)
            np.add.at(costs, digits, found.costs)
        progress(0)
    if task.collects:
        return Candidates._make(map(np.concatenate, zip(*collected, strict=True)))
    filled = np.flatnonzero(documents)
    return Bins(filled.astype(np.uint64), documents[filled], costs[filled])


def search(
    tasks: Callable[[Prefix, bool], Sequence[DigitTask]],
    budget: int,
    documents: int,
    engine: Engine,
) -> Threshold:
    """Return the threshold that spends a budget.

    Args:
        tasks: makes the tasks for a prefix, which count or collect.
        budget: documents are taken by descending rank until the next would exceed it.
        documents: how many there are, at most.
        engine: runs the tasks.
    """
    prefix = Prefix()
    selected = cost = 0
    while documents > _FEW and prefix.level < len(LEVELS):
        width = 1 << LEVELS[prefix.level].bits
        counts, costs = np.zeros(width, np.uint64), np.zeros(width, np.uint64)
        for bins in engine.run(digits_in_piece, tasks(prefix, False), ignore):
            assert isinstance(bins, Bins)
            digits = bins.digits.astype(np.int64)
            counts[digits] += bins.documents
            costs[digits] += bins.costs
        for digit in range(width - 1, -1, -1):
            if int(costs[digit]) > budget - cost:
                break
            cost += int(costs[digit])
            selected += int(counts[digit])
        else:  # Everything fits.
            return Threshold(0, 0, selected, cost, 0)
        documents = int(counts[digit])
        prefix = prefix.extended(digit)
    found = engine.run(digits_in_piece, tasks(prefix, True), ignore)
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    order = np.lexsort((columns[1], columns[0]))[::-1]
    for key, not_row, one in zip(*(column[order].tolist() for column in columns), strict=True):
        if one > budget - cost:
            # The next greater rank. Ranks are distinct, so no document lies in between.
            rank = ((key << 64) | not_row) + 1
            return Threshold(rank >> 64, rank & ((1 << 64) - 1), selected, cost, one)
        cost += one
        selected += 1
    return Threshold(0, 0, selected, cost, 0)
