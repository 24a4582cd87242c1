"""What share of the examples each of several separate targets takes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dsir.errors import SettingError
from dsir.model.proportions import split


def budgets(wanted: int, proportions: npt.NDArray[np.float64] | None, targets: int) -> list[int]:
    """Return how many examples each of the separate targets takes: the last what is over.

    Raises:
        SettingError: there are no proportions, or not as many as targets.
    """
    if proportions is None:
        raise SettingError("target_proportions: none are given, and none have been fitted")
    if len(proportions) != targets:
        raise SettingError(f"target_proportions: {len(proportions)} for {targets} targets")
    return split(wanted, proportions)
