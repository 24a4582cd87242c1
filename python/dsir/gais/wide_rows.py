"""Projects wide rows to their principal directions.

Source: Halko, Martinsson & Tropp 2011, "Finding Structure with Randomness" (SIAM Review 53). For
texts this is latent semantic analysis (Deerwester et al. 1990).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dsir import _core

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# Data with more columns than the first are projected to the second.
MOST_COLUMNS = 512
PRINCIPAL_COLUMNS = 100
# The directions are those of a random sample of this many rows; all rows are projected on them.
SAMPLE_ROWS = 16_384
_EXTRA_COLUMNS = 10
_ITERATIONS = 2


def principal_columns(
    offsets: Ints, columns: Ints, values: Floats, *, seed: int, threads: int
) -> Floats:
    """Return sparse rows projected to PRINCIPAL_COLUMNS columns, or fewer if there are fewer.

    Columns that fewer than two rows of the sample have say nothing of how rows are alike, and are
    left out. The result is the same for any number of threads.

    Args:
        offsets: int64[rows + 1], where the entries of each row begin.
        columns: int64[entries], the columns.
        values: float64[entries].
        seed: seed of the sample and of the first directions.
        threads: how many threads to use.

    Returns:
        float64[rows, columns]: coordinates along the directions, by falling size, not centred.
    """
    rows = len(offsets) - 1
    random = np.random.Generator(np.random.Philox([seed, 3]))
    row_of = np.repeat(np.arange(rows), np.diff(offsets))
    sampled = np.ones(rows, bool)
    if rows > SAMPLE_ROWS:
        sampled[random.permutation(rows)[: rows - SAMPLE_ROWS]] = False
    counted = np.unique(row_of[sampled[row_of]] + rows * columns[sampled[row_of]]) // max(1, rows)
    names, rows_with = np.unique(counted, return_counts=True)
    if (rows_with > 1).any():
        names = names[rows_with > 1]
    if len(names) == 0:
        return np.zeros((rows, 1))
    place = np.searchsorted(names, columns)
    used = names[np.minimum(place, len(names) - 1)] == columns
    place, row_of, values = place[used].astype(np.int32), row_of[used], values[used]
    width = min(PRINCIPAL_COLUMNS + _EXTRA_COLUMNS, len(names), int(sampled.sum()))
    start = np.where(random.integers(2, size=(len(names), width)) == 1, 1.0, -1.0)
    in_sample = sampled[row_of]
    directions = _core.principal_directions(
        _offsets(row_of[in_sample], rows),
        place[in_sample],
        values[in_sample],
        start,
        rank=min(PRINCIPAL_COLUMNS, width),
        iterations=_ITERATIONS,
        threads=threads,
    )
    return _core.multiply_sparse(_offsets(row_of, rows), place, values, directions, threads=threads)


def one_scale(rows: Floats) -> npt.NDArray[np.float32]:
    """Return the columns centred, and divided by one number: their mean variance becomes 1.

    So distances keep their proportions, where `standardised` gives each column the same weight.
    """
    largest = np.abs(rows).max() if rows.size else 0.0
    centred = rows / (largest if largest > 0 else 1.0)
    centred = centred - centred.mean(axis=0) if len(rows) else centred
    spread = float(np.sqrt(np.square(centred).mean())) if rows.size else 0.0
    return np.ascontiguousarray(centred / (spread if spread > 1e-12 else 1.0), dtype=np.float32)


def _offsets(row_of: Ints, rows: int) -> Ints:
    offsets = np.zeros(rows + 1, np.int64)
    np.cumsum(np.bincount(row_of, minlength=rows), out=offsets[1:])
    return offsets
