"""An engine that shares the tasks of a draw with the other workers of a planned run.

Every worker makes the same calls and gets the results of all tasks, whichever worker ran them, so
each finds the threshold by itself and none reads all scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dsir.engine import Engine, Progress, Tasks
from dsir.run.shared_tasks import Share, SharedTasks
from dsir.stages.draw_results import StoredTask, load_result, run_stored
from dsir.storage.workdir import Workdir
from dsir.storage.workers import Worker

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class SharedEngine(Engine):
    """Runs tasks of `stages.draw_apart` between workers.

    Args:
        folder: the folder of the results.
        worker: makes the claims.
        share: the tasks to do first.
        engine: runs the tasks of this worker.
    """

    def __init__(self, folder: Workdir, worker: Worker, share: Share, engine: Engine) -> None:
        self._folder = folder
        self._worker = worker
        self._share = share
        self._engine = engine
        self._runs = 0

    @property
    def threads(self) -> int:  # type: ignore[override]  # Others fix it.
        """One: how tasks are cut must not depend on the worker."""
        return 1

    def run(
        self,
        stage: Callable[[Any, Progress], Any],
        tasks: Sequence[Any],
        progress: Callable[[int], None],
    ) -> Iterator[Any]:
        """Run all tasks with the other workers; see `Engine.run`."""
        name = _word(self._runs)
        self._runs += 1
        places = self._folder

        def stored_task(number: int) -> StoredTask:
            return StoredTask(stage, tasks[number], places.place(f"{name}-{number:05d}"))

        stored = Tasks(len(tasks), stored_task)
        shared = SharedTasks(stored, [1] * len(stored), self._worker, self._share)
        if not shared.all_done:
            shared.run(run_stored, self._engine, progress)
        for failure in shared.failures:
            raise failure
        for task in stored:
            yield load_result(task.place)


def _word(number: int) -> str:
    """Return a word for a number; names of results are words and a number."""
    word = _LETTERS[number % len(_LETTERS)]
    return word if number < len(_LETTERS) else _word(number // len(_LETTERS) - 1) + word
