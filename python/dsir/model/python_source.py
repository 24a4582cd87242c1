"""What identifies a Python function across processes: its source and the values that it uses."""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def source_of(function: Callable[..., Any]) -> list[str]:
    """Return the source of a function and of the functions that it calls, with constants.

    Functions are followed through global names, closures and defaults. Constants are numbers,
    texts, arrays, regular expressions, and tuples, lists, sets and dicts of these, as they are now.
    Of a function whose source cannot be found, such as one typed into an interpreter, the bytecode
    stands for the source; of one that is not written in Python, its name; of an object that is
    called like a function, also its attributes that are constants.
    """
    return sorted(_sources(function, set()))


def _sources(function: Any, seen: set[int]) -> Iterator[str]:
    function = getattr(function, "py_func", function)  # Of a function compiled by numba.
    if isinstance(function, functools.partial):
        yield from _sources(function.func, seen)
        given: dict[object, Any] = dict(enumerate(function.args))
        given.update(function.keywords)
        yield from _values({f"argument {key}": value for key, value in given.items()}, seen)
        return
    if isinstance(function, types.MethodType):
        yield from _sources(function.__func__, seen)
        yield from _attributes(function.__self__)
        return
    function = inspect.unwrap(function) if callable(function) else function
    code = getattr(function, "__code__", None)
    if code is not None:
        if id(code) not in seen:
            seen.add(id(code))
            yield from _written(function, code, seen)
    elif inspect.isroutine(function):  # Not written in Python: str.split, a pattern's findall.
        yield f"{getattr(function, '__module__', None)}.{function.__qualname__}"
        yield from _values({"self": getattr(function, "__self__", None)}, seen)
    elif callable(function) and not isinstance(function, type) and id(function) not in seen:
        seen.add(id(function))
        yield type(function).__qualname__
        yield from _sources(type(function).__call__, seen)
        yield from _attributes(function)


def _written(function: Any, code: types.CodeType, seen: set[int]) -> Iterator[str]:
    yield _text(function, code)
    cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
    used = {name: cell.cell_contents for name, cell in cells if _is_filled(cell)}
    for name in _names(code):
        if name in function.__globals__:
            used.setdefault(name, function.__globals__[name])
    yield from _values(used, seen)
    defaults: dict[object, Any] = dict(enumerate(function.__defaults__ or ()))
    defaults.update(function.__kwdefaults__ or {})
    yield from _values({f"default {key}": value for key, value in defaults.items()}, seen)


def _names(code: types.CodeType) -> Iterator[str]:
    """Give the global names in a function, and in the functions and comprehensions inside."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _values(used: Mapping[str, Any], seen: set[int]) -> Iterator[str]:
    for name, value in used.items():
        constant = _constant(value)
        if constant is not None:
            yield f"{name} = {constant}"
        elif not isinstance(value, types.ModuleType):
            yield from _sources(value, seen)


def _attributes(of: object) -> Iterator[str]:
    for name, value in getattr(of, "__dict__", {}).items():
        constant = _constant(value)
        if constant is not None:
            yield f"{name} = {constant}"


def _constant(value: Any) -> str | None:
    """Return a text that is the same in every process for equal constants; None for no constant."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.hasobject:
            return None
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"{value.dtype} {value.shape} {digest}"
    if isinstance(value, re.Pattern):
        return repr((value.pattern, value.flags))
    if isinstance(value, Mapping):
        return _all_of("{}", [_all_of("", [_constant(k), _constant(v)]) for k, v in value.items()])
    if isinstance(value, set | frozenset):
        return _all_of("{}", [_constant(one) for one in value])
    if isinstance(value, tuple) and all(isinstance(one, _PLAIN) for one in value):
        return repr(value)
    if isinstance(value, tuple | list):
        return _all_of("[]", [_constant(one) for one in value])
    return None


def _all_of(brackets: str, parts: list[str | None]) -> str | None:
    """Join texts of constants, in order if the brackets are braces; None if one is no constant."""
    texts = [part for part in parts if part is not None]
    if len(texts) < len(parts):
        return None
    return brackets[:1] + ", ".join(sorted(texts) if brackets == "{}" else texts) + brackets[1:]


def _text(function: types.FunctionType, code: types.CodeType) -> str:
    try:
        lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    except (OSError, TypeError):
        return _bytecode(code)
    while lines and lines[0].lstrip().startswith("@"):  # What decorates it is described by itself.
        lines.pop(0)
    return "\n".join(lines)


def _bytecode(code: types.CodeType) -> str:
    inner = [_bytecode(one) for one in code.co_consts if isinstance(one, types.CodeType)]
    plain = tuple(one for one in code.co_consts if not isinstance(one, types.CodeType))
    return " ".join([f"{code.co_name}: {code.co_code.hex()} {plain!r} {code.co_names!r}", *inner])


def _is_filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - reading an empty cell raises
    except ValueError:
        return False
    return True
