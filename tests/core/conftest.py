"""Settings of the tests of the compiled core."""

from __future__ import annotations

from hypothesis import settings

# The same examples in every run, and no time limit on one: the machine may be busy.
settings.register_profile("dsir", derandomize=True, deadline=None)
settings.load_profile("dsir")
