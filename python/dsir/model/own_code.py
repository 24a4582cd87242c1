"""Code of the user that an option names: FILE.py:NAME, or MODULE:NAME.

Code is imported when an option of the call names it, and never because a file does: models,
manifests and plans name kernels by their digests and hold no code. A file is imported under its
absolute path in place of a module's name. Other processes of the same run import the same source.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.util
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

from dsir.arguments.values import shown
from dsir.errors import SettingError
from dsir.model.own_part import MissingPartError, OwnPart, known, look_in, raised

Part = TypeVar("Part", bound=OwnPart)

_SUFFIX = ".py"
_importing = threading.RLock()


def names_code(text: str) -> bool:
    """Tell whether the text of an option names code, as FILE.py:NAME or MODULE:NAME."""
    source, _, name = text.rpartition(":")
    return _is_file(text) or _is_file(source) or (_is_module(source) and name.isidentifier())


def object_in(argument: str, text: str, fits: Callable[[object], bool], wanted: str) -> Any:
    """Import what the text of an option names.

    Args:
        argument: the argument that the option gives, for messages.
        text: FILE.py:NAME or MODULE:NAME.
        fits: tells whether an object can be the argument; classes never can.
        wanted: what can be the argument, for messages.

    Raises:
        SettingError: the text has another form, the source cannot be imported, or it has no such
            name or something else under it.
    """
    said = f"{argument}={text}"
    source, _, name = text.rpartition(":")
    if _is_file(text) or (_is_file(source) and not name):
        file = text.removesuffix(":")
        raise SettingError(
            f"{said}: does not say which function of the file is meant; give {file}:NAME"
        )
    if not names_code(text):
        raise SettingError(
            f"{said}: expected {wanted}, as FILE.py:NAME or MODULE:NAME, such as kernels.py:mine"
        )
    try:
        module = import_source(source)
    except SettingError as error:
        raise SettingError(f"{said}: {error}") from error
    if not hasattr(module, name):
        raise SettingError(f"{said}: {_where(source, module)} has no {name}{_hint(module, name)}")
    found = getattr(module, name)
    if isinstance(found, OwnPart) and found.argument != argument:
        raise SettingError(f"{said}: is a {found.kind}; give it as {found.argument}={text}")
    if isinstance(found, type) or not fits(found):
        what = "a class" if isinstance(found, type) else shown(found)
        raise SettingError(f"{said}: is {what}; expected {wanted}")
    return found


def import_sources(option: str, sources: Iterable[str]) -> None:
    """Import files and modules whose kernels and functions a model may need.

    Args:
        option: the option that names them, for messages.
        sources: paths of Python files, and names of modules.

    Raises:
        SettingError: one cannot be imported.
    """
    for source in sources:
        try:
            import_source(source)
        except SettingError as error:
            raise SettingError(f"{option} {source}: {error}") from error


def import_source(source: str) -> ModuleType:
    """Import a Python file or a module once, and look there for functions that files name.

    The folder of a file, and for a module the current folder, come last in `sys.path`, so that no
    file there takes the place of an installed module.

    Args:
        source: the path of a file that ends in .py, or the name of a module.

    Raises:
        SettingError: there is no such file or module, or its code raises an exception.
    """
    if not _is_file(source) and not _is_module(source):
        raise SettingError("expected a Python file, such as kernels.py, or the name of a module")
    with _importing:
        if _is_file(source):
            name = absolute_source(source)
            if not Path(name).is_file():
                raise SettingError(f"there is no file {source}")
            folder = str(Path(name).parent)
        else:
            name, folder = source, str(Path.cwd())
        if folder not in sys.path:
            sys.path.append(folder)
        try:
            module = _executed(name) if _is_file(source) else importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{source}.".startswith(f"{error.name}."):
                raise _cannot(source, error, name) from error
            raise SettingError(
                f"there is no module {error.name} that Python finds from here; give the path of "
                "its file, such as kernels.py"
            ) from error
        except (Exception, SystemExit) as error:
            raise _cannot(source, error, name) from error
        look_in(name, module)
    return module


def absolute_source(source: str) -> str:
    """Return a source for processes that start in other folders: a file by its absolute path."""
    # A link keeps its name, and what is beside it.
    return os.path.abspath(Path(source).expanduser()) if _is_file(source) else source  # noqa: PTH100


def imported_part(kind: type[Part], source: str, name: str, digest: str) -> Part:
    """Return a part that another process sent, from the source that the part is in.

    Raises:
        MissingPartError: the source cannot be imported here, or has no part of this digest.
    """
    with contextlib.suppress(MissingPartError):
        return cast("Part", known((kind,), kind.kind, name, digest))
    try:
        import_source(source)
        return cast("Part", known((kind,), kind.kind, name, digest))
    except (SettingError, MissingPartError) as error:
        raise MissingPartError(
            f"{name}: {_what(source)}, as this process imports it, does not define this "
            f"{kind.kind} (digest {digest}); define it at the top of a module that every process "
            f"can import, with the same source and the same version of numba: {error}"
        ) from error


def _is_file(source: str) -> bool:
    return source.endswith(_SUFFIX)


def _is_module(source: str) -> bool:
    return all(part.isidentifier() for part in source.split("."))


def _executed(path: str) -> ModuleType:
    """Execute a Python file as a module whose name is the path."""
    if path in sys.modules:
        return sys.modules[path]
    spec = importlib.util.spec_from_file_location(path, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path] = module  # Before it is executed, as for any module.
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path]
        raise
    return module


def _cannot(source: str, error: BaseException, name: str) -> SettingError:
    """Return the error for a source whose own code failed, with the line if it is a file."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame.lineno for frame in frames if frame.filename == name]
    line = f"line {inside[-1]} " if inside else ""
    if _is_file(source) and getattr(error, "name", None) == name.removesuffix(_SUFFIX):
        return SettingError(
            f"{source} cannot be imported: {line}imports from its own package, which a file alone "
            "does not have; name it as a module, such as package.kernels:mine"
        )
    return SettingError(f"{_what(source)} cannot be imported: {line}{raised(error)}")


def _what(source: str) -> str:
    return source if _is_file(source) else f"the module {source}"


def _where(source: str, module: ModuleType) -> str:
    """Return what messages call a source; of a module also which file Python found."""
    file = getattr(module, "__file__", None)
    return _what(source) if _is_file(source) or file is None else f"{_what(source)} ({file})"


def _hint(module: ModuleType, name: str) -> str:
    """Say which names may have been meant: one like it, or the kernels that there are."""
    names = [one for one in vars(module) if not one.startswith("_")]
    near = difflib.get_close_matches(name, names, 1)
    if near:
        return f"; did you mean {near[0]}?"
    kernels = [one for one in names if isinstance(vars(module)[one], OwnPart)]
    return f"; its kernels are {', '.join(kernels[:8])}" if kernels else ""
