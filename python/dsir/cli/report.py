"""dsir report."""

from __future__ import annotations

from typing import Annotated

import typer

from dsir.cli.command import command
from dsir.report.card import write_card
from dsir.report.write import write_report


@command(reads_models=True)
def report(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="FOLDER",
            help="The folder that select, write, lexrank or gais wrote to, e.g. selected/.",
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="The file to write, e.g. report.html. By default _dsir/report.html in the folder.",
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            metavar="",
            help="Read no input. The page then shows nothing of raw and target, and no near "
            "misses.",
        ),
    ] = False,
    card: Annotated[
        bool,
        typer.Option(
            "--card",
            metavar="",
            help="Write a dataset card of the selection as well: _dsir/card.md in the folder.",
        ),
    ] = False,
) -> None:
    """Show what was selected, and why, on one HTML page.

    The page needs no other file and no network, and has at most 1 MB. It shows the accounts of all
    rows, distributions of log-weights and lengths, shares by source, the KL reduction and the
    coverage, n-grams for and against, and twenty documents with their n-grams coloured. What the
    folder does not hold is read from the inputs, if they are unchanged. The pages of rankings and
    of kept instances show their scores, texts, summaries and accuracies.

    **Examples**

    `dsir report selected/`

    `dsir report ranked/ --out ranking.html`
    """
    # The card first: a folder that can have none is refused before anything is written.
    described = write_card(folder) if card else None
    typer.echo(str(write_report(folder, out, quick=quick)))
    if described is not None:
        typer.echo(str(described))
