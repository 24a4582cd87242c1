"""Finds every public class: what the public names are, return and hold."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from typing import Any

import typing_extensions

import dsir
import dsir.compat
import dsir.graph

# Names that modules import for the type checker alone.
_FOR_TYPES = {"Unpack": typing_extensions.Unpack, "Self": typing_extensions.Self}


def public_classes() -> set[type]:
    """Return the public classes, and those of what they and the public functions give back.

    Objects of the compiled core are not among them, since a caller has no need to hold one.
    """
    found: set[type] = set()
    waiting: list[type] = []
    for module in (dsir, dsir.graph, dsir.compat):
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, type):
                waiting.append(value)
            elif inspect.isfunction(value):
                waiting += _returned(value)
    while waiting:
        one = waiting.pop()
        room, _, module = one.__module__.partition(".")
        if room != "dsir" or module == "_core" or one in found:
            continue
        found.add(one)
        waiting += _held(one)
    return {one for one in found if not inspect.isabstract(one)}


def _held(one: type) -> Iterator[type]:
    """Give the classes of public attributes, and of what public methods return."""
    for name, hint in _hints(one).items():
        if not name.startswith("_"):
            yield from _classes_in(hint)
    for name, value in inspect.getmembers(one):
        member = value.fget if isinstance(value, property) else value
        if not name.startswith("_") and (inspect.isfunction(member) or inspect.ismethod(member)):
            yield from _returned(member)


def _returned(function: Callable[..., Any]) -> Iterator[type]:
    yield from _classes_in(_hints(function).get("return"))


def _hints(of: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(of, localns=_FOR_TYPES)
    except NameError:  # A class that its module imports only for the type checker: a store's.
        return {}


def _classes_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and not typing.get_origin(hint):
        yield hint
    for argument in typing.get_args(hint):
        if not isinstance(argument, str | bytes | int):
            yield from _classes_in(argument)
