"""Options from a file: --config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import repeat
from pathlib import Path
from typing import Annotated, Any

import typer

from dsir.arguments import panels
from dsir.cli.config_file import NeededCode, read_config
from dsir.errors import SettingError

# The names of parameters that options have other names than.
_PARAMETERS = {"json": "as_json"}
# Options that are written NAME=VALUE,NAME=VALUE.
_BY_NAME = ("proportions", "target_text", "filters", "combine", "max_per", "shares")
_NEEDED = "dsir.needed_code"


def _take_config(context: typer.Context, path: Path | None) -> Path | None:
    if path is not None:
        known = {str(parameter.name): parameter for parameter in context.command.params}
        found = _options_from(path, known)
        needed = {name: one for name, one in found.items() if isinstance(one, NeededCode)}
        context.meta[_NEEDED] = needed
        given = {name: one for name, one in found.items() if name not in needed}
        context.default_map = {**(context.default_map or {}), **given}
    return path


def refuse_missing_code(context: typer.Context) -> None:
    """Refuse the settings of a selection with kernels, unless options name these.

    Raises:
        SettingError: --config is a selection that was made with a kernel or function, and the
            option for this is not given.
    """
    for name, needed in context.meta.get(_NEEDED, {}).items():
        source = context.get_parameter_source(name)
        if source is None or source.name == "DEFAULT":
            raise SettingError(
                f"--config {context.params['config']}: the selection was made with the "
                f"{needed.kind} {needed.name}, whose code it does not hold; give "
                f"--{name} FILE.py:{needed.name}"
            )


Config = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        help="A file of options, e.g. run.yaml: YAML, TOML or JSON, or the selection.json of a "
        "selection, for its settings. Options on the command line win.",
        callback=_take_config,
        is_eager=True,
        rich_help_panel=panels.RUN,
    ),
]


def _options_from(path: Path, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options in a file as the parser takes them, by the names of parameters."""
    try:
        values, of_selection = read_config(path)
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or error
        raise typer.BadParameter(f"{path}: cannot be read: {why}") from error
    named: dict[str, Any] = {}
    for name, value in values.items():
        parameter = str(name).replace("-", "_")
        named[_PARAMETERS.get(parameter, parameter)] = value
    unknown = sorted(named.keys() - known.keys())
    if unknown and not of_selection:
        raise typer.BadParameter(f"{path}: unknown option {', '.join(unknown)}")
    try:
        return {
            name: _value_of(name, value, known[name])
            for name, value in named.items()
            if name in known and value is not None
        }
    except ValueError as error:
        raise typer.BadParameter(f"{path}: {error}") from error


def _value_of(name: str, value: Any, parameter: Any) -> Any:
    """Return the value of an option as the parser takes it.

    Raises:
        ValueError: the value has a form that the option does not take.
    """
    several = getattr(parameter, "multiple", False) or parameter.nargs == -1
    if several:
        return _sources(name, value)
    if name == "methods" and isinstance(value, dict | list):
        return ",".join(_methods(value))
    if isinstance(value, dict):
        if name not in _BY_NAME:
            raise ValueError(f"{name}: expected one value, found names and values")
        return ",".join(f"{key}={one}" for key, one in value.items())
    if isinstance(value, list):
        if not str(parameter.metavar or "").endswith(",..."):
            raise ValueError(f"{name}: expected one value, found a list")
        return ",".join(map(str, value))
    return value


def _methods(value: list[Any] | dict[Any, Any]) -> Iterator[str]:
    """Give methods as --methods takes them: names, or names with arguments."""
    for name, given in value.items() if isinstance(value, dict) else zip(value, repeat(None)):
        if not isinstance(name, str) or not isinstance(given, dict | None):
            raise ValueError(  # noqa: TRY004
                "methods: expected names, or arguments by name, such as "
                "{svm: {estimator: classifier}}"
            )
        pairs = [f"{key}={_plain(found)}" for key, found in (given or {}).items()]
        yield f"{name}: {','.join(pairs)}" if pairs else name


def _plain(value: Any) -> str:
    """Return an argument of a method as --methods takes it: commas are between arguments."""
    if isinstance(value, dict):
        return ";".join(f"{key}={one}" for key, one in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sources(name: str, value: Any) -> list[str]:
    """Return inputs: a path, a list of paths, or for targets these by name."""
    if isinstance(value, dict) and name == "target":
        return [f"{key}={one}" for key, given in value.items() for one in _sources(name, given)]
    found = value if isinstance(value, list) else [value]
    for one in found:
        if not isinstance(one, str):
            found_instead = f"found {one!r:.80}; write it in quotes"
            raise ValueError(f"{name}: expected paths, {found_instead}")  # noqa: TRY004
    return found
