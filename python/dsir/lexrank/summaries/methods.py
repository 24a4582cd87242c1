"""The methods of summarizing, by name. To add one, write its module and a line here."""

from __future__ import annotations

from typing import Literal, get_args

from dsir.arguments.values import one_of, shown
from dsir.errors import SettingError
from dsir.lexrank.summaries import (
    central,
    centroid,
    concepts,
    coverage,
    lead,
    mmr,
    submodular,
)
from dsir.lexrank.summaries.method import Method

SummaryMethod = Literal["coverage", "lexrank", "concepts", "mmr", "submodular", "centroid", "lead"]
DEFAULT_METHOD: SummaryMethod = "coverage"
METHODS: dict[str, Method] = {
    "coverage": coverage.METHOD,
    "lexrank": central.METHOD,
    "concepts": concepts.METHOD,
    "mmr": mmr.METHOD,
    "submodular": submodular.METHOD,
    "centroid": centroid.METHOD,
    "lead": lead.METHOD,
}


def method_of(name: object, given: dict[str, object]) -> Method:
    """Return the method of a name.

    Args:
        name: the name.
        given: the arguments that only some methods read, by name; None if an argument was not
            given.

    Raises:
        SettingError: there is no such method, or it does not read an argument that was given.
    """
    one_of("method", name, get_args(SummaryMethod))
    method = METHODS[str(name)]
    for argument, value in given.items():
        if value is not None and argument not in method.reads:
            readers = ", ".join(one for one, of in METHODS.items() if argument in of.reads)
            raise SettingError(
                f"{argument}={shown(value)}: method={name!r} does not read it; leave it out, or "
                f"choose one of {readers}"
            )
    return method
