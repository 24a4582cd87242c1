"""Arguments of public calls: each defined once, and the functions that check them.

An `argument` is a field of a settings dataclass that also carries its help and how the command line
spells it. Signatures, docstrings, options, configuration files and the table in docs/api.md are all
made from these fields.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import operator
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, SupportsIndex, TypeVar, cast

from dsir.errors import SettingError

_BYTE_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}

Function = TypeVar("Function", bound=Callable[..., Any])

# Headings of `--help`.
BUDGET = "How much (exactly one)"
DRAW = "How to draw"
NGRAMS = "N-grams"
DOCUMENTS = "Preparing documents"
RUN = "How to run"

_KEY = "argument"


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a public call, and the option that gives it on the command line.

    Attributes:
        name: the keyword in Python.
        default: what a call that leaves the argument out gets.
        help: what the argument does, with its unit, range and an example. Other arguments appear
            under their Python names; the command line shows them as options.
        option: the name of the option without its dashes; "" when there is no such option.
        letter: the one-letter form of the option, such as "n"; "" for none.
        kind: the type that the option is read as: int, float, str or bool.
        panel: the heading in `--help`; "" for the first one.
        metavar: what `--help` shows in place of a value; "" for the type's name.
        read: turns the text of the option into the argument; None to pass the text on.
        added: whether there are manifests from before the argument was added. They do not name the
            argument, and mean its default.
    """

    name: str
    default: Any
    help: str
    option: str
    letter: str = ""
    kind: type = str
    panel: str = ""
    metavar: str = ""
    read: Callable[[str], Any] | None = None
    added: bool = False


def argument(
    default: Any,
    help: str,  # noqa: A002 - as in typer and argparse
    *,
    kind: type = str,
    option: str | None = None,
    letter: str = "",
    panel: str = "",
    metavar: str = "",
    read: Callable[[str], Any] | None = None,
    added: bool = False,
) -> Any:
    """Make a field of a frozen dataclass that is an argument of public calls; see `Argument`.

    Args:
        default: what a call that leaves the argument out gets.
        help: what the argument does.
        kind: the type that the option is read as.
        option: the name of the option; None for the field's name with dashes, "" for no option.
        letter: the one-letter form of the option.
        panel: the heading in `--help`.
        metavar: what `--help` shows in place of a value.
        read: turns the text of the option into the argument.
        added: whether a manifest may lack the argument and then means its default.
    """
    described = {
        "help": help,
        "kind": kind,
        "option": option,
        "letter": letter,
        "panel": panel,
        "metavar": metavar,
        "read": read,
        "added": added,
    }
    return dataclasses.field(default=default, metadata={_KEY: described})


def arguments_of(*groups: type) -> dict[str, Argument]:
    """Return the arguments that are fields of dataclasses, in order, by name.

    A field with the metadata {"group": another dataclass} stands for the arguments of that class.
    """
    found: dict[str, Argument] = {}
    for group in groups:
        for field in dataclasses.fields(group):
            inner = field.metadata.get("group")
            if inner is not None:
                found |= arguments_of(inner)
            elif _KEY in field.metadata:
                described = dict(field.metadata[_KEY])
                if described["option"] is None:
                    described["option"] = field.name.replace("_", "-")
                # Settings hold an empty tuple for a call that gives nothing.
                default = None if field.default == () else field.default
                found[field.name] = Argument(name=field.name, default=default, **described)
    return found


def chosen(group: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given arguments that are fields of the dataclass itself, not of its groups."""
    names = [field.name for field in dataclasses.fields(group) if _KEY in field.metadata]
    return {name: given[name] for name in names if name in given}


def described(settings: Any) -> dict[str, Any]:
    """Return the arguments that a settings dataclass holds as JSON values, in order.

    Values that are objects are what their `describe` returns. The arguments of a field with the
    metadata {"group": ...} stand beside the others.
    """
    found: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if "group" in field.metadata:
            found |= value.describe()
        elif _KEY in field.metadata:
            value = value.describe() if hasattr(value, "describe") else value
            found[field.name] = list(value) if isinstance(value, tuple) else value
    return found


def takes_arguments(*groups: type, names: Mapping[str, Any]) -> Callable[[Function], Function]:
    """Return a decorator for a function that takes the arguments of groups as `**given`.

    The signature then names every argument with its default, and "{arguments}" in the docstring
    becomes the help of each. A keyword that is no argument raises TypeError, as in any function.

    Args:
        groups: settings dataclasses; see `arguments_of`.
        names: the arguments that the function takes and their types, such as the `__annotations__`
            of a TypedDict.
    """
    known = arguments_of(*groups)

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        parameters = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        for name, kind in names.items():
            parameters.append(
                inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=known[name].default,
                    annotation=getattr(kind, "__forward_arg__", kind),
                )
            )
        signature = signature.replace(parameters=parameters)

        @functools.wraps(function)
        def call(*positional: Any, **given: Any) -> Any:
            try:
                signature.bind(*positional, **given)
            except TypeError as error:
                raise TypeError(f"{function.__name__}() {error}") from None
            return function(*positional, **given)

        call.__signature__ = signature  # type: ignore[attr-defined]
        if call.__doc__ is not None:  # python -OO leaves docstrings out.
            helps = (_documented(name, known[name].help) for name in names)
            call.__doc__ = call.__doc__.replace("        {arguments}", "\n".join(helps))
        return cast("Function", call)

    return decorate


def _documented(name: str, help_text: str) -> str:
    indent, further = " " * 8, " " * 12
    return textwrap.fill(
        f"{name}: {help_text}", 100, initial_indent=indent, subsequent_indent=further
    )


def one_of(name: str, value: object, choices: Iterable[str]) -> None:
    """Raise SettingError unless an argument is one of the choices."""
    known = list(choices)
    if value not in known:
        raise SettingError(f"{name}={value!r}: expected {' or '.join(map(repr, known))}")


def whole_number(name: str, value: object, least: int, most: int | None = None) -> int:
    """Return an argument as an int.

    Args:
        name: the argument, for the message.
        value: an int, or a number of numpy's integer types; not a bool or float.
        least: the smallest number that is allowed.
        most: the largest number that is allowed; None for no limit.

    Raises:
        SettingError: the argument is not a whole number, or out of range.
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
        name: the argument, for the message.
        value: the size, 1 byte or more.

    Raises:
        SettingError: the argument is not a size.
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


def flag(name: str, value: object) -> bool:
    """Return an argument that is True or False.

    Raises:
        SettingError: the argument is neither.
    """
    if isinstance(value, bool):
        return value
    raise SettingError(f"{name}={value!r}: expected True or False")


def number(
    name: str,
    value: object,
    *,
    expected: str,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = math.inf,
) -> int | float:
    """Return an argument that is a finite number.

    Args:
        name: the argument, for the message.
        value: an int, a float, or a number of numpy's types.
        expected: the end of the message "expected ...".
        least: the smallest number that is allowed.
        above: the number has to be greater than this.
        most: the largest number that is allowed.

    Raises:
        SettingError: the argument is not a number, or out of range.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        found = value if isinstance(value, int | float) else float(value)
        if math.isfinite(found) and least <= found <= most and found > above:
            return found
    raise SettingError(f"{name}={value!r}: expected {expected}")


def name_of_column(name: str, value: object) -> str:
    """Return an argument that names a column.

    Raises:
        SettingError: the argument is not a str, or is empty.
    """
    if isinstance(value, str) and value:
        return value
    raise SettingError(f"{name}={value!r}: expected the name of a column")
