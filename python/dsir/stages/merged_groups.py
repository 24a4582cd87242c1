"""One code in all shards for each value of the quota columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dsir.stages.score import ShardScores


@dataclass(frozen=True, slots=True)
class Groups:
    """The values of the columns that quotas are by, over all shards.

    Attributes:
        columns: their names.
        names: by column, the values as JSON texts, by code.
    """

    columns: tuple[str, ...]
    names: list[list[str]]


def merge_groups(shards: Sequence[ShardScores], columns: tuple[str, ...]) -> Groups:
    """Give the values one code in all shards, in the order in which they come.

    Args:
        shards: the scores of all shards in order; their `codes` are set.
        columns: the columns.

    Raises:
        WorkdirError: the values of a shard are missing or damaged.
    """
    known: list[dict[str, int]] = [{} for _ in columns]
    for shard in shards:
        codes = []
        for names, of_all in zip(shard.group_names(), known, strict=True):
            mapped = [of_all.setdefault(name, len(of_all)) for name in names]
            codes.append(np.array(mapped, dtype=np.uint32))
        shard.codes = codes
    return Groups(columns, [list(of_all) for of_all in known])
