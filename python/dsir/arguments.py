"""Arguments of public calls: each defined once, and the functions that check them.

An `argument` is a field of a settings dataclass that also carries its help and how the command line
spells it. Signatures, docstrings, options, configuration files and the table in docs/api.md are all
made from these fields.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
import math
import operator
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from numbers import Real
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeVar, cast

from dsir.errors import SettingError

if TYPE_CHECKING:
    from typing import TypeGuard

# An amount or share may come from anywhere, such as a manifest: no text makes a number of more than
# some hundred digits.
_NUMBER = r"\s*([0-9][0-9_]{0,30}(?:\.[0-9]{1,30})?(?:e[+]?[0-9]{1,2})?)"
_AMOUNT = re.compile(_NUMBER + r"\s*(?:([KMGT])(i)?)?(B)?\s*", re.IGNORECASE)
_SHARE = re.compile(r"\s*([0-9]{0,18}\.?[0-9]{1,30}(?:e-?[0-9]{1,2})?)\s*(%?)\s*", re.IGNORECASE)

_BILLION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:B|bn|billion)", re.IGNORECASE)

# What the core counts in: 63 bits.
MOST = (1 << 63) - 1

# How amounts may be given; see `amount`.
Amount = int | float | str

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
                names = signature.parameters
                hints = [_meant(name, names, known) for name in given if name not in names]
                if len(positional) > _positional(signature) and "n" in names:
                    hints.append("; arguments behind these go by name, such as n=1000")
                raise TypeError(f"{function.__name__}() {error}{''.join(hints)}") from None
            return function(*positional, **given)

        call.__signature__ = signature  # type: ignore[attr-defined]
        if call.__doc__ is not None:  # python -OO leaves docstrings out.
            helps = (_documented(name, known[name].help) for name in names)
            call.__doc__ = call.__doc__.replace("        {arguments}", "\n".join(helps))
        return cast("Function", call)

    return decorate


def _positional(signature: inspect.Signature) -> int:
    return sum(one.kind is one.POSITIONAL_OR_KEYWORD for one in signature.parameters.values())


# What other libraries call an argument, and how it is given here.
_OTHERWISE = {
    "text_column": "text=...",
    "text_field": "text=...",
    "column": "text=...",
    "k": "n=...",
    "size": "n=...",
    "num_samples": "n=...",
    "num_to_sample": "n=...",
    "n_samples": "n=...",
    "top_k": "n=... with method='top-k'",
    "frac": "fraction=...",
    "random_state": "seed=...",
    "limit": "n=...",
    "num_proc": "threads=...",
    "workers": "threads=...",
    "num_workers": "threads=...",
    "n_jobs": "threads=...",
    "output": "out=...",
    "output_dir": "out=...",
    "output_folder": "out=...",
    "cache_dir": "workdir=...",
}


def given_here(name: str, names: Iterable[str]) -> str | None:
    """Return how an argument is given that other libraries have; None if it is not known.

    Args:
        name: what other libraries call it, such as "num_proc".
        names: the arguments that can be given.

    Returns:
        E.g. "threads=...".
    """
    found = _OTHERWISE.get(name)
    return found if found is not None and found.partition("=")[0] in names else None


def _meant(name: str, names: Iterable[str], known: Mapping[str, Argument]) -> str:
    """Return what a call may have meant by a name that is no argument, for the end of a message."""
    for one in names:
        default = known[one].default if one in known else None
        if dataclasses.is_dataclass(default) and name in {f.name for f in fields(default)}:
            return f"; give {one}={type(default).__name__}({name}=...)"
    here = given_here(name, names)
    if here is not None:
        return f"; give {here}"
    near = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _documented(name: str, help_text: str) -> str:
    indent, further = " " * 8, " " * 12
    return textwrap.fill(
        f"{name}: {help_text}", 100, initial_indent=indent, subsequent_indent=further
    )


def one_of(name: str, value: object, choices: Iterable[str]) -> None:
    """Raise SettingError unless an argument is one of the choices."""
    known = list(choices)
    # Arrays and frames would compare element by element.
    if not (value is None or isinstance(value, str)) or value not in known:
        raise SettingError(f"{name}={shown(value)}: expected {' or '.join(map(repr, known))}")


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
    number = _whole(value)
    if number is not None and least <= number and (most is None or number <= most):
        return number
    limits = f"{least:,} or more" if most is None else f"from {least:,} to {most:,}"
    raise SettingError(f"{name}={shown(value)}: expected a whole number, {limits}")


def _whole(value: object) -> int | None:
    """Return an int, or a number of numpy's integer types, as an int; None for anything else."""
    if not isinstance(value, SupportsIndex) or isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:  # An array of numpy.
        return None


