"""How much the pool of method="coverage" has to hold, for each target."""

from __future__ import annotations

from collections.abc import Sequence

POOL = (3, 2)
"""A pool holds at least this many budgets, as a fraction, if there are so many documents."""


def pool_sizes(amounts: Sequence[int]) -> list[int]:
    """Return what the pool of each target has to hold, in the budget's unit.

    Earlier targets may take all of their budgets from the documents of a later target's pool.

    Args:
        amounts: what each target takes, in the order in which targets draw.
    """
    found = []
    before = 0
    for amount in amounts:
        found.append(before - (-amount * POOL[0] // POOL[1]))  # Rounded up.
        before += amount
    return found
