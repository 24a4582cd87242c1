"""Arguments of public calls: each defined once.

An `argument` is a field of a settings dataclass that also carries its help and how the command line
spells it. Signatures, docstrings (`keywords`), options, configuration files and the
table in docs/api.md are all made from these fields. `values` checks what is given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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
