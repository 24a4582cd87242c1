"""dsir finish."""

from __future__ import annotations

import json
from typing import Any

import typer

from dsir.arguments.declared import arguments_of
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.plan import PLANNED
from dsir.cli.tables import print_accounts, print_how_to_load
from dsir.run.planned import open_planned
from dsir.run.work import finish_run
from dsir.settings.machine import Machine, MachineOptions


@command(
    arguments_of(MachineOptions),
    resumable=lambda _: True,
    also_named=PLANNED,
    reads_models=True,
)
def finish(
    workdir: options.PlannedWorkdir,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    **given: Any,
) -> None:
    """Do what is left of a planned selection, and write its manifest.

    May be started at any time: it shares the work with the workers that are alive, and does all of
    it if there are none.

    **Example**

    `dsir finish work/`
    """
    with open_planned(workdir, Machine.of({**given, "progress": not quiet})) as planned:
        selection = finish_run(planned)
    paths = [str(path) for path in selection.paths]
    if as_json:
        skipped = [entry.to_json() for entry in selection.skipped]
        found = {"metrics": selection.metrics, "paths": paths, "skipped": skipped}
        typer.echo(json.dumps(found, indent=2))
    elif not quiet:
        buckets = selection.model.features.buckets
        stages, dedup = selection.metrics["stages"], planned.run.plan.draw.dedup
        print_accounts(selection.metrics, stages, paths, buckets, dedup=dedup)
        print_how_to_load(str(planned.run.out))
