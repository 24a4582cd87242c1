"""Checks of the values that public calls are given: numbers, amounts, shares, choices, names.

Each returns the value as the inner code takes it, or raises SettingError with the argument, what
was given and what is expected.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable
from fractions import Fraction
from numbers import Real
from typing import TYPE_CHECKING, SupportsIndex

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
