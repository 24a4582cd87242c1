"""dsir plan."""

from __future__ import annotations

import json
import shlex
from typing import Annotated, Any

import typer

from dsir.arguments.declared import arguments_of
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.piped import negatives_in, refuse_pipes
from dsir.model.targets import names_of_targets
from dsir.plural import counted
from dsir.remote import location_of
from dsir.run.planned import plan_run
from dsir.run.select import SELECT_SETTINGS
from dsir.settings.machine import Machine
from dsir.settings.ngram_options import NGRAMS, with_features
from dsir.settings.plan import Plan

PLANNED = {**arguments_of(*SELECT_SETTINGS), **NGRAMS}
"""The settings of a plan, which messages of its workers name as well."""


@command(PLANNED, reads_models=True)
def plan(
    raw: options.Raw,
    target: options.Target,
    out: options.Out,
    workdir: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="The work directory to make, e.g. /shared/work/ or s3://bucket/work. Every worker "
            "must see it, and the inputs and the output folder, under the same path.",
        ),
    ],
    negatives: options.Negatives = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    **given: Any,
) -> None:
    """Check a selection and cut its inputs into units of work, without doing any.

    Takes the options of `dsir select`. Then start `dsir work WORKDIR` as often as you like, on any
    machine that sees the same folders, and `dsir finish WORKDIR` once. The selection is the one
    that `dsir select` makes, byte for byte.

    **Example**

    `dsir plan corpus/ -t wanted.jsonl --tokens 10G -o selected/ --workdir work/`
    """
    sources, given = options.targets_of(target, with_features(given))
    refuse_pipes(raw, sources, "the workers of 'dsir work' cannot read it")
    checked = Plan.of(given, names_of_targets(sources))
    found = plan_run(
        checked,
        Machine.of({**given, "progress": not quiet}),
        list(raw),
        sources,
        out=location_of(out),
        workdir=workdir,
        overwrite=overwrite,
        negatives=negatives_in(negatives),
    )
    if as_json:
        described: dict[str, Any] = {
            "files": found.files,
            "units": found.units,
            "bytes": found.bytes,
        }
        if found.sources:
            described["kernels"] = found.sources
        typer.echo(json.dumps(described, indent=2))
    elif not quiet:
        typer.echo(
            f"{workdir}: {counted(found.files, 'file')}, {found.bytes / 1e6:,.1f} MB, in "
            f"{counted(found.units, 'unit')} of work"
        )
        kernels = "".join(f" --kernels {shlex.quote(source)}" for source in found.sources)
        typer.echo(
            f"next: dsir work {workdir}{kernels} (as often as you like), then dsir finish "
            f"{workdir}{kernels}"
        )
