"""dsir verify."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

import dsir
from dsir.arguments import arguments_of
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.failures import FAILED
from dsir.corpus import Paths
from dsir.settings.machine import MachineOptions


@command(arguments_of(MachineOptions))
def verify(
    out: options.SelectionFolder,
    quick: Annotated[
        bool, typer.Option("--quick", help="The checksums of the files only, and no input.")
    ] = False,
    ignore_times: Annotated[
        bool,
        typer.Option(
            "--ignore-times", help="An input of the same size is the same, when it was touched."
        ),
    ] = False,
    raw: Annotated[
        list[str] | None,
        typer.Option(help="Where raw is now, in place of the manifest's paths."),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target", "-t", metavar="[NAME=]SOURCE", help="Where the target is now; likewise."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="PATH",
            help="Where the model of 'dsir write' is now.",
        ),
    ] = None,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    **given: Any,
) -> None:
    """Say whether a selection is what its manifest says, and stands row for row.

    Every file is compared with its checksum; then the selection is made again from the inputs,
    settings and seed in selection.json, in a temporary folder (TMPDIR), and compared with the
    output: every row, the bits of its log-weight, its content. What `dsir write` wrote is made
    again from the model. Exit code 0: it stands; 1: it does not.

    **Examples**

    `dsir verify selected/`

    `dsir verify selected/ --quick`
    """
    found = dsir.verify(
        out,
        raw=Paths(raw) if raw else None,
        target=options.targets_of(target) if target else None,
        model=model,
        quick=quick,
        ignore_times=ignore_times,
        **given,
    )
    if as_json:
        typer.echo(json.dumps(found.describe(), indent=2))
    elif not quiet:
        _print(found)
    if not found.stands:
        raise typer.Exit(FAILED)


def _print(found: dsir.Verification) -> None:
    for finding in found.findings:
        typer.echo(f"{finding.kind}: {' '.join(finding.message.split())}")
    for note in found.notes:
        typer.echo(f"note: {' '.join(note.split())}")
    if found.rows is not None:
        rows = found.rows
        typer.echo(f"rows: {rows.stand:,} of {rows.derived:,} stand")
        for name, count in rows.describe().items():
            if count and name not in ("derived", "stand"):
                typer.echo(f"  {name.replace('_', ' ')}: {count:,}")
    how = "its files are what was written" if found.quick else "stands"
    wrong = f"does not stand: {len(found.findings):,} findings"
    typer.echo(f"{found.folder}: {how if found.stands else wrong} ({found.files:,} files)")
