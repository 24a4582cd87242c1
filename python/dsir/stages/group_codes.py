"""Codes of the values of quota columns in a shard, and the file that holds the values."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dsir.corpus.group_values import GroupValues
from dsir.errors import WorkdirError
from dsir.storage.workdir import Place

_SUFFIX = ".groups"


class GroupEncoder:
    """Gives the values in a shard codes: 0, 1, ... in the order in which they come.

    Args:
        columns: how many columns there are.
    """

    def __init__(self, columns: int) -> None:
        self._codes: list[dict[str, int]] = [{} for _ in range(columns)]

    def encode(self, values: Sequence[GroupValues]) -> npt.NDArray[np.uint32] | None:
        """Return the codes of rows, uint32[columns, rows]; None without columns."""
        if not self._codes:
            return None
        coded = []
        for (of_batch, names), known in zip(values, self._codes, strict=True):
            # Only of values that occur: a dictionary may have others.
            present = np.unique(of_batch)
            table = np.zeros(len(names), dtype=np.uint32)
            table[present] = [known.setdefault(names[i], len(known)) for i in present.tolist()]
            coded.append(table[of_batch])
        return np.stack(coded)

    @property
    def names(self) -> list[list[str]]:
        """The values by their code, a list a column."""
        return [list(known) for known in self._codes]


def write_names(place: Place, names: list[list[str]]) -> None:
    """Write the values of a shard beside its scores."""
    with place.file(_SUFFIX) as file:
        file.write(json.dumps(names, ensure_ascii=False).encode())


def read_names(place: Place, columns: int) -> list[list[str]]:
    """Read them.

    Raises:
        WorkdirError: they are missing or damaged.
    """
    path = place.path(_SUFFIX)
    try:
        names = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise place.damaged(path, str(error)) from error
    if not isinstance(names, list) or len(names) != columns:
        raise place.damaged(path, "it does not hold the values of the columns")
    return names


def recoded(
    groups: npt.NDArray[np.uint32], codes: Sequence[npt.NDArray[np.uint32]]
) -> npt.NDArray[np.uint32]:
    """Exchange the codes of a shard, uint32[columns, rows], for those of all.

    Raises:
        WorkdirError: a code is out of range: the values are not those of the scores.
    """
    try:
        return np.stack([table[column] for table, column in zip(codes, groups, strict=True)])
    except IndexError as error:
        raise WorkdirError(f"the codes of a shard do not belong to its values: {error}") from error
