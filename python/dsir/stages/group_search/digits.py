"""A digit of the closing ranks of many groups: documents by group and digit, and what they say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dsir.engine import Progress
from dsir.stages.group_search.followed import Followed
from dsir.stages.group_search.sums import Sums, Whole
from dsir.stages.rank_search import LEVELS
from dsir.stages.turn import U64, Turn

_DIGIT_BITS = 16  # At most.


@dataclass(frozen=True, slots=True)
class GroupDigitTask(Turn):
    """Count the documents of a piece by group and by the next digit of their ranks.

    Attributes:
        followed: the groups; as many digits are known of each.
    """

    followed: Followed


class GroupBins(NamedTuple):
    """Documents by group and digit: uint64 each; bins without documents are left out.

    Attributes:
        bins: the place of the group among those that are followed, and the digit in the last 16
            bits; ascending.
        documents: how many there are.
        costs: their cost.
    """

    bins: U64
    documents: U64
    costs: U64


class Ends(NamedTuple):
    """For each group the digit in which its quota ends, int64 each.

    Attributes:
        digits: the digit.
        before: what the documents with greater digits use of the quota.
        documents: how many documents have the digit.
    """

    digits: Whole
    before: Whole
    documents: Whole


def group_digits_in_piece(task: GroupDigitTask, progress: Progress) -> GroupBins:
    """Count the documents of a piece by group and digit."""
    level = LEVELS[int(task.followed.level[0])]
    sums = _sums(task.followed)
    for ranked, codes in task.ranked():
        at, found = task.followed.within(ranked, codes)
        costs = found.costs.astype(np.int64)
        sums.add((at << _DIGIT_BITS) | level.digits(found), np.stack([np.ones_like(costs), costs]))
        progress(0)
    bins, numbers = sums.result()
    return GroupBins(bins.astype(np.uint64), *numbers.astype(np.uint64))


def ends_of(
    found: Iterable[GroupBins], followed: Followed, limits: Whole, *, in_rows: bool
) -> Ends:
    """Return in which digit the quota of each group ends.

    Args:
        found: the documents of all pieces.
        followed: the groups.
        limits: int64, what each group may take before a document is refused; all have more.
        in_rows: whether that is a number of documents, and not their cost.
    """
    sums = _sums(followed)
    for one in found:
        numbers = np.stack([one.documents, one.costs]).astype(np.int64)
        sums.add(one.bins.astype(np.int64), numbers)
    bins, numbers = sums.result()
    # By group, and the greatest digits first.
    order = np.argsort(((bins >> _DIGIT_BITS) << _DIGIT_BITS) - (bins & ((1 << _DIGIT_BITS) - 1)))
    bins, (documents, costs) = bins[order], numbers[:, order]
    used = documents if in_rows else costs
    at = bins >> _DIGIT_BITS
    total = np.cumsum(used)
    firsts = np.searchsorted(at, np.arange(len(limits)))
    total -= (total - used)[firsts][at]
    beyond = np.flatnonzero(total > limits[at])
    _, first = np.unique(at[beyond], return_index=True)
    ends = beyond[first]
    assert len(ends) == len(limits), "every group has more than its limit"
    return Ends(bins[ends] & ((1 << _DIGIT_BITS) - 1), total[ends] - used[ends], documents[ends])


def _sums(followed: Followed) -> Sums:
    return Sums(len(followed.codes) << _DIGIT_BITS, 2)
