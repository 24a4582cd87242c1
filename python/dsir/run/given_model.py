"""A model that a call of select() is given in place of a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsir.model.estimator import Estimator
from dsir.remote import Location
from dsir.settings.plan import Plan


@dataclass(frozen=True, slots=True)
class GivenModel:
    """A model that was fitted before the run.

    Attributes:
        path: the file or folder it was read from; None for a model in memory.
    """

    model: Estimator
    path: Location | None

    def plan(self, given: Mapping[str, Any]) -> Plan:
        """Return the plan of a call; its features are those of the model, as texts are cut so.

        Args:
            given: the arguments of the call; none of them says how to fit.

        Raises:
            SettingError: an argument is out of range, or does not go with the model's tokenizer.
        """
        return Plan.of({**given, "features": self.model.features}, ())
