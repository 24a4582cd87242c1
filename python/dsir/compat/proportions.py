"""What share of the examples each of several separate targets takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dsir.errors import SettingError


def shares(proportions: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return proportions that add up to 1.

    Raises:
        SettingError: one is negative, or there is none above 0.
    """
    given = np.asarray(proportions, dtype=np.float64)
    if given.ndim != 1 or not (given >= 0).all() or not 0 < given.sum() < np.inf:
        raise SettingError(
            f"target_proportions={proportions!r}: expected numbers, 0 or more, one above 0"
        )
    normalised: npt.NDArray[np.float64] = given / given.sum()
    return normalised


def budgets(wanted: int, proportions: npt.NDArray[np.float64] | None, targets: int) -> list[int]:
    """Return how many examples each of the separate targets takes: the last what is over.

    Raises:
        SettingError: there are no proportions, or not as many as targets.
    """
    if proportions is None:
        raise SettingError("target_proportions: none are given, and none have been fitted")
    if len(proportions) != targets:
        raise SettingError(f"target_proportions: {len(proportions)} for {targets} targets")
    of_targets = [int(wanted * share) for share in proportions]
    of_targets[-1] += wanted - sum(of_targets)
    return of_targets
