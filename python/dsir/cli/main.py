"""The command `dsir`: its subcommands, one file each."""

from __future__ import annotations

from typing import Annotated

import typer

from dsir.cli import explain, fit, sample, score, select, write
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


def main() -> None:
    """Run the command line."""
    app()
