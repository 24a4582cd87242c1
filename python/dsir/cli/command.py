"""Commands: functions whose options are made from the arguments of settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, get_type_hints

import typer

from dsir.arguments import panels
from dsir.arguments.declared import Argument, arguments_of
from dsir.cli.config import Config, refuse_missing_code
from dsir.cli.failures import reported
from dsir.cli.options import Debug, Kernels
from dsir.cli.spelling import in_options
from dsir.errors import SettingError
from dsir.model.own_code import import_sources
from dsir.settings.budget import Budget

_PANELS = (
    "",
    "",  # The panels of single commands.
    panels.BUDGET,
    panels.DRAW,
    panels.NGRAMS,
    panels.DOCUMENTS,
    panels.RUN,
)

_BUDGETS = tuple(arguments_of(Budget))


def command(
    settings: Mapping[str, Argument] | None = None,
    *,
    resumable: Callable[[Mapping[str, Any]], bool] = lambda _: False,
    also_named: Iterable[str] = (),
    reads_models: bool = False,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorate the function of a command.

    The function takes its own options by name, and the arguments of settings as `**given`, which
    holds only what was given on the command line or in a file, as the Python API takes it. The
    settings supply the defaults. An exception of the function becomes a line on standard error and
    an exit code; see `reported`.

    Args:
        settings: arguments of settings, by name; each becomes an option.
        resumable: tells from the options whether the same call would continue where it stopped.
        also_named: arguments that messages may name because they are options of an earlier command
            of the same run.
        reads_models: whether the command reads models, which may need kernels: it then has the
            option --kernels. What this names is imported before the function is called.
    """
    taken = {name: one for name, one in (settings or {}).items() if one.option}

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        own = _own_parameters(function)
        names = {*own, *taken}
        parameters = [
            inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
            *own.values(),
            *(_parameter(name, one, names) for name, one in taken.items()),
        ]
        if reads_models:
            parameters.append(_keyword("kernels", Kernels, None))
        parameters.append(_keyword("config", Config, None))
        parameters.append(_keyword("debug", Debug, False))
        parameters.sort(key=_place_in_help)

        def call(**values: Any) -> None:
            context, debug = values.pop("context"), values.pop("debug")
            values.pop("config", None)
            with reported(debug=debug, resumable=resumable(values), names={*names, *also_named}):
                _refuse_options_as_values(context)
                refuse_missing_code(context)
                import_sources("--kernels", values.get("kernels") or ())
                mine = {name: values[name] for name in own}
                function(**mine, **_given(context, taken, values))

        call.__name__, call.__doc__ = function.__name__, function.__doc__
        call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        call.__annotations__ = {one.name: one.annotation for one in parameters}
        return call

    return decorate


def _place_in_help(parameter: inspect.Parameter) -> int:
    """Order the panels of `--help`: what to select first, how to run last."""
    described = getattr(parameter.annotation, "__metadata__", [None])[-1]
    panel = getattr(described, "rich_help_panel", None) or ""
    return _PANELS.index(panel) if panel in _PANELS else 1


def _own_parameters(function: Callable[..., None]) -> dict[str, inspect.Parameter]:
    """Return the parameters that a command's function declares itself."""
    hints = get_type_hints(function, include_extras=True)
    return {
        name: one.replace(kind=one.KEYWORD_ONLY, annotation=hints[name])
        for name, one in inspect.signature(function).parameters.items()
        if one.kind is not one.VAR_KEYWORD
    }


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _parameter(name: str, one: Argument, names: set[str]) -> inspect.Parameter:
    """Make the option of an argument."""
    default = one.default if isinstance(one.default, one.kind) else None
    if one.kind is str and isinstance(one.default, int) and not isinstance(one.default, bool):
        default = str(one.default)  # An amount: a number, or a text such as 100k.
    # A flag that is set by default can be taken back.
    taken_back = f"/--no-{one.option}" if default is True else ""
    flags = [f"--{one.option}{taken_back}", *([f"-{one.letter}"] if one.letter else [])]
    option = typer.Option(
        *flags,
        help=in_options(one.help, names),
        metavar="" if one.kind is bool else one.metavar or None,
        rich_help_panel=one.panel or None,
    )
    kind: Any = one.kind if default is not None else one.kind | None
    return _keyword(name, Annotated[kind, option], default)


def _refuse_options_as_values(context: typer.Context) -> None:
    """Refuse `--dedup -q`: an option that was left without a value takes the next word for it.

    Raises:
        SettingError: the value of an option is another option.
    """
    options = {word for one in context.command.params for word in (*one.opts, *one.secondary_opts)}
    for one in context.command.params:
        given = context.params.get(str(one.name))
        for value in given if isinstance(given, list | tuple) else [given]:
            if isinstance(value, str) and value.startswith("-") and value in options:
                raise SettingError(
                    f"{max(one.opts, key=len)}: expected a value, found the option {value}"
                )


def _given(
    context: typer.Context, taken: Mapping[str, Argument], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments that were given, as the Python API takes them.

    A budget on the command line takes the place of any budget in a file, since there can be one.
    """
    found = {}
    sources = {name: context.get_parameter_source(name) for name in taken}
    budgets = {name for name in _BUDGETS if name in taken}
    typed = {name for name in budgets if getattr(sources[name], "name", "") == "COMMANDLINE"}
    for name, one in taken.items():
        source = sources[name]
        if source is None or source.name == "DEFAULT" or (typed and name in budgets - typed):
            continue
        value = values[name]
        found[name] = value if one.read is None or value is None else one.read(value)
    return found
