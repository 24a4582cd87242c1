"""Refuses arguments of GAIS that another argument leaves nothing to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from typing import Any

from dsir.arguments.values import shown
from dsir.errors import SettingError

_OF_TRIALS = ("passes", "metric")


def refuse_unused(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Raise SettingError for an argument that is not its default and would not be looked at.

    What the network would read is not refused with network=False: the same arguments serve a search
    over `network`.

    Args:
        given: the arguments of a `GAIS`, by name; each in its range.
        defaults: their defaults.

    Example:
        >>> defaults = {"metric": "accuracy", "trials": True, "select": "coverage"}
        >>> refuse_unused({**defaults, "metric": "log_loss"}, defaults)
        >>> refuse_unused({**defaults, "metric": "log_loss", "trials": False}, defaults)
        Traceback (most recent call last):
        dsir.errors.SettingError: metric='log_loss': does not go with trials=False; leave metric out
    """
    for name, other in _unread(given):
        if _says_something(given[name], defaults[name]):
            raise SettingError(
                f"{name}={shown(given[name])}: does not go with {other}={shown(given[other])}; "
                f"leave {name} out"
            )


def refuse_unread_by_columns(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Raise SettingError for an argument of trials where select="auto" makes none.

    Args:
        given: the arguments of a `GAIS`, by name.
        defaults: their defaults.

    Example:
        >>> defaults = {"passes": 40.0, "metric": "accuracy"}
        >>> refuse_unread_by_columns({**defaults, "metric": "log_loss"}, defaults)
        Traceback (most recent call last):
        dsir.errors.SettingError: metric='log_loss': is for select='coverage', and select='auto' ...
    """
    for name in _OF_TRIALS:
        if _says_something(given[name], defaults[name]):
            raise SettingError(
                f"{name}={shown(given[name])}: is for select='coverage', and select='auto' takes "
                "'column-coverage' for texts and other sparse rows of many columns; give "
                f"select='coverage' as well, or leave {name} out"
            )


def _says_something(value: Any, default: Any) -> bool:
    """Return whether a value is neither the default nor, where that is None, an empty list."""
    if default is None:
        return value is not None and not (isinstance(value, Sized) and len(value) == 0)
    return bool(value != default)


def _unread(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the arguments that are not read, each with the one that leaves it nothing to say."""
    distance = given.get("distance", "euclidean")
    if distance in ("cosine", "precomputed"):
        yield "scaling", "distance"
    if distance in ("manhattan", "precomputed"):
        yield "threshold", "distance"
    if distance == "manhattan" and given["graph"] != "exact":
        yield "graph", "distance"
    if distance == "precomputed":
        yield from ((name, "distance") for name in ("graph", "categorical", "features"))
        if given["missing"] == "fill":
            yield "missing", "distance"
    if given.get("features") is not None:
        yield "categorical", "features"
    if given["select"] not in ("auto", "coverage"):
        yield from ((name, "select") for name in _OF_TRIALS)
    elif not given["trials"]:
        yield "metric", "trials"
