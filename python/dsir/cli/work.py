"""dsir work."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from dsir.arguments.declared import arguments_of
from dsir.arguments.values import one_of
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.failures import FAILED, say
from dsir.cli.plan import PLANNED
from dsir.errors import SettingError
from dsir.plural import counted
from dsir.run.planned import open_planned
from dsir.run.shared_tasks import Share
from dsir.run.work import UNTIL, Until, work_on
from dsir.settings.machine import Machine, MachineOptions

# Schedulers say which job this is, and of how many. Slurm's arrays may begin at any number; an
# indexed job of Kubernetes begins at 0 and has no variable for the number of jobs.
_SLURM_ARRAY = ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT")
_SLURM_STEP = ("SLURM_PROCID", "", "SLURM_NTASKS")
_KUBERNETES = ("JOB_COMPLETION_INDEX", "", "JOB_COMPLETIONS")


@command(
    arguments_of(MachineOptions),
    resumable=lambda _: True,
    also_named=PLANNED,
    reads_models=True,
)
def work(
    workdir: options.PlannedWorkdir,
    until: Annotated[
        str,
        typer.Option(
            metavar="STAGE",
            help="The last stage to work on: fit, score, sample or write, e.g. score.",
        ),
    ] = "write",
    part: Annotated[
        str,
        typer.Option(
            metavar="I/N",
            help="Which units to do first: those of worker I of N, I from 0 to N-1, e.g. 3/64; "
            "'auto' takes I and N from Slurm or Kubernetes. A worker that has done its part helps "
            "with the rest.",
        ),
    ] = "0/1",
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    **given: Any,
) -> None:
    """Do units of a planned selection until none is left.

    Start it as often as you like, at any time, on any machine that sees the folders of the plan. A
    worker that dies costs the units it was at; another does them. Exit code 0 means that everything
    up to STAGE is done, 1 that units are left, which are listed.

    **Examples**

    `dsir work work/`

    `dsir work work/ --until score --part auto`
    """
    one_of("until", until, UNTIL)
    last: Until = UNTIL[UNTIL.index(until)]
    share = share_of(part, os.environ)
    with open_planned(workdir, Machine.of({**given, "progress": not quiet})) as planned:
        units = len(planned.run.raw.shards)
        if share.parts > units and not quiet:
            say("note", f"there are {share.parts:,} workers for {counted(units, 'unit')} of raw")
        done = work_on(planned, share, last)
    if as_json:
        described = {"units": done.units, "complete": done.complete, "left": done.left}
        typer.echo(json.dumps(described, indent=2))
    elif not quiet:
        state = "all done" if done.complete else "some are left"
        typer.echo(f"{workdir}: {counted(done.units, 'unit')} done by this worker; {state}")
    for line in done.left:
        say("left", line)
    if not done.complete:
        sys.exit(FAILED)


def share_of(part: str, environment: Mapping[str, str]) -> Share:
    """Return which units a worker does first.

    Args:
        part: "I/N", or "auto".
        environment: the variables of a scheduler, for "auto".

    Raises:
        SettingError: `part` is neither, or "auto" finds no scheduler.
    """
    if part == "auto":
        return _share_in(environment)
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", part)
    if match is None or not int(match[1]) < int(match[2]):
        raise SettingError(
            f"part={part}: expected I/N with I from 0 to N-1, such as 0/64, or 'auto'"
        )
    return Share(int(match[1]), int(match[2]))


def _share_in(environment: Mapping[str, str]) -> Share:
    for index, first, count in (_SLURM_ARRAY, _KUBERNETES, _SLURM_STEP):
        if index not in environment:
            continue
        if count not in environment:
            raise SettingError(
                f"part=auto: found {index}={environment[index]}, but no {count}, the number of "
                f"workers; set {count}, or give I/N"
            )
        try:
            number, parts = int(environment[index]), int(environment[count])
            number -= int(environment.get(first, "0"))
        except ValueError:
            number, parts = -1, 0
        if parts < 1 or number < 0:
            raise SettingError(
                f"part=auto: {index}={environment[index]} and {count}={environment[count]} are "
                "not a worker and their number; give I/N"
            )
        # Arrays may have gaps, as after a job was cancelled; every worker has some share.
        return Share(number % parts, parts)
    raise SettingError(
        f"part=auto: found neither {_SLURM_ARRAY[0]} (Slurm) nor {_KUBERNETES[0]} (Kubernetes); "
        "give I/N, or leave it out"
    )
