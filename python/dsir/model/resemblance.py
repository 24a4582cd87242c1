"""Documents that are nearly the same: the resemblance of their sets of n-grams.

The resemblance of two documents is the number of n-grams that both have, over the number that one
of them has (Jaccard): Broder 1997, On the resemblance and containment of documents. Runs of five
tokens, and 0.8 as what makes a near copy, are those of Lee et al. 2022 (arXiv 2107.06499).

Pairs are found by their rarest n-grams, and then compared in full. Of two sets that share 80 % of
their union, the rarest fifth of the one and of the other, and one n-gram more, have an n-gram in
common (prefix filtering: Bayardo et al. 2007, Scaling up all pairs similarity search).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WIDTH = 5
"""Tokens of an n-gram."""
NEAR = (4, 5)
"""The least resemblance of near copies, as a fraction."""

_NEXT = 16  # Documents that each is compared with, of those that have a rare n-gram of it.
_AT_ONCE = 1 << 21  # N-grams.
_MOST_COMPARED = 1 << 24

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NearCopies:
    """Which documents have a near copy.

    Attributes:
        compared: how many documents have an n-gram, so that they could be compared.
        has_copy: bool[documents].
        complete: whether all candidates were compared; if not, more documents may have a copy.
        pairs: int64[pairs, 2], documents that are near copies, the earlier one first: for each
            document with a copy at least one pair.
        resemblance: float64[pairs], from 0.8 to 1.
    """

    compared: int
    has_copy: npt.NDArray[np.bool_]
    complete: bool
    pairs: Longs
    resemblance: npt.NDArray[np.float64]


def near_copies(offsets: Longs, tokens: npt.NDArray[np.uint32]) -> NearCopies:
    """Find documents that have a near copy.

    The result depends on the documents and their order alone. Memory and time are bounded by the
    number of tokens: an n-gram that more than 17 documents have among their rarest is looked at
    for the 16 next larger documents of each, and at most 16 million n-grams are compared.

    Args:
        offsets: int64[documents + 1], where each document begins and ends among the tokens.
        tokens: numbers of the tokens, one document after the other.

    Example:
        >>> tokens = np.array([*range(40), *range(40), 7, 8], dtype=np.uint32)
        >>> near_copies(np.array([0, 40, 82]), tokens).has_copy.tolist()
        [True, True]
    """
    sets = _Sets.of(offsets, tokens)
    sizes = np.diff(sets.offsets)
    has_copy = np.zeros(len(sizes), dtype=bool)
    left, right = _candidates(sets, sizes)
    pairs, resemblances = [np.zeros((0, 2), np.int64)], [np.zeros(0)]
    spent, first = 0, 0
    cost = np.cumsum(np.minimum(sizes[left], sizes[right]))
    while first < len(left) and spent < _MOST_COMPARED:
        before = int(cost[first - 1]) if first else 0
        stop = max(first + 1, int(np.searchsorted(cost, before + _AT_ONCE)))
        span = slice(first, stop)
        first = stop
        # A pair of documents that both have a copy says nothing new.
        new = ~(has_copy[left[span]] & has_copy[right[span]])
        a, b = left[span][new], right[span][new]
        shared = sets.shared(a, b, sizes)
        spent += int(np.minimum(sizes[a], sizes[b]).sum())
        union = sizes[a] + sizes[b] - shared
        near = NEAR[1] * shared >= NEAR[0] * union
        has_copy[a[near]] = has_copy[b[near]] = True
        pairs.append(np.stack([a[near], b[near]], axis=1))
        resemblances.append(shared[near] / union[near])
    return NearCopies(
        int(np.count_nonzero(sizes)),
        has_copy,
        first >= len(left),
        np.concatenate(pairs),
        np.concatenate(resemblances),
    )


@dataclass(frozen=True, slots=True)
class _Sets:
    """The different n-grams of documents.

    N-grams are numbered from the rarest to the most frequent.

    Attributes:
        offsets: int64[documents + 1], where the n-grams of each document begin and end.
        ngrams: int64, their numbers, ascending in each document.
        keys: int64, ascending: the same, with the number of the document.
        distinct: how many n-grams have numbers.
        single: how many of these, the first ones, occur once.
    """

    offsets: Longs
    ngrams: Longs
    keys: Longs
    distinct: int
    single: int

    @classmethod
    def of(cls, offsets: Longs, tokens: npt.NDArray[np.uint32]) -> _Sets:
        documents = len(offsets) - 1
        starts = max(0, len(tokens) - WIDTH + 1)
        hashes = np.zeros(starts, dtype=np.uint64)
        for place in range(WIDTH):
            hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + tokens[place : place + starts]
            hashes ^= hashes >> np.uint64(29)
        hashes *= np.uint64(0xBF58476D1CE4E5B9)  # So that the leading bits depend on all tokens.
        document = np.repeat(np.arange(documents), np.diff(offsets))
        # Runs of tokens that end in the document in which they begin.
        inside = document[:starts] == document[len(tokens) - starts :]
        numbers, occurrences = _numbered(hashes[inside])
        distinct = max(1, len(occurrences))
        keys = _different(document[:starts][inside] * distinct + numbers)
        ends = np.searchsorted(keys, np.arange(documents + 1) * distinct)
        single = int(np.count_nonzero(occurrences == 1))
        return cls(ends, keys % distinct, keys, distinct, single)

    def shared(self, a: Longs, b: Longs, sizes: Longs) -> Longs:
        """Return how many n-grams the documents of each pair share."""
        swap = sizes[a] > sizes[b]
        small, large = np.where(swap, b, a), np.where(swap, a, b)
        lengths = sizes[small]
        pair = np.repeat(np.arange(len(a)), lengths)
        begins = np.repeat(self.offsets[small] - np.cumsum(lengths) + lengths, lengths)
        wanted = large[pair] * self.distinct + self.ngrams[begins + np.arange(len(pair))]
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.bincount(pair[self.keys[at] == wanted], minlength=len(a)).astype(np.int64)


def _candidates(sets: _Sets, sizes: Longs) -> tuple[Longs, Longs]:
    """Return pairs of documents that share a rare n-gram and are about as large."""
    documents = np.repeat(np.arange(len(sizes)), sizes)
    place = np.arange(len(documents)) - sets.offsets[documents]
    least = -(-NEAR[0] * sizes // NEAR[1])  # N-grams that a near copy shares at least.
    looked_at = (place <= (sizes - least)[documents]) & (sets.ngrams >= sets.single)
    ngrams, documents = sets.ngrams[looked_at], documents[looked_at]
    order = np.lexsort((documents, sizes[documents], ngrams))
    ngrams, documents = ngrams[order], documents[order]
    found = np.zeros(0, dtype=np.int64)
    for step in range(1, _NEXT + 1):
        same = ngrams[step:] == ngrams[:-step]
        a, b = documents[:-step][same], documents[step:][same]
        # They are ordered by size. Without a's being large enough, b has too many n-grams.
        alike = NEAR[1] * sizes[a] >= NEAR[0] * sizes[b]
        a, b = a[alike], b[alike]
        keys = np.minimum(a, b) * len(sizes) + np.maximum(a, b)
        found = _different(np.concatenate([found, keys]))
    return found // max(1, len(sizes)), found % max(1, len(sizes))


def _numbered(hashes: npt.NDArray[np.uint64]) -> tuple[Longs, Longs]:
    """Return the number of each n-gram, the rarest first, and how often each number occurs.

    The leading bits of a hash, 40 or more of 16 million n-grams, tell n-grams apart.
    """
    # Hashes with their places in the low bits: numpy sorts numbers much faster than places.
    bits = np.uint64(len(hashes).bit_length())
    packed = hashes >> bits << bits
    packed |= np.arange(len(hashes), dtype=np.uint64)
    packed.sort()
    order = (packed & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    packed >>= bits
    begins = np.ones(len(hashes), dtype=bool)
    begins[1:] = packed[1:] != packed[:-1]
    numbers = np.empty(len(hashes), dtype=np.int64)
    numbers[order] = np.cumsum(begins) - 1
    occurrences = np.bincount(numbers)
    # Numbers of 16 bits are sorted by radix. Beyond them any order serves.
    rarest = np.argsort(np.minimum(occurrences, 65_535).astype(np.uint16), kind="stable")
    place = np.empty(len(rarest), dtype=np.int64)
    place[rarest] = np.arange(len(rarest))
    return place[numbers], occurrences[rarest]


def _different(numbers: Longs) -> Longs:
    """Return the different numbers, ascending; faster than numpy.unique, which may hash them."""
    numbers.sort()
    first = np.ones(len(numbers), dtype=bool)
    first[1:] = numbers[1:] != numbers[:-1]
    return numbers[first]
