"""Seeds as scikit-learn's estimators take them."""

from __future__ import annotations

import numpy as np

from dsir.arguments.values import whole_number

Seed = int | np.random.RandomState | np.random.Generator | None
_LARGEST_SEED = (1 << 62) - 1


def seed_of(random_state: object) -> int:
    """Return a seed; 0 for None, so that a selection is the same in every run.

    A `RandomState` or `Generator` of numpy draws one, as scikit-learn's estimators do; so it gives
    another seed each time.

    Raises:
        SettingError: `random_state` is neither of these, nor a whole number of 0 or more.
    """
    if random_state is None:
        return 0
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(1 << 31))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(1 << 31))
    return whole_number("random_state", random_state, 0, _LARGEST_SEED)


def check_seed(random_state: object) -> None:
    """Raise SettingError unless `seed_of` takes it; draws nothing."""
    if not isinstance(random_state, np.random.RandomState | np.random.Generator):
        seed_of(random_state)
