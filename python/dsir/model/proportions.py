"""What share of the selection each of several targets gets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dsir.arguments.values import exact_share, is_percent
from dsir.errors import SettingError


def shares(name: str, proportions: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return proportions scaled to add up to 1, float64[targets].

    Args:
        name: name of the argument, for the message.
        proportions: one per target.

    Raises:
        SettingError: a proportion is negative or not a number, or none is above 0.
    """
    try:
        given = np.asarray([of_percent(one) for one in proportions], dtype=np.float64)
    except (TypeError, ValueError):
        given = np.zeros(0)
    if given.ndim != 1 or not (given >= 0).all() or not 0 < given.sum() < np.inf:
        raise SettingError(
            f"{name}={proportions!r}: expected numbers, 0 or more, at least one above 0"
        )
    normalised: npt.NDArray[np.float64] = given / given.sum()
    return normalised


def of_percent(proportion: object) -> object:
    """Return the number that a share such as "70%" stands for; anything else as it is."""
    share = exact_share(proportion) if is_percent(proportion) else None
    return proportion if share is None else float(share)


def split(amount: int, proportions: Sequence[float] | npt.NDArray[np.float64]) -> list[int]:
    """Split an amount by proportions that add up to 1, as the reference does.

    Each amount is rounded down, and the last target takes the remainder.
    """
    amounts = [int(amount * share) for share in proportions]
    amounts[-1] += amount - sum(amounts)
    return amounts
