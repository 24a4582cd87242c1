"""Codes for the values of a shard's quota columns, and the file that stores the values."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dsir.corpus.group_values import GroupValues
from dsir.errors import WorkdirError
from dsir.storage.place import Place

_SUFFIX = ".groups"


class GroupEncoder:
    """Gives the values of a shard codes: 0, 1, ... in the order in which values first occur.

    Args:
        columns: how many quota columns there are.
    """

    def __init__(self, columns: int) -> None:
        self._codes: list[dict[str, int]] = [{} for _ in range(columns)]

    def encode(self, values: Sequence[GroupValues]) -> npt.NDArray[np.uint32] | None:
        """Return the codes of a batch's rows, uint32[columns, rows]; None without columns."""
        if not self._codes:
            return None
        coded = []
        for (batch_codes, names), known in zip(values, self._codes, strict=True):
            # A dictionary may have values that do not occur, and those get no code.
            present = np.unique(batch_codes)
            table = np.zeros(len(names), dtype=np.uint32)
            table[present] = [known.setdefault(names[i], len(known)) for i in present.tolist()]
            coded.append(table[batch_codes])
        return np.stack(coded)

    @property
    def names(self) -> list[list[str]]:
        """For each column, the list of its values; a value's position is its code."""
        return [list(known) for known in self._codes]


def write_names(place: Place, names: list[list[str]]) -> None:
    """Write the values of a shard beside its scores."""
    with place.file(_SUFFIX) as file:
        file.write(json.dumps(names, ensure_ascii=False).encode())


def read_names(place: Place, columns: int) -> list[list[str]]:
    """Read the values of a shard, as `write_names` stored them.

    Raises:
        WorkdirError: the file is missing or damaged.
    """
    path = place.fetched(_SUFFIX)
    try:
        names = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise place.damaged(path, str(error)) from error
    if not isinstance(names, list) or len(names) != columns:
        raise place.damaged(path, "it does not hold the values of the quota columns")
    return names


def recoded(
    group_codes: npt.NDArray[np.uint32], codes: Sequence[npt.NDArray[np.uint32]]
) -> npt.NDArray[np.uint32]:
    """Translate codes of a shard, uint32[columns, rows], to codes of the corpus.

    Args:
        group_codes: codes of the shard.
        codes: for each column, the corpus's code of each code of the shard.

    Raises:
        WorkdirError: a code is out of range, so the values do not belong to these scores.
    """
    try:
        return np.stack([table[column] for table, column in zip(codes, group_codes, strict=True)])
    except IndexError as error:
        raise WorkdirError(f"the codes of a shard do not belong to its values: {error}") from error
