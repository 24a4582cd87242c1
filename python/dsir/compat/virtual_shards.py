"""Virtual shards: which example of a dataset belongs to which numbered file of weights.

In the reference, each process reads one virtual shard of a dataset: example j belongs to virtual
shard j modulo their number. In dsir, virtual shards only number the files and share the budget of
the fit; a dataset is read once for all of its virtual shards.
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
        shard_idx: number of this virtual shard within its dataset.
        num_shards: number of virtual shards of the dataset.
        overall_idx: number of this virtual shard among those of all datasets.
    """

    path: Any
    shard_idx: int
    num_shards: int
    overall_idx: int


def split(datasets: Sequence[Any], num_proc: int) -> list[VirtualShard]:
    """Split datasets evenly into num_proc virtual shards, at least one per dataset.

    The first datasets take the remainder.

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
        SettingError: a subclass has made virtual shards that do not fit together.
    """
    datasets: list[list[VirtualShard]] = []
    for number, shard in enumerate(shards):
        if shard["shard_idx"] == 0:
            datasets.append([])
        if (
            not datasets
            or shard["overall_idx"] != number
            or shard["shard_idx"] != len(datasets[-1])
            or shard["num_shards"] <= shard["shard_idx"]
        ):
            raise SettingError(
                f"virtual shard {number}: expected the virtual shards of each dataset one after "
                f"the other, numbered from 0; found {shard}"
            )
        datasets[-1].append(shard)
    for own_shards in datasets:
        if len(own_shards) != own_shards[0]["num_shards"]:
            raise SettingError(
                f"virtual shards: {own_shards[0]} expects {own_shards[0]['num_shards']} of its "
                f"dataset, found {len(own_shards)}"
            )
    return datasets


def global_rows(
    datasets: Sequence[Sequence[VirtualShard]], rows: Sequence[int]
) -> npt.NDArray[np.int64]:
    """Return the place of every example in the order of the datasets.

    Args:
        datasets: virtual shards by dataset.
        rows: number of examples in each virtual shard.

    Returns:
        int64, one entry per example, one virtual shard after the other.
    """
    places = [np.zeros(0, dtype=np.int64)]
    first = 0
    for shards in datasets:
        for shard in shards:
            own_rows = np.arange(rows[shard["overall_idx"]], dtype=np.int64)
            places.append(first + shard["shard_idx"] + len(shards) * own_rows)
        first += sum(rows[shard["overall_idx"]] for shard in shards)
    return np.concatenate(places)


def threads_for(num_proc: int) -> int:
    """Return the number of threads for num_proc: at most one per usable core; -1 for all cores."""
    return usable_cores() if num_proc == -1 else min(num_proc, usable_cores())
