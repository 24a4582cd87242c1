"""dsir verify."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

import dsir
from dsir.arguments.declared import arguments_of
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.failures import FAILED
from dsir.cli.piped import negatives_in, piped
from dsir.plural import counted
from dsir.settings.machine import MachineOptions
from dsir.settings.option_text import sources_in


@command(arguments_of(MachineOptions), reads_models=True)
def verify(
    out: options.SelectionFolder,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            metavar="",
            help="Check only the checksums of the files, and read no input.",
        ),
    ] = False,
    ignore_times: Annotated[
        bool,
        typer.Option(
            "--ignore-times",
            metavar="",
            help="Accept an input whose time of last change differs, if its path and size are the "
            "same.",
        ),
    ] = False,
    raw: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE",
            help="Where the raw corpus is now, e.g. moved/*.parquet. By default the paths in the "
            "manifest.",
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            "-t",
            metavar="[NAME=]SOURCE",
            help="Where the target is now, e.g. moved/wanted.jsonl. By default the paths in the "
            "manifest.",
        ),
    ] = None,
    negatives: Annotated[
        list[str] | None,
        typer.Option(
            "--negatives",
            metavar="SOURCE",
            help="Where the negatives of a classifier are now, e.g. moved/spam.jsonl. By default "
            "the paths in the manifest.",
        ),
    ] = None,
    decontaminate: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE,...",
            help="Where the texts that rows were compared with are now, e.g. moved/tests.jsonl. By "
            "default the paths in the manifest.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="PATH",
            help="The model to make a selection of 'dsir write' again with, e.g. model.dsir. By "
            "default the file in the manifest, or the one in the folder.",
        ),
    ] = None,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    **given: Any,
) -> None:
    """Verify that a selection is what its manifest says, row for row.

    Compares every file with its checksum. Then makes the selection again from the inputs, settings
    and seed in _dsir/selection.json, in a temporary folder (TMPDIR), and compares it with the
    output: every row, the bits of its log-weight, its content. A selection of `dsir write` is made
    again from its model. Exit code 0: everything is as it must be; 1: something differs.

    **Examples**

    `dsir verify selected/`

    `dsir verify selected/ --quick`
    """
    # The manifest knows the text columns.
    sources = options.targets_of(target, {})[0] if target else None
    with piped(raw, sources) as (inputs, targets):
        found = dsir.verify(
            out,
            raw=inputs or None,
            target=targets,
            negatives=negatives_in(negatives),
            decontaminate=None if decontaminate is None else sources_in(decontaminate),
            model=model,
            quick=quick,
            ignore_times=ignore_times,
            progress=not quiet,
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
        typer.echo(f"rows: {rows.stand:,} of {rows.derived:,} verified")
        for name, count in rows.describe().items():
            if count and name not in ("derived", "stand"):
                typer.echo(f"  {name.replace('_', ' ')}: {count:,}")
    if not found.stands:
        verdict = f"not verified: {counted(len(found.findings), 'finding')}"
    elif found.quick:
        verdict = "the files are as they were written"
    else:
        verdict = "verified"
    typer.echo(f"{found.folder}: {verdict} ({counted(found.files, 'file')})")
