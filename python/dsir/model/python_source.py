"""What identifies a Python function across processes: its source and the values that it uses."""

from __future__ import annotations

import inspect
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any

_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def source_of(function: Callable[..., Any]) -> list[str]:
    """Return the source of a function and of the functions that it calls, with constants.

    Functions are followed through global names and closures. Of a function whose source cannot be
    found, such as one typed into an interpreter, the bytecode stands for the source.
    """
    return sorted(_sources(function, set()))


def _sources(function: Any, seen: set[int]) -> Iterator[str]:
    function = getattr(function, "py_func", function)  # Of a function compiled by numba.
    function = inspect.unwrap(function) if callable(function) else function
    code = getattr(function, "__code__", None)
    if code is None or id(code) in seen:
        return
    seen.add(id(code))
    yield _text(function, code)
    cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
    used = {name: cell.cell_contents for name, cell in cells if _is_filled(cell)}
    for name in code.co_names:
        if name in function.__globals__:
            used.setdefault(name, function.__globals__[name])
    for name, value in used.items():
        if isinstance(value, _PLAIN) or (
            isinstance(value, tuple) and all(isinstance(one, _PLAIN) for one in value)
        ):
            yield f"{name} = {value!r}"
        else:
            yield from _sources(value, seen)


def _text(function: types.FunctionType, code: types.CodeType) -> str:
    try:
        lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    except (OSError, TypeError):
        return f"{code.co_name}: {code.co_code.hex()} {code.co_consts!r} {code.co_names!r}"
    while lines and lines[0].lstrip().startswith("@"):  # What decorates it is described by itself.
        lines.pop(0)
    return "\n".join(lines)


def _is_filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - reading an empty cell raises
    except ValueError:
        return False
    return True
