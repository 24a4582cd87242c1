"""Which tasks of a stage are with Ray: tasks that take moments go there several at a time.

What Ray, its daemons and the driver do for a task takes 6 ms of processor time. Tasks of a stage
may take 5 ms, or minutes. So as many of them are one task of Ray, here a group, as take about a
second together, by what those that have ended took. They stay tasks of their own in all else: each
has its result, its progress and its error, and those of a lost group are sent again one by one.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

_GROUP_SECONDS = 1.0  # Tasks of a group take about so long together.
_MOST_IN_GROUP = 8
_ROUNDS = 2  # No group takes more than each core's part of what is left, in so many rounds.


@dataclass(slots=True, eq=False)
class Group:
    """Tasks that are one task of Ray.

    Attributes:
        numbers: of the tasks, in the order in which they run.
        threads: how many threads a task uses.
        since: when the group was first submitted.
        refs: Ray's references to the copies of the group that are at work, the oldest first.
        lost: how often a worker of these tasks was lost.
    """

    numbers: tuple[int, ...]
    threads: int
    since: float = field(default_factory=time.monotonic)
    refs: list[Any] = field(default_factory=list)
    lost: int = 0


@dataclass(slots=True)
class Flight:
    """The groups of one run that were submitted, and have not ended.

    Attributes:
        of_ref: the group of each of Ray's references.
        group_seconds: how long the last groups took.
        task_seconds: how long the last tasks took.
    """

    of_ref: dict[Any, Group] = field(default_factory=dict)
    group_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    task_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=100))

    @property
    def groups(self) -> list[Group]:
        """The groups, each once."""
        return list(dict.fromkeys(self.of_ref.values()))

    @property
    def refs(self) -> list[Any]:
        """Ray's references to all copies."""
        return list(self.of_ref)

    @property
    def threads(self) -> int:
        """How many threads the groups use, the copies not counted."""
        return sum(group.threads for group in self.groups)

    def add(self, group: Group, ref: Any) -> None:
        """Note that a copy of a group was submitted."""
        group.refs.append(ref)
        self.of_ref[ref] = group

    def ended(self, ref: Any) -> Group | None:
        """Forget a copy that ended, and return its group; None if another copy was first."""
        group = self.of_ref.pop(ref, None)
        if group is not None:
            group.refs.remove(ref)
        return group

    def others_of(self, group: Group) -> list[Any]:
        """Forget the copies of a group that are still at work, and return them."""
        refs, group.refs = group.refs, []
        for ref in refs:
            del self.of_ref[ref]
        return refs

    def note(self, seconds: Sequence[float]) -> None:
        """Note how long the tasks of a group took."""
        self.group_seconds.append(sum(seconds))
        self.task_seconds.extend(seconds)

    def next_group(self, left: deque[int], limit: int, threads: int) -> tuple[int, ...]:
        """Take the next tasks off those that are left.

        Args:
            left: the numbers of the tasks; one at least, and the first is below `limit`.
            limit: tasks from this number on must wait.
            threads: how many tasks of one thread run at a time.
        """
        numbers = [left.popleft()]
        most = self._most_in_group(len(left) + 1, threads)
        while left and len(numbers) < most and left[0] < limit:
            numbers.append(left.popleft())
        return tuple(numbers)

    def _most_in_group(self, left: int, threads: int) -> int:
        if not self.task_seconds:
            return 1
        seconds = max(statistics.fmean(self.task_seconds), 1e-6)
        # Less and less towards the end, so that all cores end together.
        fair = left // (_ROUNDS * threads)
        return max(1, min(_MOST_IN_GROUP, int(_GROUP_SECONDS / seconds), fair))


def threads_of(tasks: Iterable[object]) -> int:
    """Return how many threads tasks use that run one after another; a task says it itself."""
    found = (getattr(task, "threads", 1) for task in tasks)
    return max(threads if isinstance(threads, int) else 1 for threads in found)


def size_of(task: object) -> int:
    """Return how large a task is, in bytes or rows, if it says so."""
    for name in ("shard", "output", "scores"):
        part = getattr(task, name, None)
        size = getattr(part, "size", None)
        if size is None:
            size = getattr(part, "rows", None)
        if isinstance(size, int):
            return size
    return 0
