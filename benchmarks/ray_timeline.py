"""Where the time of a run on Ray goes, beside the local engine on as many cores.

    python -m benchmarks.ray_timeline --raw corpus/ --target wanted.parquet --nodes 2 --rounds 2

Starts nodes of one core each on this machine. Each round runs `dsir.select` with the local engine
and with Ray, in turn, and prints a line for each stage of the Ray run: tasks, the seconds that
their workers were at work and used the processor, what the same stage took locally, how long tasks
waited before a worker began and before the driver saw that they had ended (those that were sent
together wait for each other), and how long the driver had nothing at work. The first round has cold
workers: they start, and import dsir.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dsir
from benchmarks.cluster import _small_nodes
from dsir.engine.local import LocalEngine
from dsir.engine.ray import RayEngine


@dataclass
class Stage:
    """One run of a stage."""

    name: str
    tasks: int
    begun: float
    ended: float = 0.0
    submitted: dict[int, float] = field(default_factory=dict)
    outcomes: list[tuple[int, float, Any]] = field(default_factory=list)

    def line(self) -> str:
        """Return the row of a table."""
        wall = self.ended - self.begun
        waits = [one.begun - self.submitted[number] for number, _, one in self.outcomes]
        seen = [at - one.begun - one.seconds for _, at, one in self.outcomes]
        spans = sorted((one.begun, one.begun + one.seconds) for _, _, one in self.outcomes)
        busy, until = 0.0, self.begun
        for start, stop in spans:
            busy += max(0.0, stop - max(start, until))
            until = max(until, stop)
        at_work = sum(one.seconds for _, _, one in self.outcomes)
        used = sum(one.cpu_seconds for _, _, one in self.outcomes)
        shown = (wall, at_work, used, wall - busy, _median(waits), _median(seen))
        return f"| {self.name} | {self.tasks} | " + " | ".join(f"{one:.2f}" for one in shown) + " |"


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else 0.0


class Watched(RayEngine):
    """The Ray engine, which notes when tasks are submitted, begin and end."""

    def __init__(self, address: str) -> None:
        super().__init__(address=address)
        self.stages: list[Stage] = []

    def run(self, stage: Callable[..., Any], tasks: Sequence[Any], progress: Any) -> Iterator[Any]:
        """Run all tasks; see `Engine.run`."""
        self.stages.append(Stage(stage.__name__, len(tasks), time.time()))
        yield from super().run(stage, tasks, progress)
        self.stages[-1].ended = time.time()

    def _ended(self, flight: Any, submit: Any) -> Iterator[tuple[int, Any]]:
        now = time.time()
        for group in flight.groups:
            for number in group.numbers:
                self.stages[-1].submitted.setdefault(number, now)
        for number, outcome in super()._ended(flight, submit):
            self.stages[-1].outcomes.append((number, time.time(), outcome))
            yield number, outcome


class Timed(LocalEngine):
    """The local engine, which notes the seconds and processor seconds of its stages."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.stages: dict[str, list[float]] = {}

    def run(self, stage: Callable[..., Any], tasks: Sequence[Any], progress: Any) -> Iterator[Any]:
        """Run all tasks; see `Engine.run`."""
        begun, used = time.time(), time.process_time()
        yield from super().run(stage, tasks, progress)
        entry = self.stages.setdefault(stage.__name__, [0.0, 0.0])
        entry[0] += time.time() - begun
        entry[1] += time.process_time() - used


def main() -> None:
    """Read the options, run, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ray_timeline")
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--nodes", type=int, default=2, help="of one core each")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="dsir-timeline-") as folder,
        _small_nodes(options.nodes) as address,
    ):
        place = Path(folder)

        def select(**machine: Any) -> float:
            for name in ("out", "work"):
                shutil.rmtree(place / name, ignore_errors=True)
            begun = time.time()
            dsir.select(
                str(options.raw),
                options.target,
                fraction=0.01,
                out=place / "out",
                progress=False,
                **machine,
            )
            return time.time() - begun

        for number in range(options.rounds):
            timed = Timed(options.nodes)
            processor = time.process_time()
            here = select(engine=timed)
            processor = time.process_time() - processor
            used = time.process_time()
            watched = Watched(address=address)
            ray = select(engine=watched, workdir=place / "work")
            used = time.process_time() - used
            tasks = sum(done.cpu_seconds for one in watched.stages for _, _, done in one.outcomes)
            stages = sum(one.ended - one.begun for one in watched.stages)
            print(
                f"\nround {number}: local {here:.1f} s, Ray {ray:.1f} s, ratio {ray / here:.2f}; "
                f"processor seconds: local {processor:.1f}, Ray's tasks {tasks:.1f} and its driver "
                f"{used:.1f}; all stages of Ray {stages:.1f} s\n"
            )
            print("| stage | tasks | s | at work | processor | nothing at work | wait | seen |")
            print("|---|---|---|---|---|---|---|---|")
            for one in watched.stages:
                print(one.line())
            print("\n| local stage | s | processor |\n|---|---|---|")
            for name, (seconds, processor) in timed.stages.items():
                print(f"| {name} | {seconds:.2f} | {processor:.2f} |", flush=True)


if __name__ == "__main__":
    main()