def amount(name: str, value: object, least: int, most: int = MOST, *, sizes: bool = False) -> int:
    """Return an argument that is an amount: 100000, "100k", "1e5", "2GB".

    Every amount of a call is read here, so all of them are written in one way, in Python and on the
    command line.

    Args:
        name: the argument, for the message.
        value: a whole number, also as a float such as 1e6; or a text: digits, with a fraction,
            an exponent, or a unit k, M, G or T (powers of ten; Ki, Mi, Gi, Ti are powers of 1024).
        least: the smallest amount that is allowed.
        most: the largest amount that is allowed.
        sizes: the amount is a number of bytes: a unit may end in B, and what is left of a byte is
            dropped.

    Raises:
        SettingError: the argument is not an amount, or out of range.
    """
    found: int | Fraction | None = None
    if isinstance(value, str):
        match = _AMOUNT.fullmatch(value)
        if match and (sizes or not match[4]):
            thousand = 1024 if match[3] else 1000
            found = Fraction(match[1].replace("_", "")) * thousand ** " KMGT".index(
                (match[2] or " ").upper()
            )
    elif (number := _whole(value)) is not None:
        found = number
    elif isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value):
        found = Fraction(float(value))
    whole = found is not None and (found == int(found) or (sizes and isinstance(value, str)))
    if found is not None and whole and least <= int(found) <= most:
        return int(found)
    limits = f"{least:,} or more" if most >= MOST else f"from {least:,} to {most:,}"
    example = "such as '256MB' or a number of bytes" if sizes else "such as 5000, '100k' or '1e6'"
    kind = "a size" if sizes else "a whole number"
    hint = _hint(value, sizes=sizes)
    raise SettingError(f"{name}={shown(value)}: expected {kind} {example}, {limits}{hint}")


def _hint(value: object, *, sizes: bool) -> str:
    """Say what may have been meant by what is no amount: 1B for a billion, 0.1 for a share."""
    if sizes or not isinstance(value, str | float):
        return ""
    text = str(value).strip()
    billion = _BILLION.fullmatch(text)
    if billion:  # B is for bytes.
        return f"; for a billion write {billion[1]}G or {billion[1]}e9"
    try:
        share = float(text)
    except ValueError:
        return ""
    return f"; for a share write {100 * share:g}%" if 0 < share < 1 else ""


def share(name: str, value: object, *, above: float = -math.inf) -> float:
    """Return an argument that is a share: 0.02, "0.02" or "2%".

    Args:
        name: the argument, for the message.
        value: a number from 0 to 1, or a text, in which "%" divides by 100.
        above: the share has to be greater than this.

    Raises:
        SettingError: the argument is not a share, or out of range.
    """
    expected = "a share, such as 0.02 or '2%', from 0 to 1"
    if above == 0:
        expected = "a share, such as 0.02 or '2%', above 0 and at most 1"
    found = exact_share(value) if isinstance(value, str) else value
    if isinstance(value, str) and found is None:
        raise SettingError(f"{name}={shown(value)}: expected {expected}")
    try:
        return float(number(name, found, least=0, above=above, most=1, expected=expected))
    except SettingError:
        raise SettingError(f"{name}={shown(value)}: expected {expected}") from None


def exact_share(text: str) -> Fraction | None:
    """Return the number that a text such as "2%" or "0.02" stands for; None for another text."""
    match = _SHARE.fullmatch(text)
    return None if match is None else Fraction(match[1]) / (100 if match[2] else 1)


def is_percent(value: object) -> TypeGuard[str]:
    """Tell whether an argument is a share in percent, such as "2%"."""
    return isinstance(value, str) and value.rstrip().endswith("%")


def shown(value: object) -> str:
    """Return a value as a message shows it: on one line, and never long."""
    try:
        text = repr(value)
    except ValueError:  # Python does not write integers of more than 4,300 digits.
        return "a number of thousands of digits"
    text = " ".join(text.encode("utf-8", "backslashreplace").decode().split())
    return text if len(text) <= 100 else f"{text[:97]}..."


def flag(name: str, value: object) -> bool:
    """Return an argument that is True or False.

    Raises:
        SettingError: the argument is neither.
    """
    if isinstance(value, bool):
        return value
    raise SettingError(f"{name}={shown(value)}: expected True or False")


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
        try:
            # Subclasses, such as numpy's float64, would show their type in messages and manifests.
            found = int(value) if isinstance(value, int) else float(value)
            finite = math.isfinite(found)
        except OverflowError:  # An int of hundreds of digits.
            finite = False
        if finite and least <= found <= most and found > above:
            return found
    raise SettingError(f"{name}={shown(value)}: expected {expected}")


def is_utf8(text: str) -> bool:
    """Tell whether a string can be encoded: it holds no half of a surrogate pair."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def name_of_column(name: str, value: object) -> str:
    """Return an argument that names a column.

    Raises:
        SettingError: the argument is not a str, is empty, or holds half a surrogate pair.
    """
    if isinstance(value, str) and value and is_utf8(value):
        return value
    raise SettingError(f"{name}={shown(value)}: expected the name of a column")
