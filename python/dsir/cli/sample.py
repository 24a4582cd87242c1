"""dsir sample."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from dsir.arguments.declared import arguments_of
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.tables import print_accounts
from dsir.remote import folder_of, location_of
from dsir.run.folders import sample_to_folder
from dsir.run.pipeline import Pipeline
from dsir.settings.draw import DrawSettings
from dsir.settings.machine import Machine, MachineOptions


@command(arguments_of(DrawSettings, MachineOptions))
def sample(
    scores: Annotated[
        str,
        typer.Argument(metavar="SCORES", help="Folder of scores, from 'dsir score', e.g. scores/."),
    ],
    out: Annotated[
        str,
        typer.Option("--out", "-o", metavar="PATH", help="Folder for the selected rows: rows/."),
    ],
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    **given: Any,
) -> None:
    """Draw documents by their scores.

    **Example**

    `dsir sample scores/ --n 100000 --seed 1 --out rows/`
    """
    settings = DrawSettings.of(given)
    pipeline = Pipeline(Machine.of({**given, "progress": not quiet}))
    with folder_of(location_of(scores)) as source, folder_of(location_of(out)) as folder:
        accounts = sample_to_folder(pipeline, source, settings, folder)
    if as_json:
        typer.echo(json.dumps({"metrics": accounts}, indent=2))
    elif not quiet:
        stages = {name: time.describe() for name, time in pipeline.times.items()}
        print_accounts(accounts, stages, [out], dedup=settings.dedup)
