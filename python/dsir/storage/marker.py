"""What the marker of a finished task says, each value checked where it is read.

The checksum of a marker guards against accidents. A program that writes markers of its own can
seal whatever it likes, so a value of another kind is damage, and no traceback.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard, TypeVar

from dsir.errors import WorkdirError

Entry = TypeVar("Entry")

_MOST = (1 << 63) - 1


class Marker(dict[str, Any]):
    """The result in a marker.

    Args:
        values: the result, JSON values.
        damaged: makes the error for a value that cannot be, from the reason.
    """

    __slots__ = ("damaged",)

    def __init__(self, values: Mapping[str, Any], damaged: Callable[[str], WorkdirError]) -> None:
        super().__init__(values)
        self.damaged = damaged

    def whole(self, name: str) -> int:
        """Return a whole number, 0 to 2^63 - 1.

        Raises:
            WorkdirError: the value is missing, or is no such number.
        """
        value = self.get(name)
        if not is_whole(value):
            raise self.damaged(f"its {name!r} is no whole number")
        return value

    def whole_or_none(self, name: str) -> int | None:
        """Return a whole number, or None where the marker says so; see `whole`."""
        return None if name in self and self[name] is None else self.whole(name)

    def entries(self, name: str, parse: Callable[[Any], Entry]) -> list[Entry]:
        """Return the entries of a list.

        Args:
            name: the list.
            parse: makes an entry of a JSON value; TypeError, ValueError or KeyError refuse it.

        Raises:
            WorkdirError: there is no list, or an entry is refused.
        """
        value = self.get(name)
        if not isinstance(value, list):
            raise self.damaged(f"its {name!r} is no list")
        try:
            return [parse(one) for one in value]
        except (TypeError, ValueError, KeyError):
            raise self.damaged(f"an entry of its {name!r} is not as it was written") from None

    def named(self, name: str, parse: Callable[[str, Any], Entry]) -> list[Entry]:
        """Return the entries of an object, each made of its name and value; see `entries`."""
        value = self.get(name)
        if not isinstance(value, dict):
            raise self.damaged(f"its {name!r} is no object")
        try:
            return [parse(*one) for one in value.items()]
        except (TypeError, ValueError, KeyError):
            raise self.damaged(f"an entry of its {name!r} is not as it was written") from None


def is_whole(value: object) -> TypeGuard[int]:
    """Tell whether a JSON value is a whole number from 0 to 2^63 - 1."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST
