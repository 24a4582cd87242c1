"""How pages word numbers, names and reasons."""

from __future__ import annotations

from collections.abc import Mapping

from dsir.report.markup import Markup, escaped

MINUS, TIMES, NOTHING = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}", "\N{EN DASH}"
_SPACE = "\N{NO-BREAK SPACE}"


def value_of(value: object) -> str:
    """Return a setting as a person reads it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {value_of(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(value_of, value))
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: NOTHING}[value]
    if isinstance(value, int):
        return f"{value:,}"
    return cut(str(value), 300)


def words(name: str) -> str:
    """Return the name of an account as words."""
    return name.replace("_", " ")


def cut(text: str, longest: int = 200) -> str:
    """Return the beginning of a text that may be long."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def sentence(reason: str) -> Markup:
    """Return a reason as a sentence."""
    said = cut(reason, 400)
    return escaped(said if said.endswith(".") else f"{said}.")


def percent(share: float | None) -> str:
    """Return a share in percent."""
    if share is None:
        return "unknown"
    if 0 < share < 0.0005:
        return f"<0.1{_SPACE}%"
    shown = f"{100 * share:.1f}" if share < 0.9995 or share == 1 else ">99.9"
    return f"{shown}{_SPACE}%"


def nats(value: float, digits: int = 4) -> str:
    """Return a KL reduction."""
    return f"{value:.{digits}f}".replace("-", MINUS)


def short(number: float) -> str:
    """Return a large number in few characters, such as 1.58 M."""
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if number >= size:
            return f"{number / size:.3g}{_SPACE}{letter}"
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"
