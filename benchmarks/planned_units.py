"""The memory of the processes of a planned run, by the number of its units.

    python -m benchmarks.planned_units --folder /tmp/units --units 1000000

Writes Parquet files of a thousand row groups, a row each, and cuts them into a unit for each row
group, which stands for 64 MB. Then it prints the peak of resident memory, in processes of their
own: planning; a worker that has opened the plan and has the tasks of a stage; and one that holds
the results of scoring and of the draw as well, made up here, as those who draw and finish do.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import dsir
from dsir.run.planned import open_planned, plan_run
from dsir.settings.machine import Machine
from dsir.settings.plan import Plan
from dsir.stages import units as units_of_work
from dsir.stages.sample import ShardRows
from dsir.stages.score_table import ScoreForm
from dsir.stages.shard_scores import ShardScores
from dsir.stages.unit_rows import UnitRows
from dsir.stages.unit_scores import UnitScores

_GROUPS = 1000  # Row groups, and so units, of a file.
PARTS = ("libraries", "plan", "tasks", "results")


def make_files(folder: Path, units: int) -> None:
    """Write the files, and a target."""
    raw = folder / "raw"
    raw.mkdir(parents=True)
    table = pa.table({"text": [f"word {number} and some more text" for number in range(_GROUPS)]})
    first = raw / "00000.parquet"
    pq.write_table(table, first, row_group_size=1, write_statistics=False)
    pq.write_table(table.slice(0, 50), folder / "target.parquet")
    for number in range(1, max(1, units // _GROUPS)):
        shutil.copyfile(first, raw / f"{number:05d}.parquet")


def peak_of(part: str, folder: Path) -> float:
    """Return the peak of resident memory of a process that does this part, in MB."""
    command = [sys.executable, "-m", "benchmarks.planned_units", "--folder", str(folder)]
    done = subprocess.run([*command, "--part", part], check=True, capture_output=True, text=True)
    return float(done.stdout)


def do(part: str, folder: Path) -> None:
    """Do a part, and print the peak of this process."""
    units_of_work.UNIT_BYTES = 1
    machine = Machine.of({"progress": False})
    work = str(folder / "work")
    held: list[object] = []
    if part == "plan":
        plan = Plan.of({"n": 100, "min_tokens": 1, "fit_tokens": 1000}, ())
        raw, target = [str(folder / "raw")], str(folder / "target.parquet")
        out = folder / "out"
        plan_run(plan, machine, raw, target, out=out, workdir=work, overwrite=False)
    elif part in ("tasks", "results"):
        with open_planned(work, machine) as planned:
            run = planned.run
            numbers = range(len(run.raw.shards))
            scores, rows = (planned.workdir.stage(name, {}) for name in ("scores", "rows"))
            model = dsir.ImportanceModel(dsir.HashedNgrams(), *np.ones((2, 10_000), np.int64))
            tasks = run.pipeline.score_tasks(run.raw, model, None, scores, numbers)
            held.append(tasks)
            if part == "results":
                form = ScoreForm()
                scored = UnitScores(
                    ShardScores(rows=n, documents=n, text_bytes=n, form=form, place=scores.place(n))
                    for n in numbers
                )
                drawn = UnitRows(
                    ShardRows(n, [(n, n, n)], form, rows.place(n), source_rows=n) for n in numbers
                )
                held += (scored, drawn)
    # Not by getrusage: what it tells of a child includes the memory of the parent at the fork.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    print(int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6)


def main() -> None:
    """Read the options, measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planned_units")
    parser.add_argument("--folder", type=Path, required=True, help="new; removed at the end")
    parser.add_argument("--units", type=int, default=1_000_000)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        do(options.part, options.folder)
        return
    make_files(options.folder, options.units)
    try:
        print(f"| {options.units:,} units | MB at most | bytes a unit beside the libraries |")
        print("|---|---|---|")
        before = 0.0
        for part in PARTS:
            peak = peak_of(part, options.folder)
            before = before or peak
            print(f"| {part} | {peak:,.0f} | {(peak - before) * 1e6 / options.units:,.0f} |")
    finally:
        shutil.rmtree(options.folder)


if __name__ == "__main__":
    main()
