"""What a planned run costs beside `dsir select` on the same cores, in whole processes.

    python -m benchmarks.planned_overhead --raw corpus/ --target wanted.parquet --rounds 3

Each round selects a hundredth of the rows, in turn, by `dsir select`, by `dsir plan`, one `dsir
work` and `dsir finish`, and by as many workers of one thread each as there are threads. It prints
seconds by the clock, with the starts of Python, and processor seconds of all processes.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.process import ENVIRONMENT

_DSIR = [sys.executable, "-m", "dsir"]


class Cost(NamedTuple):
    """What processes took, in seconds by the clock and of the processors."""

    clock: float
    processor: float


class Round(NamedTuple):
    """What each part of a round took; `workers` are those of one thread each, all together."""

    select: Cost
    plan: Cost
    work: Cost
    finish: Cost
    workers: Cost

    def line(self) -> str:
        """Return the row of a table."""
        one = self.select.clock
        parts = " | ".join(f"{cost.clock:.2f} ({cost.processor:.1f})" for cost in self)
        planned = self.plan.clock + self.work.clock + self.finish.clock
        return (
            f"| {parts} | {self.work.clock / one:.2f} | {planned / one:.2f} "
            f"| {self.work.clock / self.workers.clock:.2f} |"
        )


def cost_of(run: Callable[[], None]) -> Cost:
    """Run processes to their ends; return what they took."""
    os.sync()  # So that this run does not wait for what the one before has yet to write.
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    run()
    clock, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measured(raw: Path, target: Path, threads: int, folder: Path) -> Round:
    """Select three times, in three ways; return what each part took.

    Raises:
        CalledProcessError: a process failed; it has said why.
    """
    what = [str(raw), "-t", str(target), "--fraction", "1%"]
    work = folder / "work"

    def run(*command: str, count: int = 1) -> Cost:
        def processes() -> None:
            call = [*_DSIR, *command, "-q"]
            started = [subprocess.Popen(call, env=ENVIRONMENT) for _ in range(count)]
            for process in started:
                if code := process.wait():
                    raise subprocess.CalledProcessError(code, call)

        return cost_of(processes)

    def empty() -> None:
        for made in folder.iterdir():
            shutil.rmtree(made)

    def plan() -> Cost:
        empty()
        return run("plan", *what, "-o", str(folder / "out"), "--workdir", str(work))

    at_once = f"--threads={threads}"
    empty()
    select = run("select", *what, "-o", str(folder / "out"), at_once)
    planned = plan()
    worked = run("work", str(work), at_once)
    finished = run("finish", str(work), at_once)
    plan()
    workers = run("work", str(work), "--threads=1", count=threads)
    empty()
    return Round(select, planned, worked, finished, workers)


def main() -> None:
    """Read the options, measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planned_overhead")
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(
        "| select | plan | work | finish | workers of a thread each | work / select "
        "| all three / select | work / workers |\n|---|---|---|---|---|---|---|---|"
    )
    rounds = []
    with tempfile.TemporaryDirectory(prefix="dsir-planned-") as folder:
        for _ in range(options.rounds):
            one = measured(options.raw, options.target, options.threads, Path(folder))
            rounds.append(one)
            print(one.line(), flush=True)
    medians = [
        Cost(*(statistics.median(values) for values in zip(*costs, strict=True)))
        for costs in zip(*rounds, strict=True)
    ]
    print(f"median:\n{Round(*medians).line()}")


if __name__ == "__main__":
    main()
