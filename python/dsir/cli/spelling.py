"""Messages and help with options in place of arguments: `--min-tokens 5`, not `min_tokens=5`."""

from __future__ import annotations

import re
from collections.abc import Iterable

_VALUE = r"""("[^"]*"|'[^']*'|[^\s,;:)]+)"""


def in_options(message: str, names: Iterable[str]) -> str:
    """Turn arguments in a message into options.

    `min_tokens=5` becomes `--min-tokens 5`, `allow_fewer=True` becomes `--allow-fewer`, and
    `lower=False` becomes `--no-lower`. An argument without a value is recognised only by its
    underscore, since `length` or `seed` may be an English word.

    Args:
        message: the message, in Python's spelling.
        names: arguments that are options of the command, by their Python names.
    """
    known = sorted(names, key=len, reverse=True)
    if not known:
        return message

    def given(match: re.Match[str]) -> str:
        value = match[2].strip("\"'")
        option = _option(match[1])
        if value == "False":
            return option.replace("--", "--no-", 1)
        return option if value in ("True", "...") else f"{option} {value}"

    message = re.sub(rf"(?<![\w./=,-])({'|'.join(known)})={_VALUE}", given, message)
    long = [name for name in known if "_" in name]
    if not long:
        return message
    alone = rf"(?<![\w./=,-])({'|'.join(long)})\b(?!=)"
    return re.sub(alone, lambda match: _option(match[1]), message)


def _option(argument: str) -> str:
    return "--" + argument.replace("_", "-")
