"""Numbers of the columns of sparse rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def numbered_closely(
    columns: npt.NDArray[np.int64], width: int
) -> tuple[npt.NDArray[np.int64], int]:
    """Return columns by which arrays may be indexed, and how long such arrays are.

    Where there are more columns than entries, those that have an entry are numbered anew, in the
    same order: memory is for the entries, and not for each bucket of a wide hash.

    Args:
        columns: the column of each entry, 0 to width - 1.
        width: how many columns there are.

    Example:
        >>> numbered_closely(np.array([7, 1_000_000, 7]), 1 << 40)
        (array([0, 1, 0]), 2)
    """
    if width <= len(columns):
        return columns, width
    named, numbers = np.unique(columns, return_inverse=True)
    return numbers.reshape(-1), len(named)
