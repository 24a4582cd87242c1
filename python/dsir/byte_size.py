"""Sizes in bytes, as people write them."""

from __future__ import annotations

import re

from dsir.errors import SettingError

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


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
        size = int(float(match[1]) * _UNITS[unit]) if match else 0
    else:
        size = value if isinstance(value, int) and not isinstance(value, bool) else 0
    if size < 1:
        raise SettingError(
            f"{name}={value!r}: expected a size such as '256MB' or a number of bytes"
        )
    return size
