"""The values of the quota columns over all shards, with one code for each value."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dsir.stages.unit_scores import ChangeableScores


@dataclass(frozen=True, slots=True)
class Groups:
    """The values of the quota columns, over all shards. A group is one value of a column.

    Attributes:
        columns: the names of the columns.
        names: for each column, its values as JSON texts; a value's position is its code.
    """

    columns: tuple[str, ...]
    names: list[list[str]]


def merge_groups(shards: ChangeableScores, columns: tuple[str, ...]) -> Groups:
    """Give each value one code for all shards, in the order in which values first occur.

    Args:
        shards: the scores of all shards, in order; this sets their `codes`.
        columns: the names of the quota columns.

    Raises:
        WorkdirError: a shard's file of values is missing or damaged.
    """
    known: list[dict[str, int]] = [{} for _ in columns]
    for number, shard in enumerate(shards):
        codes = []
        for names, corpus_codes in zip(shard.group_names(), known, strict=True):
            translated = [corpus_codes.setdefault(name, len(corpus_codes)) for name in names]
            codes.append(np.array(translated, dtype=np.uint32))
        shards[number] = replace(shard, codes=codes)
    return Groups(columns, [list(corpus_codes) for corpus_codes in known])
