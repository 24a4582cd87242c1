"""Sums of arrays that tasks have stored, added up by tree where the tasks run.

An engine whose workers are on other machines would send every array through the caller: 80 kB for
each of 160,000 units. Here a task adds up the arrays of 32 tasks and stores the sum, and so on, and
the caller reads the last 32 at most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.engine import Engine, Progress
from dsir.progress import ignore
from dsir.storage.place import Place

_AT_ONCE = 32
NAME = "sum"  # Results of this stage are named this, as often as their level, then as the first.


@dataclass(frozen=True, slots=True)
class SumTask:
    """Add up stored arrays of one shape.

    Attributes:
        parts: where the arrays are stored.
        shape: the shape of each.
        place: where the sum is stored.
    """

    parts: tuple[Place, ...]
    shape: tuple[int, ...]
    place: Place


def add_up(task: SumTask, progress: Progress) -> int:
    """Add up arrays and store the sum; return how many they are.

    Raises:
        WorkdirError: an array is missing or damaged.
    """
    if task.place.finished() is None:
        total = np.zeros(task.shape, dtype=np.int64)
        for part in task.parts:
            total += load_array(part, task.shape)
            progress(0)
        with task.place.file(".npy") as file:
            np.save(file, total)
        task.place.finish({"parts": len(task.parts)})
    return len(task.parts)


def load_array(
    place: Place, shape: tuple[int, ...], dtype: type[np.int64 | np.float32] = np.int64
) -> npt.NDArray[Any]:
    """Read an array of numbers that a task stored.

    Raises:
        WorkdirError: the file is missing or damaged, or has another shape.
    """
    path = place.fetched(".npy")
    try:
        found: npt.NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise place.damaged(path, str(error)) from error
    if found.shape != shape or found.dtype != dtype:
        raise place.damaged(path, "it does not hold the numbers that its marker describes")
    return found


def sum_of(
    engine: Engine,
    places: Sequence[Place],
    shape: tuple[int, ...],
    place: Callable[[str], Place],
) -> npt.NDArray[np.int64]:
    """Return the sum of stored arrays.

    Args:
        engine: runs the tasks.
        places: where the arrays are stored; their names end in a number.
        shape: the shape of each.
        place: returns where the sum of a name is stored.
    """
    while len(places) > _AT_ONCE:
        groups = [tuple(places[at : at + _AT_ONCE]) for at in range(0, len(places), _AT_ONCE)]
        tasks = [SumTask(group, shape, place(f"{NAME}-{group[0].name}")) for group in groups]
        for _ in engine.run(add_up, tasks, ignore):
            pass
        places = [task.place for task in tasks]
    total = np.zeros(shape, dtype=np.int64)
    for part in places:
        total += load_array(part, shape)
    return total
