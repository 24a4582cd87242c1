"""The command `dsir`: its subcommands, one file each."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
import typer.core

from dsir.arguments.keywords import given_here
from dsir.cli.failures import (
    WRONG_CALL,
    let_go_of_standard_error,
    say,
    say_interrupted,
)
from dsir.cli.spelling import in_options
from dsir.interrupts import INTERRUPTED, answering
from dsir.version import __version__

# Each command with the first sentence of its help. A command's module is imported when the command
# is called, so that no command waits for the imports of the others.
_COMMANDS = {
    "select": "Select the documents of RAW that are distributed like the target.",
    "fit": "Fit an importance model: count the n-grams of RAW and of the target.",
    "score": "Compute the log-weight of every document of RAW.",
    "compare": "Compare methods of selection on documents of the target that no method sees.",
    "sample": "Draw documents by their scores.",
    "write": "Write the drawn documents, in the format of the input.",
    "report": "Show what was selected, and why, on one HTML page.",
    "explain": "Show how much each n-gram contributes to a text's log-weight.",
    "plan": "Check a selection and cut its inputs into units of work, without doing any.",
    "work": "Do units of a planned selection until none is left.",
    "finish": "Do what is left of a planned selection, and write its manifest.",
    "slurm": "Print a batch script that runs a planned selection on Slurm.",
    "status": "Show how far a run is, running or dead, from its work directory alone.",
    "verify": "Verify that a selection is what its manifest says, row for row.",
    "diff": "Compare two selections: rows in common, change of weights, settings that differ.",
    "lexrank": "Score the rows of RAW by their centrality (LexRank), or summarize them.",
    "gais": "Keep the few labelled rows of RAW that train nearly as well as all (GAIS).",
}
_LOOK: dict[str, Any] = {
    "pretty_exceptions_enable": False,
    "rich_markup_mode": "markdown",
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


class _Command(typer.core.TyperCommand):
    """A command whose --help shows that flags take no value."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the arguments and options, with --help."""
        return _without_values(super().get_params(ctx))


class _Commands(typer.core.TyperGroup):
    """The subcommands; those that are not called are stand-ins with a help text."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options, with --help."""
        return _without_values(super().get_params(ctx))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is called, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else _imported(name), rest


def _without_values(params: list[Any]) -> list[Any]:
    """Return options of which flags show no type of value; typer has some of its own."""
    for one in params:
        if getattr(one, "is_flag", False) and one.metavar is None:
            one.metavar = ""
    return params


def _imported(name: str) -> Any:
    alone = typer.Typer(add_completion=False, **_LOOK)
    alone.command(name, cls=_Command)(getattr(importlib.import_module(f"dsir.cli.{name}"), name))
    return typer.main.get_command(alone)


app = typer.Typer(
    name="dsir",
    cls=_Commands,
    help="Select the documents to train a language model on: importance resampling over hashed "
    "n-grams (DSIR), at the speed of reading the files.",
    no_args_is_help=True,
    **_LOOK,
)
for _name, _summary in _COMMANDS.items():
    app.command(_name, help=_summary)(lambda: None)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dsir {__version__}")
        raise typer.Exit


@app.callback()
def _dsir(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            callback=_print_version,
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    del version


# The error of wrong options. Old versions of typer build on click and new ones carry a copy of it;
# the base class of typer's BadParameter is right for both.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


def _as_given_here(error: Exception, context: Any) -> str | None:
    """Return the message of an option that other programs have, with what it is called here."""
    option = getattr(error, "option_name", None)  # Of errors of unknown options.
    if not isinstance(option, str) or context is None:
        return None
    names = [parameter.name for parameter in context.command.params]
    here = given_here(option.lstrip("-").replace("-", "_"), names)
    return None if here is None else f"No such option: {option}; give {in_options(here, names)}"


def _refuse_unread_arguments(arguments: Sequence[str]) -> None:
    """Stop if the locale has too few characters for an argument, which would name something else.

    Python takes a locale without UTF-8 at its word only with PYTHONUTF8=0.
    """
    encoding = sys.getfilesystemencoding()
    if encoding == "utf-8":
        return
    for argument in arguments:
        if not argument.isascii() and any("\udc80" <= one <= "\udcff" for one in argument):
            shown = os.fsencode(argument).decode("utf-8", "backslashreplace")
            say(
                "error",
                f"{shown}: has characters that this process cannot have, because it takes "
                f"arguments as {encoding}; run it with PYTHONUTF8=1, or in another locale "
                "(LC_ALL=C.UTF-8)",
            )
            sys.exit(WRONG_CALL)


def main() -> None:
    """Run the command line; a wrong call is one line on standard error and exit code 2."""
    with answering():
        try:
            _run()
        finally:
            let_go_of_standard_error()


def _run() -> None:
    _refuse_unread_arguments(sys.argv[1:])
    try:
        code = app(standalone_mode=False)
    except _UsageError as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "dsir"
        message = getattr(error, "format_message", error.__str__)()
        message = _as_given_here(error, context) or message
        if message:  # Without one, typer has shown the help.
            say("error", f"{message} (see {path} --help)")
        sys.exit(WRONG_CALL)
    except typer.Abort:
        code = INTERRUPTED
    if code == INTERRUPTED:  # Of typer, too, when the interrupt came between work and errors.
        code = say_interrupted()
    sys.exit(code if isinstance(code, int) else 0)
