"""The differences between two JSON values, by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple


class Difference(NamedTuple):
    """A value that differs between two JSON values.

    Attributes:
        name: the path to the value, such as `features.buckets` or `inputs[2].size`.
        one, other: the value in each; None if it is missing.
    """

    name: str
    one: Any
    other: Any

    def __str__(self) -> str:
        """Both values, as JSON."""
        return f"{self.name}: {_short(self.one)}, {_short(self.other)}"


def differences(one: Any, other: Any, name: str = "") -> Iterator[Difference]:
    """Give the innermost values that differ, ordered by name."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            inner = f"{name}.{key}" if name else key
            yield from differences(one.get(key), other.get(key), inner)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for at, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{name}[{at}]")
    # JSON texts also tell types apart: 1 and true are equal in Python.
    elif json.dumps(one) != json.dumps(other):
        yield Difference(name, one, other)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
