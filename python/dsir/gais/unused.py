"""Refuses arguments of GAIS that another argument leaves nothing to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from typing import Any

from dsir.arguments.values import shown
from dsir.errors import SettingError


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
    """Raise SettingError for an argument of distances where select="auto" covers columns.

    Args:
        given: the arguments of a `GAIS`, by name.
        defaults: their defaults.

    Example:
        >>> defaults = {"passes": 40.0, "metric": "accuracy"}
        >>> refuse_unread_by_columns({**defaults, "passes": 10.0}, defaults)
        Traceback (most recent call last):
        dsir.errors.SettingError: passes=10.0: is for select='coverage', and select='auto' takes ...
    """
    name = next(iter(_unread_by_columns(given, defaults)), None)
    if name is not None:
        raise SettingError(
            f"{name}={shown(given[name])}: is for select='coverage', and select='auto' takes "
            "'column-coverage' for texts and other sparse rows of many columns; give "
            f"select='coverage' as well, or leave {name} out"
        )


def reads_metric(select: str, metric: str, shares: Any = "auto") -> bool:
    """Return whether a selection is searched with classifiers that can be measured by a metric.

    Those that exchange rows covering columns say no probabilities, and need shares="auto".

    Args:
        select: an argument of `GAIS`, but not "auto".
        metric: another.
        shares: another.
    """
    if select == "column-coverage":
        return bool(metric != "log_loss" and shares == "auto")
    return select == "coverage"


def _unread_by_columns(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[str]:
    if _says_something(given["passes"], defaults["passes"]):
        yield "passes"
    changed = _says_something(given["metric"], defaults["metric"])
    if changed and not reads_metric("column-coverage", given["metric"], given["shares"]):
        yield "metric"


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
        yield "passes", "select"
    if given["select"] != "auto" and not reads_metric(given["select"], given["metric"]):
        yield "metric", "select"
    elif given["select"] == "column-coverage" and given["shares"] != "auto":
        yield "metric", "shares"
    elif not given["trials"]:
        yield "metric", "trials"
