"""Measures a selection on a Ray cluster, or by workers, with 1, 2, 4, ... nodes.

    python -m benchmarks.cluster --data DATA --folder /shared/scratch --nodes 1 2
    python -m benchmarks.cluster --data DATA --folder /shared/scratch --ray-address 10.0.0.1:6379
    python -m benchmarks.cluster --data DATA --folder /shared/scratch --workers

`DATA` holds `raw/*.parquet` and `targets/*.parquet`, and every node sees it and the folder. Without
an address a cluster of small nodes, a core each, is started on this machine. A node stands for so
many cores as the smallest node has. With `--workers` the same selection is made by that many
processes of `dsir work` on this machine, with a thread each.

For every number of nodes it prints the seconds, the efficiency against one node and against reading
the texts only, what tasks and results weigh, processor time and peak memory of the driver, and the
share of the time in which cores had run out of tasks.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import dsir
from dsir.engine.ray import RayEngine


@dataclass(frozen=True, slots=True)
class ReadTask:
    """Read the texts of a file, and nothing else."""

    path: str
    threads: int = 1


def read_texts(task: ReadTask, progress: Callable[[int], None]) -> int:
    """Return the bytes of the text column, decoded."""
    total = 0
    for batch in pq.ParquetFile(task.path).iter_batches(columns=["text"]):
        total += batch.nbytes
        progress(0)
    return total


@dataclass(slots=True)
class Weighed:
    """What a run sent to its tasks and got back, and when the tasks ended."""

    sent: int = 0
    largest: int = 0
    tasks: int = 0
    tail: float = 0.0
    ends: list[float] = field(default_factory=list)


class WeighingEngine(RayEngine):
    """The engine of Ray, which also weighs tasks and results."""

    weighed: Weighed

    def run(
        self, stage: Callable[..., Any], tasks: Sequence[Any], progress: Callable[[int], None]
    ) -> Iterator[Any]:
        """Run all tasks, and weigh them."""
        weighed, dumps = self.weighed, self._ray.cloudpickle.dumps
        weighed.ends = []
        for task in tasks:
            self._weigh(dumps(self._tasks.packed(task, type)))  # Any function of the object.
        weighed.tasks += len(tasks)
        for result in super().run(stage, tasks, progress):
            self._weigh(dumps(result))
            yield result
        ends = sorted(weighed.ends)
        if len(ends) > self.threads:
            weighed.tail += ends[-1] - ends[-self.threads]

    def _weigh(self, data: bytes) -> None:
        self.weighed.sent += len(data)
        self.weighed.largest = max(self.weighed.largest, len(data))

    def _ended(self, flight: Any, submit: Any) -> Iterator[tuple[int, Any]]:
        for one in super()._ended(flight, submit):
            self.weighed.ends.append(time.monotonic())
            yield one


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured with one number of nodes."""

    nodes: int
    seconds: float
    reading: float
    weighed: Weighed
    driver_seconds: float


def on_ray(data: Path, folder: Path, nodes: int, address: str | None) -> Figure:
    """Select and read on so many nodes of a cluster."""
    engine = WeighingEngine(None, address)
    engine = WeighingEngine(nodes * engine.threads_inside(1), address)
    raw = sorted((data / "raw").glob("*.parquet"))
    engine.weighed = Weighed()
    begun = time.monotonic()
    for _ in engine.run(read_texts, [ReadTask(str(path)) for path in raw], lambda _: None):
        pass
    reading = time.monotonic() - begun
    engine.weighed = Weighed()
    with _empty(folder / "work") as work, _empty(folder / "out") as out:
        begun, busy = time.monotonic(), time.process_time()
        _select(data, out, engine=engine, workdir=work)
        seconds, busy = time.monotonic() - begun, time.process_time() - busy
    return Figure(nodes, seconds, reading, engine.weighed, busy)


def by_workers(data: Path, folder: Path, workers: int) -> Figure:
    """Select by so many processes of this machine, and read the texts in as many threads."""
    command = [sys.executable, "-m", "dsir"]
    raw = sorted((data / "raw").glob("*.parquet"))
    begun = time.monotonic()
    tasks = [ReadTask(str(path)) for path in raw]
    for _ in dsir.engine.LocalEngine(workers).run(read_texts, tasks, lambda _: None):
        pass
    reading = time.monotonic() - begun
    targets = sorted(map(str, (data / "targets").glob("*.parquet")))
    with _empty(folder / "work") as work, _empty(folder / "out") as out:
        begun = time.monotonic()
        call = [str(data / "raw"), "-t", targets[0], "--fraction", "1%", "-o", str(out)]
        subprocess.run([*command, "plan", *call, "--workdir", str(work), "-q"], check=True)
        started = [
            subprocess.Popen(
                [*command, "work", str(work), "--threads", "1", "--part", f"{n}/{workers}", "-q"]
            )
            for n in range(workers)
        ]
        if any(process.wait() for process in started):
            raise RuntimeError("a worker failed")
        subprocess.run([*command, "finish", str(work), "-q"], check=True)
        return Figure(workers, time.monotonic() - begun, reading, Weighed(), 0.0)


def _select(data: Path, out: Path, **how: Any) -> None:
    targets = sorted((data / "targets").glob("*.parquet"))
    dsir.select(data / "raw", targets[0], fraction=0.01, out=out, progress=False, **how)


@contextmanager
def _empty(folder: Path) -> Iterator[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _small_nodes(count: int) -> Iterator[str]:
    """Run a cluster of so many nodes of one core on this machine; gives its address.

    Ray gives its workers a niceness of 15. Where other programs are at work, they would get a
    fraction of the processor time of the local engine that they are compared with.
    """
    import ray
    from ray.cluster_utils import Cluster

    small = {"num_cpus": 1, "object_store_memory": 80 << 20}
    head = {**small, "include_dashboard": False, "_system_config": {"worker_niceness": 0}}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(count - 1):
            cluster.add_node(**small)
        yield cluster.address
    finally:
        ray.shutdown()
        cluster.shutdown()


def report(figures: Sequence[Figure]) -> list[str]:
    """Return the figures as the lines of a table."""
    first = figures[0]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    lines = [
        "| nodes | seconds | of one node's efficiency | reading / run | tasks | kB sent per task "
        "| largest kB | driver's seconds | tail |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in figures:
        efficiency = first.seconds * first.nodes / (one.seconds * one.nodes)
        weighed = one.weighed
        lines.append(
            f"| {one.nodes} | {one.seconds:.1f} | {efficiency:.2f} "
            f"| {one.reading / one.seconds:.2f} | {weighed.tasks:,} "
            f"| {weighed.sent / max(1, weighed.tasks) / 1e3:.1f} | {weighed.largest / 1e3:.1f} "
            f"| {one.driver_seconds:.1f} | {weighed.tail / one.seconds:.2f} |"
        )
    lines.append(f"peak memory of the driver: {peak / 1e6:,.0f} MB")
    return lines


def main() -> None:
    """Read the options, measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="every node sees it")
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--ray-address")
    parser.add_argument("--workers", action="store_true", help="dsir work in place of Ray")
    options = parser.parse_args()
    if options.workers:
        figures = [by_workers(options.data, options.folder, n) for n in options.nodes]
    else:
        own = options.ray_address is None
        with _small_nodes(max(options.nodes)) if own else nullcontext(options.ray_address) as at:
            figures = [on_ray(options.data, options.folder, n, at) for n in options.nodes]
    print("\n".join(report(figures)))


if __name__ == "__main__":
    main()
