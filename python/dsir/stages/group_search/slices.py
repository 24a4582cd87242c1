"""The documents that are left of each group, brought to one task, which sorts them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dsir.engine import Progress
from dsir.stages.duplicates.slices import SUFFIX, read_slice, slices_at
from dsir.stages.group_search.followed import Followed, Within
from dsir.stages.group_search.sums import Whole
from dsir.stages.turn import NOBODY, U64, Candidates, Turn
from dsir.storage.place import Place

_AT, _RANK, _COST = np.dtype("<u4"), np.dtype("<u8"), np.dtype("<u4")
BYTES_A_DOCUMENT = _AT.itemsize + 2 * _RANK.itemsize + _COST.itemsize


@dataclass(frozen=True, slots=True)
class SliceTask(Turn):
    """Write the documents of a piece that are left, a slice for each range of the groups.

    Attributes:
        followed: the groups.
        firsts: int64, the first group of each range, and how many groups there are.
        place: where the slices go.
    """

    followed: Followed
    firsts: Whole
    place: Place


@dataclass(frozen=True, slots=True)
class RangeTask:
    """Find the ranks that close the groups of a range.

    Attributes:
        number: the range.
        ranges: how many there are.
        slices: where the slices of the first piece are.
        pieces: how many pieces there are.
        limits: int64, what each group may still take before a document is refused.
        first: the first group of the range.
        in_rows: whether the limits are numbers of documents, and not their cost.
    """

    number: int
    ranges: int
    slices: Place
    pieces: int
    limits: Whole
    first: int
    in_rows: bool


class Refused(NamedTuple):
    """The first document of each group beyond its limit: uint64 each.

    Attributes:
        at: the place of the group among those that are followed.
        key, not_row: the rank of the document.
    """

    at: U64
    key: U64
    not_row: U64


def slice_piece(task: SliceTask, progress: Progress) -> None:
    """Write the documents of a piece that are left, by range, in the order of the groups.

    A slice is the groups, uint32 each, then the keys, the rows and the costs.
    """
    parts = [Within(np.zeros(0, np.int64), NOBODY)]
    for ranked, codes in task.ranked():
        parts.append(task.followed.within(ranked, codes))
        progress(0)
    at, found = _together(parts)
    del parts
    order = np.argsort(at, kind="stable")
    at, found = at[order], found.where(order)
    ends = np.searchsorted(at, task.firsts).tolist()
    with slices_at(task.place) as write:
        for start, stop in itertools.pairwise(ends):
            keys, not_rows, costs = (column[start:stop] for column in found)
            write(
                at[start:stop].astype(_AT),
                keys.astype(_RANK, copy=False),
                not_rows.astype(_RANK, copy=False),
                costs.astype(_COST),
            )
            progress(0)


def refused_in_range(task: RangeTask, progress: Progress) -> Refused:
    """Find the first document of each group of a range beyond the group's limit.

    Raises:
        WorkdirError: a slice is missing or damaged.
    """
    parts = [Within(np.zeros(0, np.int64), NOBODY)]
    for piece in range(task.pieces):
        parts.append(_in_slice(read_slice(slices_of(task.slices, piece), task.number, task.ranges)))
        progress(0)
    at, (keys, not_rows, costs) = _together(parts)
    del parts
    order = np.lexsort((~not_rows, ~keys, at))
    at, keys, not_rows = at[order], keys[order], not_rows[order]
    used = np.ones(len(at), np.int64) if task.in_rows else costs[order].astype(np.int64)
    groups = at - task.first
    total = np.cumsum(used)
    firsts = np.searchsorted(groups, np.arange(len(task.limits)))
    total -= (total - used)[firsts][groups]
    beyond = np.flatnonzero(total > task.limits[groups])
    found, first = np.unique(at[beyond], return_index=True)
    ends = beyond[first]
    return Refused(found.astype(np.uint64), keys[ends], not_rows[ends])


def _together(parts: Sequence[Within]) -> Within:
    columns = zip(*(part.found for part in parts), strict=True)
    return Within(
        np.concatenate([part.at for part in parts]),
        Candidates._make(map(np.concatenate, columns)),
    )


def _in_slice(data: bytes) -> Within:
    """Return the documents of a slice."""
    count, start = len(data) // BYTES_A_DOCUMENT, 0
    columns: list[U64] = []
    for kind in (_AT, _RANK, _RANK, _COST):
        columns.append(np.frombuffer(data, kind, count, start).astype(np.uint64, copy=False))
        start += count * kind.itemsize
    at, *found = columns
    return Within(at.astype(np.int64), Candidates._make(found))


def slices_of(place: Place, piece: int) -> Place:
    """Return where the slices of a piece are, beside those of the first of all pieces."""
    word, _, first = place.name.rpartition("-")
    return place.beside(f"{word}-{int(first) + piece:05d}")


def remove_slices(place: Place, pieces: int) -> None:
    """Remove the slices of so many pieces."""
    for piece in range(pieces):
        slices_of(place, piece).remove(SUFFIX)
