"""The public names, their arguments and defaults, and the options of the commands."""

from __future__ import annotations

import inspect
import os
import re
from typing import Any

from run_set import Place, Result, recorded, well

import dsir
from dsir import compat, graph

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # In help, where a CI asks for it.


@recorded
def public_names(place: Place) -> Result:
    """Names, arguments with their defaults, and options of commands."""
    signatures: dict[str, Any] = {}
    for module in (dsir, graph, compat):
        for name in sorted(module.__all__):
            public = getattr(module, name)
            if inspect.isclass(public) and issubclass(public, Exception | Warning):
                signatures[f"{module.__name__}.{name}"] = [one.__name__ for one in public.__mro__]
            elif callable(public):
                signatures[f"{module.__name__}.{name}"] = _signature(public)
                if inspect.isclass(public):
                    signatures |= _methods(f"{module.__name__}.{name}", public)
    options: dict[str, list[str]] = {}
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "160"
    try:
        for command in (
            *("select", "fit", "score", "sample", "write", "explain"),
            *("status", "verify", "diff", "lexrank", "gais"),
        ):
            text = _COLOUR.sub("", well(command, "--help").out)
            found = re.findall(r"^│ +(?:\*  +)?(--[a-z-]+)(?: +(-[a-zA-Z]))?\b", text, re.M)
            options[command] = sorted(" ".join(one).strip() for one in found)
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    names = {module.__name__: sorted(module.__all__) for module in (dsir, graph, compat)}
    return Result({"names": names, "signatures": signatures, "options": options})


def _signature(public: Any) -> str:
    """Arguments and defaults, without types."""
    try:
        found = inspect.signature(public)
    except ValueError:
        return "(...)"
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in found.parameters.values()]
    text = str(inspect.Signature(bare))
    return re.sub(r"<function (\w+) at 0x\w+>", r"\1", text)


def _methods(name: str, public: type) -> dict[str, str]:
    """The methods that dsir gives a class, not those of tuples and the like."""
    ours = {
        method
        for base in public.__mro__
        if base.__module__.split(".")[0] == "dsir"
        for method in vars(base)
        if not method.startswith("_") and callable(getattr(public, method))
    }
    return {f"{name}.{method}": _signature(getattr(public, method)) for method in sorted(ours)}
