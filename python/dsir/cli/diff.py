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
    b: Annotated[str, typer.Argument(metavar="B", help="The folder of another.")],
    by: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Count by the values of a column, such as source."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Compare two selections: rows in common, change of weights, settings that differ.

    Rows are the same where they come from the same row of the same input.

    **Example**

    `dsir diff selected/ other/ --by source`
    """
    found = dsir.diff(a, b, by=by)
    if as_json:
        typer.echo(json.dumps(found.describe(), indent=2))
    else:
        print_difference(found)
