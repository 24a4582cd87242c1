"""The engine of a Ray cluster: every task of a stage is a task of Ray Core.

Texts and scores never pass through Ray's object store. Workers read the inputs, and leave results
in the work directory, which every node sees; tasks and results are a few kB. Models are put into
the store once. The driver keeps a bounded number of tasks in flight, so its memory does not grow
with the corpus.

Tasks that take moments are sent several at a time (`engine.ray_flight`). Ray starts what is
submitted in that order. Tasks of the last round go largest first, and once none is left to submit,
one that takes much longer than the others is started a second time elsewhere: whichever copy ends
first counts. A task that loses its node is submitted again, a few times.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from dsir.engine.base import Engine, Progress, Result, Task
from dsir.engine.local import LocalEngine, thread_count, usable_cores
from dsir.engine.ray_flight import Flight, Group, size_of, threads_of
from dsir.errors import EngineError, SettingError
from dsir.progress import ignore
from dsir.remote import Location

_AHEAD = 32  # Tasks per core that may begin before the result that the caller waits for.
_POLL = 0.25  # Seconds between two looks at tasks that are at work.
_MOST_LOST = 3  # How often a task may lose its worker.
_SOON = 2.0  # Seconds in which most tasks have ended after they were cancelled.
_END = 60.0  # Seconds that a stopped task may take to end before its worker is killed.
_PATIENCE = 300.0  # Seconds that a node may take to answer: it imports dsir first.
_THREAD_BYTES = 400 << 20  # Memory that a task asks Ray for, for each of its threads.
_READERS = 16  # Threads that read footers on the driver: they wait most of the time.


class RayEngine(Engine):
    """Runs tasks on a Ray cluster.

    Args:
        threads: how many cores of the cluster to use at a time; None for all that it has, also
            those of nodes that join later.
        address: the address of the cluster; None for the one of RAY_ADDRESS or of this machine, or
            a new one on this machine.

    Raises:
        SettingError: ray is not installed, or `threads` is out of range.
        EngineError: the cluster does not answer.
    """

    shares_files: ClassVar[bool] = False
    needs_workdir: ClassVar[bool] = True
    tail_seconds = 30.0  # A task is not started a second time before.

    def __init__(self, threads: int | None = None, address: str | None = None) -> None:
        self._most = None if threads is None else thread_count(threads)
        try:
            import ray
        except ImportError as error:
            raise SettingError("engine='ray': needs ray: pip install 'dsir[ray]'") from error
        self._ray = ray
        _connect(ray, address)
        from dsir.engine import ray_tasks

        self._tasks = ray_tasks
        self._run_tasks = ray.remote(ray_tasks.run_tasks)
        self._look_around = ray.remote(ray_tasks.look_around)
        self._cores = (0.0, 1)
        self._smallest = self._smallest_node()

    @property
    def threads(self) -> int:  # type: ignore[override]  # Nodes join; other engines fix it.
        """How many cores of the cluster may be used at a time; asked every few seconds."""
        known, cores = self._cores
        if time.monotonic() > known:
            cores = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
            self._cores = (time.monotonic() + 5.0, cores)
        return cores if self._most is None else min(cores, self._most)

    @property
    def threads_here(self) -> int:
        """The cores of the driver."""
        return usable_cores()

    def threads_inside(self, tasks: int) -> int:
        """Return how many threads each of so many tasks may use: no more than any node has."""
        return max(1, min(self.threads // max(1, tasks), self._smallest))

    def run_short(
        self, stage: Callable[[Task, Progress], Result], tasks: Sequence[Task]
    ) -> Iterator[Result]:
        """Run short tasks on the driver; see `Engine.run_short`."""
        return LocalEngine(max(_READERS, usable_cores())).run(stage, tasks, ignore)

    def check(self, workdir: Location, paths: Sequence[Location]) -> None:
        """Check every node; see `Engine.check`."""
        ray, mine = self._ray, self._tasks.versions()
        word = secrets.token_hex(6)
        token = workdir / f".probe-{word}"
        nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
        replies = [workdir / f".probe-{word}-{number}" for number in range(len(nodes))]
        seen = [path if path.exists() else _nearest(path) for path in paths]
        try:
            self._tasks.leave(token)
            refs = [
                self._look_around.options(num_cpus=0, scheduling_strategy=_on(node)).remote(
                    seen, token, reply
                )
                for node, reply in zip(nodes, replies, strict=True)
            ]
            # All of them first: a node that is still at it would leave its reply behind.
            reports = [self._reported(ref) for ref in refs]
            if not any(reports):
                raise EngineError("no node of the Ray cluster answers; look at 'ray status'")
            for report, reply in zip(reports, replies, strict=True):
                if report is None:
                    continue
                where = f"node {report.host}"
                other = self._tasks.differing(mine, report.versions)
                if other:
                    raise EngineError(f"{where}: has {other}; install the same versions everywhere")
                if str(token) in report.missing or not report.wrote or not reply.exists():
                    why = f" ({report.why})" if report.why else ""
                    raise EngineError(
                        f"workdir={workdir}: {where} does not see this folder, or cannot write to "
                        f"it{why}; give a folder that every node shares, or one in a store such as "
                        "s3://bucket/work"
                    )
                if report.missing:
                    raise EngineError(
                        f"{report.missing[0]}: {where} does not see it; inputs, out and workdir "
                        "must be where every node finds them, under the same path"
                    )
        finally:
            for place in (token, *replies):
                with contextlib.suppress(OSError):
                    place.unlink(missing_ok=True)

    def _reported(self, ref: Any) -> Any:
        """Return what a node says; None if it has gone. Tasks check those that join later."""
        errors = self._ray.exceptions
        try:
            return self._ray.get(ref, timeout=_PATIENCE)
        except (errors.RayTaskError, errors.GetTimeoutError, errors.RuntimeEnvSetupError) as error:
            raise _unfit(error) from None
        except errors.RayError:
            return None

    def run(
        self,
        stage: Callable[[Task, Progress], Result],
        tasks: Sequence[Task],
        progress: Callable[[int], None],
    ) -> Iterator[Result]:
        """Run all tasks; see `Engine.run`."""
        once: dict[int, tuple[Any, Any]] = {}  # The objects too, so that no id is used twice.

        def put(value: Any) -> Any:
            if id(value) not in once:
                once[id(value)] = (value, self._ray.put(value))
            return once[id(value)][1]

        wanted = self._tasks.versions()

        def submit(group: Group) -> None:
            threads = group.threads
            options = {"num_cpus": threads, "memory": threads * _THREAD_BYTES}
            call = self._run_tasks.options(max_retries=0, scheduling_strategy="SPREAD", **options)
            sent = [(number, self._tasks.packed(tasks[number], put)) for number in group.numbers]
            # One argument: Ray spends as much on each, however small.
            flight.add(group, call.remote((stage, sent, wanted, run)))

        run = secrets.token_hex(8)
        flight = Flight()
        done: dict[int, Any] = {}
        left = deque(range(len(tasks)))
        first, sorted_from = 0, -1
        failed: tuple[int, Any] | None = None  # The first of the tasks that failed so far.
        try:
            while first < len(tasks):
                while first in done:
                    result = done.pop(first)
                    first += 1
                    yield result
                if first == len(tasks):
                    break
                if failed is not None and failed[0] == first:
                    raise failed[1].value from failed[1].cause
                ahead = _AHEAD * self.threads
                if left and sorted_from < 0 and len(left) <= ahead and left[-1] < first + ahead:
                    # The last round: whatever is left may begin at once.
                    left = deque(sorted(left, key=lambda number: -size_of(tasks[number])))
                    sorted_from = first
                while left and self._has_room(flight) and left[0] < first + ahead:
                    numbers = flight.next_group(left, first + ahead, self.threads)
                    submit(Group(numbers, threads_of(tasks[number] for number in numbers)))
                self._start_again(flight, left, submit)
                for number, outcome in self._ended(flight, submit):
                    if outcome.state == "failed":
                        # Those before it run to their end: the first failure in order is told.
                        if failed is None or number < failed[0]:
                            failed = number, outcome
                            left = deque(one for one in left if one < number)
                        continue
                    progress(outcome.amount)
                    done[number] = outcome.value
                progress(0)
        finally:
            self._stop(flight, run)

    def _has_room(self, flight: Flight) -> bool:
        """Tell whether another group may be in flight: as many again wait as are at work."""
        return flight.threads < (self.threads if self._most else 2 * self.threads)

    def _start_again(
        self, flight: Flight, left: Sequence[int], submit: Callable[[Group], None]
    ) -> None:
        """Start a second copy of groups that take long, once there is room for nothing else."""
        if left or not flight.group_seconds or len(flight.groups) >= self.threads:
            return
        patience = max(self.tail_seconds, 3 * statistics.median(flight.group_seconds))
        now = time.monotonic()
        for group in flight.groups:
            if len(group.refs) == 1 and now - group.since > patience:
                submit(group)

    def _ended(self, flight: Flight, submit: Callable[[Group], None]) -> Iterator[tuple[int, Any]]:
        """Wait a moment; give the tasks that ended, and submit those again whose worker died."""
        refs = flight.refs
        if not refs:
            return
        ready, _ = self._ray.wait(refs, num_returns=len(refs), timeout=0)
        if not ready:
            ready, _ = self._ray.wait(refs, num_returns=1, timeout=_POLL)
        for ref in ready:
            group = flight.ended(ref)
            if group is None:
                continue  # Another copy was first.
            try:
                outcomes = self._ray.get(ref)
            except self._ray.exceptions.RayTaskError as error:
                raise _unfit(error) from None
            except self._ray.exceptions.RayError as error:
                group.lost += 1
                if group.lost > _MOST_LOST:
                    raise _lost(error, group.lost) from None
                if not group.refs:
                    # One by one: if one of them kills its worker, the others live.
                    for number in group.numbers:
                        submit(Group((number,), group.threads, lost=group.lost))
                continue
            flight.note([outcome.seconds for _, outcome in outcomes])
            for other in flight.others_of(group):
                self._ray.cancel(other)
            yield from outcomes

    def _stop(self, flight: Flight, run: str) -> None:
        """Stop what is at work, and wait until it has ended."""
        refs = flight.refs
        if not refs:
            return
        for ref in refs:
            with contextlib.suppress(Exception):  # A task that has ended cannot be cancelled.
                self._ray.cancel(ref)
        _, refs = self._ray.wait(refs, num_returns=len(refs), timeout=_SOON)
        if not refs:
            return
        self._tasks.tell_to_stop(run)
        _, refs = self._ray.wait(refs, num_returns=len(refs), timeout=_END)
        self._tasks.forget(run)
        for ref in refs:
            self._ray.cancel(ref, force=True)

    def _smallest_node(self) -> int:
        cores = [
            int(node["Resources"].get("CPU", 0)) for node in self._ray.nodes() if node["Alive"]
        ]
        return max(1, min((one for one in cores if one), default=1))


def _connect(ray: Any, address: str | None) -> None:
    if ray.is_initialized():
        return
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address is not None:
            ray.init(address=address, **quiet)
            return
        if "RAY_ADDRESS" not in os.environ:
            with contextlib.suppress(ConnectionError):
                ray.init(address="auto", **quiet)
                return
            quiet["include_dashboard"] = False
        ray.init(**quiet)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        given = f"ray_address={address}" if address else "engine='ray'"
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise EngineError(
            f"{given}: no Ray cluster answers ({reason}); start one with 'ray start --head', and "
            "give the address that it prints"
        ) from None


def _on(node: str) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node, soft=False)


def _unfit(error: Exception) -> EngineError:
    """Return the error for a node where the task did not even begin."""
    reason = str(error).strip().splitlines()[-1]
    return EngineError(
        "a node of the Ray cluster cannot run dsir; is the same dsir installed on every node? "
        f"({reason})"
    )


def _lost(error: Exception, times: int) -> EngineError:
    kind = type(error).__name__
    memory = "OutOfMemory" in kind
    advice = (
        "give memory=... to read less at a time, or fewer threads"
        if memory
        else "look at the nodes, and start the same call again: it goes on where it stopped"
    )
    return EngineError(f"a task lost its worker {times} times ({kind}); {advice}")


def _nearest(path: Location) -> Location:
    """Return the nearest folder above that exists."""
    if not isinstance(path, Path):
        return path
    return next((above for above in path.parents if above.exists()), path)
