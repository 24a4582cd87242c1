"""The command `dsir`: its subcommands, one file each."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dsir.cli import diff, explain, fit, gais, lexrank, sample, score, select, status, verify, write
from dsir.cli.failures import INTERRUPTED, WRONG_CALL, say
from dsir.version import __version__

app = typer.Typer(
    name="dsir",
    help="Select the documents to train a language model on: importance resampling over hashed "
    "n-grams (DSIR), at the speed of reading the files.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(select.select)
app.command()(fit.fit)
app.command()(score.score)
app.command()(sample.sample)
app.command()(write.write)
app.command()(explain.explain)
app.command()(status.status)
app.command()(verify.verify)
app.command()(diff.diff)
app.command()(lexrank.lexrank)
app.command()(gais.gais)


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
