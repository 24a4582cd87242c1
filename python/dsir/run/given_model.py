"""A model that a call of select() is given in place of a target."""

from __future__ import annotations

from dataclasses import dataclass

from dsir.model.estimator import Estimator
from dsir.remote import Location


@dataclass(frozen=True, slots=True)
class GivenModel:
    """A model that was fitted before the run.

    Attributes:
        path: the file or folder it was read from; None for a model in memory.
    """

    model: Estimator
    path: Location | None
