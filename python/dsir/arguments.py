"""Checks of arguments at the public border."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from typing import SupportsIndex

from dsir.errors import SettingError

_BYTE_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


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


def parse_byte_size(name: str, value: int | str) -> int:
    """Read a size such as 1000000 or "256MB" (powers of ten).

    Args:
        name: of the argument, for the message.
        value: the size; 1 or more.

    Raises:
        SettingError: it is no size.
    """
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?B?)\s*", value, re.IGNORECASE)
        unit = match[2].upper() if match else ""
        if unit and not unit.endswith("B"):
            unit += "B"
        size = int(float(match[1]) * _BYTE_UNITS[unit]) if match else 0
    else:
        size = value if isinstance(value, int) and not isinstance(value, bool) else 0
    if size < 1:
        raise SettingError(
            f"{name}={value!r}: expected a size such as '256MB' or a number of bytes"
        )
    return size
