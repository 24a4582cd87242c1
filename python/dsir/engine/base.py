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

    A stage is a function of (task, progress) at the top of a module. Its tasks and results are
    picklable and independent of each other. An engine may run tasks anywhere and in any order, but
    returns the results in the order of the tasks. By the contract of the stages, the results are
    the same for every engine.

    Attributes:
        threads: how many threads, or other workers, may run at a time.
        shares_files: whether workers see every file of the caller's machine, including temporary
            files. If not, workers see only what the user named (inputs, `out` and `workdir`, by URL
            or on a disk that all machines mount), and dsir passes nothing from task to task in
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

        The caller merges results as they come, so that not all of them are in memory; therefore an
        engine lets only a bounded number of results wait. Closing the iterator stops the run.

        Args:
            stage: the function to call with each task.
            tasks: the tasks.
            progress: called with each amount that a task reports, one call at a time.

        Yields:
            The results, in the order of the tasks.

        Raises:
            Exception: what a task raised. The tasks behind it are dropped, or stopped if they run.
                The local engine lets the tasks before it run to their end, so that of several
                failures it raises the one of the first task, for any number of threads.
        """
