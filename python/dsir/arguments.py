"""Checks of arguments at the public border."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import SupportsIndex

from dsir.errors import SettingError


def one_of(name: str, value: object, choices: Iterable[str]) -> None:
    """Raise SettingError unless an argument is one of some words."""
    known = list(choices)
    if value not in known:
        raise SettingError(f"{name}={value!r}: expected {' or '.join(map(repr, known))}")


def whole_number(name: str, value: object, least: int, most: int | None = None) -> int:
    """Return an argument as an int.

    Args:
        name: of the argument, for the message.
        value: an int, or what counts as one (numpy's integers do, bool and float do not).
        least: the smallest that is allowed.
        most: the largest; None for no limit.

    Raises:
        SettingError: it is no whole number, or out of range.
    """
    if isinstance(value, SupportsIndex) and not isinstance(value, bool):
        number = operator.index(value)
        if least <= number and (most is None or number <= most):
            return number
    limits = f"{least:,} or more" if most is None else f"from {least:,} to {most:,}"
    raise SettingError(f"{name}={value!r}: expected a whole number, {limits}")
