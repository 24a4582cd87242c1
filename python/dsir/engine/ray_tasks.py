"""What Ray's workers run: some tasks of a stage, and the check of a node.

Ray starts a process for each of its tasks at a time and keeps it for later ones. A stage works in a
thread, so that Ray's cancellation, a KeyboardInterrupt in the main thread, can stop it as
`Engine.run` asks.
"""

from __future__ import annotations

import dataclasses
import platform
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import ray
from ray.experimental import internal_kv as _kv

from dsir.engine.base import Progress, Shared, Stopped
from dsir.errors import DsirError, EngineError
from dsir.remote import Location
from dsir.version import __version__

_LOOK = (
    3.0  # Seconds between two looks whether a run is over: 10,000 tasks ask 3,000 times a second.
)
_KEY = "dsir-stop-"
_LARGE = 1 << 16  # Bytes of an array that is sent once, and not with every task.
_MOST_KEPT = 8  # Objects that a worker keeps of those that were sent once.


@dataclass(frozen=True, slots=True)
class Sent:
    """Stands for an object that the driver has put into Ray's store.

    Attributes:
        ref: the object.
    """

    ref: ray.ObjectRef[Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended.

    Attributes:
        state: done, failed, or stopped.
        value: the result, or the error.
        cause: the cause of the error.
        amount: the progress that the task reported.
        seconds: how long it took.
        node: where it ran.
        begun: when it began, in seconds since 1970 by the clock of the node.
        cpu_seconds: processor time of the worker's process in that time.
    """

    state: Literal["done", "failed", "stopped"]
    value: Any = None
    cause: BaseException | None = None
    amount: int = 0
    seconds: float = 0.0
    node: str = ""
    begun: float = 0.0
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What a node says of itself.

    Attributes:
        host: its name.
        versions: of the libraries that results depend on.
        missing: the paths that it does not see.
        wrote: whether it could write the file that it was told to.
        why: the error, if not.
    """

    host: str
    versions: dict[str, str]
    missing: list[str]
    wrote: bool
    why: str


def versions() -> dict[str, str]:
    """Return the versions that may change a result, or the bytes of a file."""
    return {
        "dsir": __version__,
        "pyarrow": pa.__version__,
        "Python": ".".join(map(str, sys.version_info[:2])),
    }


def differing(mine: Mapping[str, str], other: Mapping[str, str]) -> str:
    """Say which versions differ; "" if none does."""
    return ", ".join(
        f"{name} {other.get(name, '?')} where the driver has {version}"
        for name, version in mine.items()
        if other.get(name) != version
    )


def packed(task: Any, put: Callable[[Any], ray.ObjectRef[Any]]) -> Any:
    """Return a task as it travels: what all tasks share is sent once."""
    if not dataclasses.is_dataclass(task) or isinstance(task, type):
        return task
    sent = {
        field.name: Sent(put(value))
        for field in dataclasses.fields(task)
        if is_sent_once(value := getattr(task, field.name))
    }
    return dataclasses.replace(task, **sent) if sent else task


def is_sent_once(value: object) -> bool:
    """Tell whether an object is sent once, and not with every task."""
    return isinstance(value, Shared) or (isinstance(value, np.ndarray) and value.nbytes >= _LARGE)


_kept: OrderedDict[str, Any] = OrderedDict()
_keeping = threading.Lock()


def unpacked(task: Any) -> Any:
    """Return a task as its stage takes it."""
    if not dataclasses.is_dataclass(task) or isinstance(task, type):
        return task
    got = {
        field.name: _got(value)
        for field in dataclasses.fields(task)
        if isinstance(value := getattr(task, field.name), Sent)
    }
    return dataclasses.replace(task, **got) if got else task


def _got(sent: Sent) -> Any:
    name = sent.ref.hex()
    with _keeping:
        if name not in _kept:
            _kept[name] = ray.get(sent.ref)
            while len(_kept) > _MOST_KEPT:
                _kept.popitem(last=False)
        _kept.move_to_end(name)
        return _kept[name]


Call = tuple[Callable[[Any, Progress], Any], Sequence[tuple[int, Any]], dict[str, str], str]


def run_tasks(call: Call) -> list[tuple[int, Outcome]]:
    """Run tasks on a worker, one after another; whatever they raise is in their outcomes.

    Args:
        call: a stage; its tasks, each with its number; the versions of the driver; and the name of
            the run, see `tell_to_stop`.

    Returns:
        The number and the outcome of each. Tasks that the run no longer needs have none: of the
        numbers above one that has failed, and those behind one that was stopped.
    """
    stage, tasks, wanted, run = call
    host = platform.node()
    other = differing(wanted, versions())
    if other:
        # A node that has joined since the check.
        return [
            (tasks[0][0], Outcome("failed", EngineError(f"node {host}: has {other}"), node=host))
        ]
    stop = threading.Event()
    found: list[tuple[int, Outcome]] = []

    claim, ended = threading.Lock(), threading.Event()

    def work() -> None:
        if not claim.acquire(blocking=False):
            return  # Another thread of this call was first.
        failed: int | None = None  # The first in order, of those that have failed.
        try:
            for number, task in tasks:
                if failed is not None and number > failed:
                    continue
                outcome = _outcome(stage, task, stop, host)
                found.append((number, outcome))
                if outcome.state == "stopped":
                    break
                if outcome.state == "failed":
                    failed = number
        finally:
            ended.set()

    while not ended.is_set():
        try:
            # Ray's interrupt may meet the start of a thread, and then nobody knows whether there is
            # one. So another may be started, and the one that comes first works.
            if not claim.locked():
                threading.Thread(target=work, name="dsir-task", daemon=True).start()
            ended.wait(_LOOK)
            if not ended.is_set() and not stop.is_set() and is_told_to_stop(run):
                stop.set()
        except KeyboardInterrupt:
            stop.set()
    return found


def _outcome(
    stage: Callable[[Any, Progress], Any], task: Any, stop: threading.Event, host: str
) -> Outcome:
    """Run one task until it ends, or until it reports progress after `stop` was set."""
    begun, clock, processor = time.monotonic(), time.time(), time.process_time()
    amount = 0

    def report(more: int, /) -> None:
        nonlocal amount
        if stop.is_set():
            raise Stopped
        amount += more

    try:
        report(0)
        value = stage(unpacked(task), report)
    except Stopped:
        return Outcome("stopped", node=host)
    except BaseException as error:  # noqa: BLE001 - it is raised where the caller is
        return Outcome("failed", sendable(error), _cause_of(error), node=host)
    seconds = time.monotonic() - begun
    used = time.process_time() - processor
    return Outcome("done", value, None, amount, seconds, host, clock, used)


def tell_to_stop(run: str) -> None:
    """Tell the tasks of a run to stop, those too that Ray's cancellation has missed.

    It misses a task that begins at the same moment, or whose interrupt Python drops.
    """
    _kv._internal_kv_put(_KEY + run, b"")


def forget(run: str) -> None:
    """Take back what `tell_to_stop` has told."""
    _kv._internal_kv_del(_KEY + run)


def is_told_to_stop(run: str) -> bool:
    """Tell whether the tasks of a run are to stop."""
    return bool(_kv._internal_kv_exists(_KEY + run))


def sendable(error: BaseException) -> BaseException:
    """Return an error that survives the way to another process."""
    try:
        copied = ray.cloudpickle.loads(ray.cloudpickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever the error's own code raises
        copied = None
    if type(copied) is type(error):
        return error.with_traceback(None)
    return DsirError(f"{type(error).__name__}: {error}")


def _cause_of(error: BaseException) -> BaseException | None:
    return None if error.__cause__ is None else sendable(error.__cause__)


def look_around(paths: list[Location], token: Location, reply: Location) -> NodeReport:
    """Say what a node sees, and answer in the work directory."""
    missing = [str(path) for path in (*paths, token) if not path.exists()]
    wrote, why = True, ""
    try:
        leave(reply)
    except OSError as error:
        wrote, why = False, str(error)
    return NodeReport(platform.node(), versions(), missing, wrote, why)


def leave(place: Location) -> None:
    """Write an empty file."""
    import tempfile
    from pathlib import Path

    if isinstance(place, Path):
        place.touch()
        return
    with tempfile.NamedTemporaryFile(prefix="dsir-") as file:
        place.upload(Path(file.name))
