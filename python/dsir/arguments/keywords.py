"""Functions that take the arguments of settings by name, with a signature and help made from them.

A name that is no argument is refused, with what may have been meant: an argument with a similar
name, or one that other libraries call so.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast

from dsir.arguments.declared import Argument, arguments_of

Function = TypeVar("Function", bound=Callable[..., Any])


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
