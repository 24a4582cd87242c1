"""Virtual shards: which example of a dataset belongs to which numbered file of weights.

A dataset is split over so many virtual shards as processes of the reference would share it: example
j belongs to number j mod their count. Here they are but the names of files, and shares of the
budget of the fit; a dataset is read once for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from dsir.engine import usable_cores
from dsir.errors import SettingError


class VirtualShard(TypedDict):
    """The reference's description of a virtual shard.

    Attributes:
        path: the dataset.
        shard_idx: number among those of the dataset.
        num_shards: how many these are.
        overall_idx: number among all.
    """

    path: Any
    shard_idx: int
    num_shards: int
    overall_idx: int


def split(datasets: Sequence[Any], num_proc: int) -> list[VirtualShard]:
    """Split datasets over num_proc: evenly, the first of them taking what is over, at least one.

    Raises:
        SettingError: there are no datasets.
    """
    if not len(datasets):
        raise SettingError("there are no datasets: raw_datasets or target_datasets is empty")
    each, over = divmod(num_proc, len(datasets)) if num_proc >= len(datasets) else (1, 0)
    shards: list[VirtualShard] = []
    for number, path in enumerate(datasets):
        count = each + (number < over)
        for index in range(count):
            shards.append(
                {
                    "path": path,
                    "shard_idx": index,
                    "num_shards": count,
                    "overall_idx": len(shards),
                }
            )
    return shards


def by_dataset(shards: Sequence[VirtualShard]) -> list[list[VirtualShard]]:
    """Group virtual shards by dataset.

    Raises:
        SettingError: a subclass has made virtual shards that are no such split.
    """
    groups: list[list[VirtualShard]] = []
    for number, shard in enumerate(shards):
        if shard["shard_idx"] == 0:
            groups.append([])
        if (
            not groups
            or shard["overall_idx"] != number
            or shard["shard_idx"] != len(groups[-1])
            or shard["num_shards"] <= shard["shard_idx"]
        ):
            raise SettingError(
                f"virtual shard {number}: expected those of a dataset one after the other, "
                f"numbered from 0; found {shard}"
            )
        groups[-1].append(shard)
    for group in groups:
        if len(group) != group[0]["num_shards"]:
            raise SettingError(f"virtual shards: {group[0]} is one of only {len(group)}")
    return groups


def global_rows(
    groups: Sequence[Sequence[VirtualShard]], rows: Sequence[int]
) -> npt.NDArray[np.int64]:
    """Return the place of every example in the order of the datasets.

    Args:
        groups: virtual shards by dataset.
        rows: how many examples each virtual shard has.

    Returns:
        int64, an entry per example, the virtual shards one after the other.
    """
    parts = [np.zeros(0, dtype=np.int64)]
    first = 0
    for group in groups:
        count = len(group)
        for shard in group:
            of_shard = np.arange(rows[shard["overall_idx"]], dtype=np.int64)
            parts.append(first + shard["shard_idx"] + count * of_shard)
        first += sum(rows[shard["overall_idx"]] for shard in group)
    return np.concatenate(parts)


def threads_for(num_proc: int) -> int:
    """Return how many threads num_proc stands for: no more than there are cores; -1 for all."""
    return usable_cores() if num_proc == -1 else min(num_proc, usable_cores())
