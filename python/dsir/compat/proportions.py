"""How many examples each of several separate targets gets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dsir.errors import SettingError
from dsir.model.proportions import split


def budgets(wanted: int, proportions: npt.NDArray[np.float64] | None, targets: int) -> list[int]:
    """Return the number of examples for each target; the last target takes the remainder.

    Raises:
        SettingError: there are no proportions, or not as many as targets.
    """
    if proportions is None:
        raise SettingError(
            "target_proportions: none are given and no fit has set them; give one per target"
        )
    if len(proportions) != targets:
        raise SettingError(
            f"target_proportions: expected one per target, found {len(proportions)} for {targets} "
            "targets"
        )
    return split(wanted, proportions)
