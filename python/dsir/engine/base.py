"""The contract of an engine: it runs the tasks of a stage and returns the results in order."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class Stopped(BaseException):
    """Raised inside a task whose run is over: another task failed, or the user interrupted."""


class Progress(Protocol):
    """What a task calls while it works."""

    def __call__(self, amount: int, /) -> None:
        """Report that this much more is done, in the unit of the stage's total.

        Raises:
            Stopped: the run is over. The task must end now and remove its unfinished files.
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

        The caller merges results as they come and need not hold them all, so an engine keeps a
        bounded number of results waiting. Closing the iterator stops the run.

        Args:
            stage: the function to call with each task.
            tasks: the tasks.
            progress: called with the amounts that tasks report, one call at a time.

        Yields:
            The results, in the order of the tasks.

        Raises:
            Exception: what a task raised. Tasks that have not begun are dropped; tasks at work are
                stopped.
        """
