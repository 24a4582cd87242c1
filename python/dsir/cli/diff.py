"""dsir diff."""

from __future__ import annotations

import json
from typing import Annotated

import typer

import dsir
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.tables import print_difference


@command()
def diff(
    a: options.SelectionFolder,
    b: Annotated[
        str,
        typer.Argument(
            metavar="B", help="The folder of the selection to compare with, e.g. other/."
        ),
    ],
    by: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Count the rows of each value of this column as well, e.g. source. By default "
            "rows are counted by input only.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Compare two selections: rows in common, change of weights, settings that differ.

    Two rows are the same if they come from the same row of the same input.

    **Example**

    `dsir diff selected/ other/ --by source`
    """
    found = dsir.diff(a, b, by=by)
    if as_json:
        typer.echo(json.dumps(found.describe(), indent=2))
    else:
        print_difference(found)
