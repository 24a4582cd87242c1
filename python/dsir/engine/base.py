"""The contract of an engine: it runs the tasks of a stage and returns the results in order."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Protocol, TypeVar

from dsir.progress import ignore
from dsir.remote import Location

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


class Shared:
    """A base class of what all tasks of a stage have in common, such as a model.

    An engine whose workers are in other processes may send it once, and not with every task.
    """

    __slots__ = ()


class Engine(abc.ABC):
    """Runs the tasks of a stage.

    A stage is a function of (task, progress) at the top of a module. Its tasks and results are
    picklable and independent of each other. An engine may run tasks anywhere and in any order, but
    returns the results in the order of the tasks. By the contract of the stages, the results are
    the same for every engine.

    Attributes:
        threads: how many tasks of one thread may run at a time.
        shares_files: whether workers see every file of the caller's machine, including temporary
            files. If not, workers see only what the user named (inputs, `out` and `workdir`, by URL
            or on a disk that all machines mount), and dsir passes nothing from task to task in
            temporary files of its own.
        needs_workdir: whether results go from task to task only in a work directory that all
            workers see, so that a selection needs one.
    """

    threads: int
    shares_files: ClassVar[bool] = True
    needs_workdir: ClassVar[bool] = False

    @property
    def threads_here(self) -> int:
        """How many threads the caller's own process may use."""
        return self.threads

    def threads_inside(self, tasks: int) -> int:
        """Return how many threads each of so many tasks may use, if there are few tasks."""
        return max(1, self.threads // max(1, tasks))

    def check(self, workdir: Location, paths: Sequence[Location]) -> None:
        """Raise, before any work, if a worker does not see what it needs.

        Args:
            workdir: the work directory.
            paths: files and folders that must be there, such as an input.

        Raises:
            EngineError: a worker does not see one of them, or has other versions.
        """
        del workdir, paths

    def run_short(
        self,
        stage: Callable[[Task, Progress], Result],
        tasks: Sequence[Task],
    ) -> Iterator[Result]:
        """Run tasks that take less than it takes to send them elsewhere, such as to read a footer.

        Yields:
            The results, in the order of the tasks.
        """
        return self.run(stage, tasks, ignore)

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
            progress: called with the amounts that tasks report, one call at a time, and with 0 now
                and then while tasks are at work.

        Yields:
            The results, in the order of the tasks. Arrays in them may be read-only.

        Raises:
            Exception: what a task raised. The tasks behind it are dropped, or stopped if they run.
                The local engine lets the tasks before it run to their end, so that of several
                failures it raises the one of the first task, for any number of threads.
        """
