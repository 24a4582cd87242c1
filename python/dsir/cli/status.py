"""dsir status."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dsir.cli import options
from dsir.cli.command import command
from dsir.errors import WorkdirError
from dsir.output.folder import SELECTION_FILE, what_is_in
from dsir.plural import counted
from dsir.remote import folder_of, location_of
from dsir.run.status import RunStatus, StageStatus, run_status
from dsir.storage.workers import WorkerStatus


@command()
def status(
    workdir: Annotated[
        str,
        typer.Argument(
            metavar="WORKDIR",
            help="The --workdir of a 'dsir select', or the folder of a 'dsir score', e.g. work/.",
        ),
    ],
    as_json: options.Json = False,
) -> None:
    """Show how far a run is, running or dead, from its work directory alone.

    Progress is counted in units of work: shards, or parts of large shards.

    **Example**

    `dsir status work/`
    """
    place = location_of(workdir)
    output = "a selection" if (place / SELECTION_FILE).is_file() else what_is_in(place)
    if output is not None:
        raise WorkdirError(
            f"{workdir}: holds {output}, which is finished, and is no work directory; give the "
            "--workdir of a run"
        )
    with folder_of(place) as folder:
        found = run_status(folder)
    if as_json:
        typer.echo(json.dumps(found.describe(), indent=2))
    else:
        _print(found)


def _print(found: RunStatus) -> None:
    if found.holder is not None:
        holder = found.holder
        typer.echo(
            f"at work: process {holder.get('pid', '?')} on {holder.get('host', '?')}, "
            f"since {holder.get('since', '?')}"
        )
    elif found.finished:
        typer.echo("finished")
    elif found.planned:
        living = sum(worker.alive for worker in found.workers)
        typer.echo(
            f"at work: {counted(living, 'worker')}"
            if living
            else "nobody is at work; 'dsir work' and 'dsir finish' continue"
        )
    else:
        typer.echo("nobody is at work; run the same command again to continue")
    for stage in found.stages:
        typer.echo(f"  {stage.name:<8}{_progress(stage)}")
    for worker in found.workers:
        typer.echo(f"  {_worker(worker)}")
    if found.skipped:
        noun = "row or shard" if found.skipped == 1 else "rows or shards"
        typer.echo(f"  {found.skipped:,} {noun} skipped")


def _progress(stage: StageStatus) -> str:
    if stage.total is None:
        text = counted(stage.done, "unit")
    else:
        text = f"{stage.done:,} of {counted(stage.total, 'unit')}"
    if stage.bytes_per_second and stage.done != stage.total:
        text += f", {stage.bytes_per_second / 1e6:,.1f} MB/s"
        text += f", {_duration(stage.seconds_left or 0)} left"
    return text


def _worker(worker: WorkerStatus) -> str:
    text = f"process {worker.pid} on {worker.host}, since {worker.since}: "
    if not worker.alive:
        return text + "dead; others take over the units that it was at"
    text += f"{worker.stage or 'begins'}, {counted(worker.units, 'unit')} done"
    if worker.bytes_per_second:
        text += f", {worker.bytes_per_second / 1e6:,.1f} MB/s"
    return text


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
