"""Messages and help with options in place of arguments: `--min-tokens 5`, not `min_tokens=5`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

_VALUE = r"""(\{[^{}]*\}|\[[^\[\]]*\]|"[^"]*"|'[^']*'|[^\s,;:)]+)"""
# What may follow a value, as in `missing='fill' or 'drop'`.
_OTHER = r"""(?: or (?:"([^"]*)"|'([^']*)'))?"""


def in_options(message: str, names: Iterable[str]) -> str:
    """Turn arguments in a message into options.

    `min_tokens=5` becomes `--min-tokens 5`, `allow_fewer=True` becomes `--allow-fewer`,
    `lower=False` becomes `--no-lower`, and `max_per={'source': 0.2}` becomes `--max-per
    source=0.2`. An argument without a value is recognised by its underscore, or in a list of three
    or more, or before a colon at the start of the message; elsewhere `length` or `seed` may be an
    English word.

    Args:
        message: the message, in Python's spelling.
        names: arguments that are options of the command, by their Python names.
    """
    known = sorted(names, key=len, reverse=True)
    if not known:
        return message
    any_of = "|".join(known)

    def given(match: re.Match[str]) -> str:
        option, value, other = _option(match[1]), _written(match[2]), match[3] or match[4]
        if value == "False":
            option, value = option.replace("--", "--no-", 1), ""
        elif value in ("True", "..."):
            value = ""
        said = f"{option} {value}".rstrip()
        return said if other is None else f"{said} or {option} {other}"

    message = re.sub(rf"(?<![\w./=,-])({any_of})={_VALUE}{_OTHER}", given, message)
    listed = rf"(?<![\w./=,-])(?:(?:{any_of}), )+(?:{any_of}),? (?:and|or) (?:{any_of})\b(?!=)"
    message = re.sub(listed, lambda match: _each(match[0], any_of), message)
    # Single words that are also what messages call the inputs need a verb that tells.
    told = "(?:is|are) (?:for|given)|cannot |needs |the model is "
    first = rf"^(?:{any_of})(?:(?:, (?:{any_of}))+(?=: )|(?=: (?:{told})))"
    message = re.sub(first, lambda match: _each(match[0], any_of), message)
    long = [name for name in known if "_" in name]
    if not long:
        return message
    alone = rf"(?<![\w./=,-])({'|'.join(long)})\b(?!=)"
    return re.sub(alone, lambda match: _option(match[1]), message)


def _option(argument: str) -> str:
    return "--" + argument.replace("_", "-")


def _each(words: str, any_of: str) -> str:
    """Turn each argument of a list into an option."""
    return re.sub(rf"(?<![\w-])({any_of})\b", lambda match: _option(match[1]), words)


def _written(value: str) -> str:
    """Return a value of a message as the command line writes it: `{'a': 1.0}` is a=1.0."""
    if value[0] not in "{[":
        return value.strip("\"'")
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError):  # Shortened, or no plain value.
        return value
    if isinstance(found, dict):
        return ",".join(
            f"{name}={_entry(one)}" if name else _entry(one) for name, one in found.items()
        )
    return ",".join(map(_entry, found))


def _entry(value: object) -> str:
    # 1.0 was most likely written as 1, and is the same number.
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return str(int(value)) if whole and isinstance(value, float) else str(value)
