"""The command `dsir`: its subcommands, one file each."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any

import typer
import typer.core

from dsir.cli.failures import INTERRUPTED, WRONG_CALL, say
from dsir.version import __version__

# By name: the first sentence of its help. A command's module is imported when it is called, so that
# none waits for the imports and the options of the others.
_COMMANDS = {
    "select": "Select the documents of RAW that are distributed like the target.",
    "fit": "Fit an importance model: count the n-grams of RAW and of the target.",
    "score": "Compute the log-weight of every document of RAW.",
    "sample": "Draw documents by their scores.",
    "write": "Write the drawn documents, in the format of the input.",
    "explain": "Show which n-grams make up a text's log-weight.",
    "status": "Show how far a run is, from its work directory alone: of a running or a dead one.",
    "verify": "Say whether a selection is what its manifest says, and stands row for row.",
    "diff": "Compare two selections: rows in common, change of weights, settings that differ.",
    "lexrank": "Score the rows of RAW by their centrality (LexRank), or summarize them.",
    "gais": "Keep the few labelled rows of RAW that train nearly as well as all (GAIS).",
}
_LOOK: dict[str, Any] = {
    "pretty_exceptions_enable": False,
    "rich_markup_mode": "markdown",
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


class _Commands(typer.core.TyperGroup):
    """The subcommands, with stand-ins for those that are not called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is called, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else _imported(name), rest


def _imported(name: str) -> Any:
    alone = typer.Typer(add_completion=False, **_LOOK)
    alone.command(name)(getattr(importlib.import_module(f"dsir.cli.{name}"), name))
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
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    del version


# What wrong options raise. Old versions of typer build on click, new ones carry a copy of it; the
# base class of typer's own BadParameter is the right one in both.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


def main() -> None:
    """Run the command line; a wrong call is one line and exit code 2, as everything else is."""
    try:
        code = app(standalone_mode=False)
    except _UsageError as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "dsir"
        message = getattr(error, "format_message", error.__str__)()
        if message:  # Without one, the help is shown already.
            say("error", f"{message} (see {path} --help)")
        sys.exit(WRONG_CALL)
    except typer.Abort:
        sys.exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)
