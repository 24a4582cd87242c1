"""Groups whose closing ranks are looked for, as far as they are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir.engine import Shared
from dsir.stages.group_search.sums import Whole
from dsir.stages.rank_search import LEVELS
from dsir.stages.turn import U32, U64, Candidates

_ALL = (1 << 64) - 1


def _masks(of_key: bool) -> U64:
    """Return by level the bits of the key, or of the row, that are known."""
    found = [0]
    for level in LEVELS:
        known = _ALL ^ ((1 << level.shift) - 1)
        found.append(known if level.of_key == of_key else _ALL if level.of_key < of_key else 0)
    return np.array(found, dtype=np.uint64)


_KEY_BITS, _ROW_BITS = _masks(True), _masks(False)


class Within(NamedTuple):
    """Documents of followed groups whose ranks begin with the digits of the group.

    Attributes:
        at: int64, the place of each document's group among those that are followed.
        found: the documents.
    """

    at: Whole
    found: Candidates


@dataclass(frozen=True, slots=True, eq=False)
class Followed(Shared):
    """Groups, with the known digits of the rank that closes each.

    Attributes:
        codes: uint32, ascending.
        level: uint8, how many digits are known.
        key, not_row: uint64, these digits; 0 where they are not known.
    """

    codes: U32
    level: npt.NDArray[np.uint8]
    key: U64
    not_row: U64

    @classmethod
    def of(cls, codes: U32) -> Followed:
        """Return groups of which nothing is known."""
        nothing = np.zeros(len(codes), dtype=np.uint64)
        return cls(codes, nothing.astype(np.uint8), nothing, nothing)

    def where(self, at: Whole) -> Followed:
        """Return the groups in these places."""
        return Followed(self.codes[at], self.level[at], self.key[at], self.not_row[at])

    def extended(self, at: Whole, digits: Whole) -> Followed:
        """Return the groups with a digit more of some of them, which know equally many."""
        level = LEVELS[int(self.level[at[0]])]
        more = digits.astype(np.uint64) << np.uint64(level.shift)
        known, key, not_row = self.level.copy(), self.key.copy(), self.not_row.copy()
        known[at] += 1
        (key if level.of_key else not_row)[at] |= more
        return replace(self, level=known, key=key, not_row=not_row)

    def within(self, found: Candidates, codes: U32) -> Within:
        """Return the documents that are still in question.

        Args:
            found: documents.
            codes: the group of each.
        """
        at = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        level = self.level[at]
        chosen = self.codes[at] == codes
        chosen &= (found.keys & _KEY_BITS[level]) == self.key[at]
        chosen &= (found.not_rows & _ROW_BITS[level]) == self.not_row[at]
        return Within(at[chosen], found.where(chosen))
