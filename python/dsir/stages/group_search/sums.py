"""Whole numbers added up by a key, when most keys do not occur."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_DENSE = 1 << 21  # Keys for which an array of all of them is as good.
_WAITING = 1 << 20

Whole = npt.NDArray[np.int64]


class Sums:
    """Adds up numbers by key; memory is bounded by the keys that occur, twice.

    Args:
        bound: keys are below.
        columns: how many numbers each key has.
    """

    def __init__(self, bound: int, columns: int) -> None:
        self._dense = np.zeros((columns, bound), dtype=np.int64) if bound <= _DENSE else None
        self._parts: list[tuple[Whole, Whole]] = []
        self._columns = columns
        self._waiting = self._joined = 0

    def add(self, keys: Whole, numbers: Whole) -> None:
        """Add int64[columns, keys], whose sums in one call are below 2^53; keys may repeat."""
        if self._dense is not None:
            for total, column in zip(self._dense, numbers, strict=True):
                total += np.bincount(keys, column, len(total)).astype(np.int64)
            return
        self._parts.append(_joined(keys, numbers))
        self._waiting += len(self._parts[-1][0])
        if self._waiting > max(_WAITING, self._joined):
            self._join()

    def result(self) -> tuple[Whole, Whole]:
        """Return the keys that occurred, ascending, and their numbers, int64[columns, keys].

        A key whose numbers are all 0 does not count.
        """
        if self._dense is None:
            self._join()
            keys, numbers = self._parts[0]
        else:
            keys, numbers = np.arange(self._dense.shape[1]), self._dense
        some = numbers.any(axis=0)
        return keys[some], numbers[:, some]

    def _join(self) -> None:
        nothing = np.zeros(0, np.int64), np.zeros((self._columns, 0), np.int64)
        keys, numbers = zip(nothing, *self._parts, strict=True)
        self._parts = [_joined(np.concatenate(keys), np.concatenate(numbers, axis=1))]
        self._joined, self._waiting = len(self._parts[0][0]), 0


def _joined(keys: Whole, numbers: Whole) -> tuple[Whole, Whole]:
    """Return the distinct keys, ascending, with the sums of their numbers."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else keys
    return keys[first], np.add.reduceat(numbers[:, order], first, axis=1) if len(keys) else numbers
