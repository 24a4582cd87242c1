"""The contract of an engine: run these shard tasks, hand their results over in order."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class Stopped(BaseException):
    """Raised inside a task whose run is over: another task failed, or the user interrupted."""


class Progress(Protocol):
    """What a task tells while it works."""

    def __call__(self, amount: int, /) -> None:
        """Say that this much more (in the unit of the stage's total) is done.

        Raises:
            Stopped: the task is to end now. Its unfinished files are to be removed.
        """


class Engine(abc.ABC):
    """Runs the tasks of a stage.

    A stage is a function of (task, progress) at the top of a module; tasks and results are
    picklable and independent of each other. An engine may run them anywhere and in any order: the
    results it returns are in the order of the tasks, and by the contract of the stages they are the
    same for every engine.

    Attributes:
        threads: how many threads (or their like) may work at a time.
        shares_files: whether workers see every file of the machine of the caller, temporary ones
            included. If not, workers find what the user named (inputs, `out`, `workdir`: by URL, or
            on a disk that all machines mount), and dsir hands nothing from one task to another in
            temporary files of its own.
    """

    threads: int
    shares_files: ClassVar[bool] = True

    @abc.abstractmethod
    def run(
        self,
        stage: Callable[[Task, Progress], Result],
        tasks: Sequence[Task],
        progress: Callable[[int], None],
    ) -> Iterator[Result]:
        """Run all tasks.

        Results are handed over as they come, in the order of the tasks, so that whoever merges them
        need not hold them all; an engine keeps no more than a bounded number of them waiting.
        Closing the iterator stops the run.

        Args:
            stage: what to do with each.
            tasks: what to do it with.
            progress: called with the amounts that tasks report, one call at a time.

        Yields:
            The results, in the order of the tasks.

        Raises:
            Exception: what a task raised. The tasks that have not begun are dropped, those at work
                are stopped.
        """
