"""Counting and scoring of hashed n-grams as a good Python programmer would write them: with numba.

Python lower-cases the texts, and one compiled loop cuts, hashes and adds up. It has nothing of
dsir's: it is written from docs/reference/formats.md, goes character by character and keeps the last
hashes in a small array. `benchmarks.peers` measures it, and tests use it as an oracle at sizes at
which plain Python is too slow.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

SPACE, WORD, SIGN = 0, 1, 2
_MOST = 8
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ROOT_2 = np.uint64(0x6A09E667F3BCC909)
_ROOT_3 = np.uint64(0xBB67AE8584CAA73B)
_ROOT_5 = np.uint64(0x3C6EF372FE94F82B)
_ROOT_7 = np.uint64(0xA54FF53A5F1D36F1)
_ROOT_11 = np.uint64(0x510E527FADE682D1)


@functools.cache
def kinds_of_characters() -> npt.NDArray[np.uint8]:
    """uint8[code points]: white space, characters of words, and signs, by Python's tables."""
    kinds = np.full(sys.maxunicode + 1, SIGN, dtype=np.uint8)
    for code_point in range(sys.maxunicode + 1):
        character = chr(code_point)
        if character.isspace():
            kinds[code_point] = SPACE
        elif character == "_" or character.isalnum():
            kinds[code_point] = WORD
    return kinds


def joined(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The lower-cased texts as UTF-8, one behind the other, and where each begins and ends."""
    encoded = [text.lower().encode() for text in texts]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), dtype=np.uint8), ends


@numba.njit
def _fold(a: Any, b: Any) -> Any:
    low_a, high_a, low_b, high_b = a & _LOW, a >> _HALF, b & _LOW, b >> _HALF
    low = low_a * low_b
    first = high_a * low_b + (low >> _HALF)
    second = low_a * high_b + (first & _LOW)
    return (high_a * high_b + (first >> _HALF) + (second >> _HALF)) ^ (a * b)


@numba.njit
def _word_at(text: Any, at: int, size: int) -> Any:
    """Up to eight bytes as a little-endian number."""
    word = np.uint64(0)
    for place in range(size):
        word |= np.uint64(text[at + place]) << np.uint64(8 * place)
    return word


@numba.njit
def _token_hash(text: Any, begin: int, end: int) -> Any:
    size = end - begin
    state, high = np.uint64(size), np.uint64(0)
    if size <= 8:
        low = _word_at(text, begin, size)
    else:
        low = _word_at(text, begin, 8)
        at = begin
        while at + 16 < end:
            left = _word_at(text, at, 8) ^ _ROOT_2 ^ state
            state = _fold(left, _word_at(text, at + 8, 8) ^ _ROOT_3)
            at += 16
        if size > 16:
            low = _word_at(text, end - 16, 8)
        high = _word_at(text, end - 8, 8)
    return _fold(_fold(low ^ _ROOT_2, high ^ _ROOT_3) ^ state, _ROOT_5)


@numba.njit
def _bucket(hashed: Any, buckets: int) -> Any:
    wide = np.uint64(buckets)
    return ((hashed >> _HALF) * wide + (((hashed & _LOW) * wide) >> _HALF)) >> _HALF


@numba.njit
def _decoded(text: Any, at: int) -> Any:
    """The character at a byte, and how many bytes it has; the text is UTF-8."""
    first = np.int64(text[at])
    if first < 0x80:
        return first, 1
    if first < 0xE0:
        return (first & 31) << 6 | np.int64(text[at + 1]) & 63, 2
    second = np.int64(text[at + 1]) & 63
    third = np.int64(text[at + 2]) & 63
    if first < 0xF0:
        return (first & 15) << 12 | second << 6 | third, 3
    return (first & 7) << 18 | second << 12 | third << 6 | np.int64(text[at + 3]) & 63, 4


@numba.njit(nogil=True)
def add_up(
    text: Any, ends: Any, kinds: Any, n: int, worth: Any, counts: Any, weights: Any, tokens: Any
) -> None:
    """Count the n-grams of every document, and add up what they are worth.

    Args:
        text: uint8[bytes], from `joined`.
        ends: int64[documents + 1], from `joined`.
        kinds: from `kinds_of_characters`.
        n: the longest n-gram, at most 8.
        worth: float64[buckets].
        counts: int64[buckets]; the counts of all documents are added to it.
        weights: float64[documents], for the sums.
        tokens: int64[documents], for the numbers of tokens.
    """
    buckets = len(worth)
    before = np.zeros(_MOST, dtype=np.uint64)  # [i]: the hash of the last (i + 1)-gram
    for document in range(len(ends) - 1):
        at, end = ends[document], ends[document + 1]
        total, found = 0.0, 0
        while at < end:
            character, size = _decoded(text, at)
            kind = kinds[character]
            begin = at
            at += size
            if kind == SPACE:
                continue
            while at < end:
                character, size = _decoded(text, at)
                if kinds[character] != kind:
                    break
                at += size
            token = _token_hash(text, begin, at)
            found += 1
            for order in range(min(n, found) - 1, 0, -1):
                before[order] = _fold(before[order - 1] ^ _ROOT_7, token ^ _ROOT_11)
            before[0] = token
            for order in range(min(n, found)):
                bucket = _bucket(before[order], buckets)
                counts[bucket] += 1
                total += worth[bucket]
        weights[document] = total
        tokens[document] = found


class Program:
    """Counts and scores texts; the arrays of one call.

    Args:
        n: the longest n-gram.
        worth: float64[buckets], what an n-gram of each bucket is worth.
    """

    def __init__(self, n: int, worth: npt.NDArray[np.float64]) -> None:
        self._n = n
        self._worth = np.ascontiguousarray(worth)
        self._kinds = kinds_of_characters()

    def run(
        self, texts: Sequence[str]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Return the counts per bucket, and of each text the sum and the number of tokens."""
        text, ends = joined(texts)
        counts = np.zeros(len(self._worth), dtype=np.int64)
        weights = np.zeros(len(texts))
        tokens = np.zeros(len(texts), dtype=np.int64)
        add_up(text, ends, self._kinds, self._n, self._worth, counts, weights, tokens)
        return counts, weights, tokens
