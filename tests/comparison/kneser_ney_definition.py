"""An interpolated Kneser-Ney model of trigrams in NumPy, which the core's is tested against.

Absolute discounting with one discount an order, n1 / (n1 + 2 n2), and continuation counts below the
highest order (Kneser & Ney 1995; Chen & Goodman 1998). The lowest order is interpolated with equal
shares of the vocabulary, so every token has a probability.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]


class KneserNey:
    """A model of documents.

    Args:
        documents: for each document the numbers of its tokens, 1 to `vocabulary` - 1; 0 stands for
            what is before the first token.
        vocabulary: how many numbers there are.
    """

    def __init__(self, documents: list[Ids], vocabulary: int) -> None:
        self._size = vocabulary
        first, second, third = _trigrams(documents)
        self._tri, tri_counts = np.unique(self._key(first, second, third), return_counts=True)
        self._tri_counts = tri_counts.astype(np.float64)
        # What follows a pair: how often, and how many different tokens.
        self._pair, at = np.unique(self._tri // vocabulary, return_inverse=True)
        self._pair_total = np.bincount(at, self._tri_counts)
        self._pair_types = np.bincount(at)
        # Continuation counts: before how many different tokens a pair, or a token, stands.
        bi = self._tri % vocabulary**2
        self._bi, bi_counts = np.unique(bi, return_counts=True)
        self._bi_counts = bi_counts.astype(np.float64)
        self._token, at = np.unique(self._bi // vocabulary, return_inverse=True)
        self._token_total = np.bincount(at, self._bi_counts)
        self._token_types = np.bincount(at)
        self._uni, uni_counts = np.unique(self._bi % vocabulary, return_counts=True)
        self._uni_counts = uni_counts.astype(np.float64)
        counts = (self._uni_counts, self._bi_counts, self._tri_counts)
        self._discounts = [_discount(one) for one in counts]

    def perplexity(self, documents: list[Ids]) -> float:
        """Return the perplexity per token of documents."""
        return float(np.exp(-np.mean(np.log(self.probabilities(*_trigrams(documents))))))

    def probabilities(self, first: Ids, second: Ids, third: Ids) -> npt.NDArray[np.float64]:
        """Return the probability of each third token after two others."""
        one, two, three = self._discounts
        types, total = len(self._uni), self._uni_counts.sum()
        found = _looked_up(self._uni, self._uni_counts, third)
        lowest = (np.maximum(found - one, 0) + one * types / (self._size - 1)) / total
        found = _looked_up(self._bi, self._bi_counts, second * self._size + third)
        total = _looked_up(self._token, self._token_total, second)
        types = _looked_up(self._token, self._token_types, second)
        middle = _interpolated(found, total, types, two, lowest)
        found = _looked_up(self._tri, self._tri_counts, self._key(first, second, third))
        pair = first * self._size + second
        total = _looked_up(self._pair, self._pair_total, pair)
        types = _looked_up(self._pair, self._pair_types, pair)
        return _interpolated(found, total, types, three, middle)

    def _key(self, first: Ids, second: Ids, third: Ids) -> Ids:
        return (first * self._size + second) * self._size + third


def _trigrams(documents: list[Ids]) -> tuple[Ids, Ids, Ids]:
    """Return the tokens of all documents, and the two before each."""
    start = np.zeros(2, np.int64)
    parts = [np.concatenate([start, one]) for one in documents if len(one)]
    first = np.concatenate([one[:-2] for one in parts])
    second = np.concatenate([one[1:-1] for one in parts])
    return first, second, np.concatenate([one[2:] for one in parts])


def _discount(counts: npt.NDArray[np.float64]) -> float:
    once, twice = np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
    return once / (once + 2 * twice) if once and twice else 0.5


def _looked_up(keys: Ids, values: npt.NDArray[np.float64], wanted: Ids) -> npt.NDArray[np.float64]:
    """Return the values of keys; 0 for keys that are not there."""
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0.0)


def _interpolated(
    found: npt.NDArray[np.float64],
    total: npt.NDArray[np.float64],
    types: npt.NDArray[np.float64],
    discount: float,
    lower: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return discounted shares of a context with what was taken shared out as the lower order."""
    known = np.maximum(total, 1)
    share = (np.maximum(found - discount, 0) + discount * types * lower) / known
    return np.where(total > 0, share, lower)
