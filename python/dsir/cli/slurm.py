"""dsir slurm."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from dsir.arguments.values import whole_number
from dsir.cli import options
from dsir.cli.command import command
from dsir.errors import SettingError
from dsir.model.own_code import absolute_source
from dsir.remote import location_of
from dsir.run.planned import check_planned

_MOST_JOBS = 1_000_000


@command()
def slurm(
    workdir: options.PlannedWorkdir,
    array: Annotated[
        int, typer.Option(metavar="N", help="Number of jobs in the array, e.g. 64.")
    ] = 8,
    at_once: Annotated[
        int | None,
        typer.Option(metavar="N", help="How many jobs may run at a time, e.g. 16. By default all."),
    ] = None,
    cpus: Annotated[
        int, typer.Option(metavar="N", help="Cores, and so threads, of each job, e.g. 8.")
    ] = 8,
    memory: Annotated[
        str, typer.Option("--mem", metavar="SIZE", help="Memory of each job, e.g. 16G.")
    ] = "16G",
    time: Annotated[
        str, typer.Option(metavar="HH:MM:SS", help="Longest time of a job, e.g. 04:00:00.")
    ] = "04:00:00",
    partition: Annotated[
        str | None, typer.Option(metavar="NAME", help="Slurm partition. By default the cluster's.")
    ] = None,
    kernels: options.Kernels = None,
) -> None:
    """Print a batch script that runs a planned selection on Slurm.

    The script submits itself twice: as an array of workers, and as one job that finishes the run
    when the array has ended. Jobs that are preempted are queued again and go on.

    **Example**

    `dsir slurm work/ --array 64 --cpus 8 > run.sh && bash run.sh`
    """
    whole_number("array", array, 1, _MOST_JOBS)
    whole_number("cpus", cpus, 1, 4096)
    if at_once is not None:
        whole_number("at_once", at_once, 1, _MOST_JOBS)
    for name, value in (("mem", memory), ("time", time), ("partition", partition or "")):
        if any(character.isspace() for character in value):
            raise SettingError(f"--{name} {value!r}: expected a value of Slurm, without spaces")
    check_planned(workdir)
    place = location_of(workdir)
    folder = str(place)
    # Slurm cannot write to a store: the logs go to the folder that the script is started in.
    logs = str(place / "logs") if isinstance(place, Path) else "logs"
    command = f"{shlex.quote(sys.executable)} -m dsir"
    common = [f"--cpus-per-task={cpus}", f"--mem={memory}", f"--time={time}"]
    if partition:
        common.append(f"--partition={partition}")
    own = "".join(f" --kernels {shlex.quote(absolute_source(one))}" for one in kernels or ())
    limit = "" if at_once is None else f"%{at_once}"
    typer.echo(
        _SCRIPT.format(
            folder=shlex.quote(folder),
            logs=shlex.quote(logs),
            common=shlex.join(common),
            array=f"0-{array - 1}{limit}",
            work=shlex.quote(
                f"exec {command} work {shlex.quote(folder)} --part auto --threads {cpus}{own}"
            ),
            finish=shlex.quote(
                f"exec {command} finish {shlex.quote(folder)} --threads {cpus}{own}"
            ),
        ),
        nl=False,
    )


# 'afterany', so that the run is finished also if a worker was lost: what it left is done then.
# SIGTERM comes 60 seconds before the time limit; the worker removes its unfinished files and ends,
# and the job that finishes the run, or the queue, goes on.
_SCRIPT = """\
#!/bin/bash
# Runs the selection that is planned in {folder}.
# Start it with bash on a machine that can submit jobs. It may be started again at any time.
set -euo pipefail
mkdir -p {logs}
workers=$(sbatch --parsable {common} --requeue --open-mode=append --signal=TERM@60 \\
  --job-name=dsir-work --array={array} --output={logs}/work-%a.log \\
  --wrap {work})
finisher=$(sbatch --parsable {common} --requeue --open-mode=append \\
  --job-name=dsir-finish --dependency="afterany:${{workers%%;*}}" --output={logs}/finish.log \\
  --wrap {finish})
echo "workers: job ${{workers%%;*}}; finished by job ${{finisher%%;*}}; logs:" {logs}
"""
