"""The methods "coverage" and "cap" as docs/algorithms.md defines them, document by document."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

import dsir

_PRIOR, _DISCOUNT, _ROUNDS, _LARGEST = 3.0, 0.75, 10, 10.0
_FINE = 2**44  # Gains are means of entries that are rounded to multiples of 2^-44.

Texts = Sequence[str | None]


def _within(
    ranked: list[int],
    cost: np.ndarray,
    groups: Sequence[object],
    limit: int,
    left: dict[object, int],
) -> list[int]:
    """What a draw takes of ranked rows; a value that a row would take above what is left closes."""
    taken: list[int] = []
    closed = set()
    for row in ranked:
        group, size = groups[row], int(cost[row])
        if group in closed:
            continue
        if size > left[group]:
            closed.add(group)
            continue
        if size > limit:
            break
        taken.append(row)
        limit -= size
        left[group] -= size
    return taken


class Plain:
    """What the methods know of a corpus and one target.

    Attributes:
        lengths: tokens of every row.
        relevance: of every row.
        threshold, spread: of the target's own documents.
    """

    def __init__(self, features: dsir.HashedNgrams, raw: Texts, target: Texts) -> None:
        self._features = features
        self._bags = [self._bag(text) for text in raw]
        self.lengths = np.array([len(features.tokens(text or "")) for text in raw])
        goal = [(len(features.tokens(text)), self._bag(text)) for text in target if text]
        self._raw, self._target = self._sum(self._bags), self._sum([bag for _, bag in goal])
        self._p_raw = np.maximum(self._raw, 0.5) / self._raw.sum()
        total = self._target.sum()
        table = np.log((self._target / (total * self._p_raw) + _PRIOR) / (1 + _PRIOR))
        self.relevance = np.array([self._mean(bag, table) for bag in self._bags])
        own = [(tokens, self._left_out(bag)) for tokens, bag in goal if bag]
        long = [x for tokens, x in own if tokens >= 100]
        found = sorted(long if len(long) >= 20 else [x for _, x in own])
        self.threshold = found[math.floor(0.1 * len(found))]
        self.spread = float(np.std(found))

    def coverage(
        self, eligible: np.ndarray, cost: np.ndarray, budget: int, *, before: int = 0
    ) -> list[int]:
        """Rows in the order in which they are taken.

        Args:
            eligible: which rows may be taken.
            cost: of every row, in the budget's unit.
            budget: in that unit.
            before: what earlier targets take.
        """
        eligible = eligible & (cost <= budget)
        by_relevance = sorted(np.flatnonzero(eligible), key=lambda i: (-self.relevance[i], i))
        pool: list[int] = []
        held = 0
        for row in by_relevance:
            if self.relevance[row] < self.threshold and held >= before + math.ceil(1.5 * budget):
                break
            pool.append(row)
            held += int(cost[row])
        return self._rounds(pool, cost, budget, lambda _, ranked: ranked)

    def coverage_within(
        self,
        eligible: np.ndarray,
        cost: np.ndarray,
        budget: int,
        groups: Sequence[object],
        cap: Callable[[int, float], int],
    ) -> list[int]:
        """As `coverage`, and no value of a column takes more than its cap.

        Args:
            eligible, cost, budget: as in `coverage`.
            groups: the value of every row.
            cap: the most of a value, in the budget's unit, for a budget and how many times the
                asked one it is.
        """
        eligible = eligible & (cost <= budget)
        factor = math.ceil(1.5 * budget) / budget
        wanted = math.ceil(budget * factor)
        there: Counter[object] = Counter()
        for row in np.flatnonzero(eligible):
            there[groups[row]] += int(cost[row])
        while True:  # A share of the budget falls with it.
            room = sum(min(size, cap(wanted, factor)) for size in there.values())
            if room >= wanted:
                break
            wanted = room
        by_relevance = sorted(np.flatnonzero(eligible), key=lambda i: (-self.relevance[i], i))
        left = dict.fromkeys(groups, cap(wanted, factor))
        pool = set(_within(by_relevance, cost, groups, wanted, left))
        pool |= {row for row in by_relevance if self.relevance[row] >= self.threshold}
        left = dict.fromkeys(groups, cap(budget, 1.0))
        return self._rounds(
            sorted(pool),
            cost,
            budget,
            lambda limit, ranked: _within(ranked, cost, groups, limit, left),
        )

    def _rounds(
        self,
        pool: list[int],
        cost: np.ndarray,
        budget: int,
        within: Callable[[int, list[int]], list[int]],
    ) -> list[int]:
        if not pool:
            return []
        weight = budget * int(self.lengths[pool].sum()) / int(cost[pool].sum())
        mass = _DISCOUNT * np.count_nonzero(self._target)
        p_target = np.maximum(self._target - _DISCOUNT, 0) + self._p_raw * mass
        p_target /= self._target.sum()
        counts = np.zeros(len(self._raw))
        taken: list[int] = []
        spent = 0
        for turn in range(_ROUNDS):
            gain = np.minimum(weight * p_target / (counts + weight * self._p_raw), _LARGEST)
            fits = [i for i in pool if i not in taken and cost[i] <= budget - spent]
            gains = {i: self._mean(self._bags[i], gain) for i in fits}
            limit = budget * (turn + 1) // _ROUNDS
            for row in within(limit - spent, sorted(fits, key=lambda i: (-gains[i], i))):
                if spent + int(cost[row]) > limit:
                    break
                taken.append(row)
                spent += int(cost[row])
                for bucket, count in self._bags[row].items():
                    counts[bucket] += count
        return taken

    def _bag(self, text: str | None) -> Counter[int]:
        return Counter(bucket for _, bucket in self._features.ngrams(text or ""))

    def _sum(self, bags: Sequence[Counter[int]]) -> np.ndarray:
        counts = np.zeros(self._features.buckets)
        for bag in bags:
            for bucket, count in bag.items():
                counts[bucket] += count
        return counts

    def _mean(self, bag: Counter[int], table: np.ndarray) -> float:
        if not bag:
            return 0.0
        total = sum(count * round(float(table[b]) * _FINE) for b, count in bag.items())
        return total / _FINE / bag.total()

    def _left_out(self, bag: Counter[int]) -> float:
        total, own = self._target.sum(), bag.total()
        pseudo = _PRIOR * total
        terms = (
            count * math.log((self._target[b] - count) / self._p_raw[b] + pseudo)
            for b, count in bag.items()
        )
        return math.fsum(terms) / own - math.log(total - own + pseudo)
