"""The workers of a planned run: they share the units of a stage, and one makes what all need."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from dsir.errors import InputError
from dsir.run.pipeline import Pipeline
from dsir.run.shared_tasks import PlacedTask, Share, SharedTasks
from dsir.storage.workdir import Workdir
from dsir.storage.workers import Worker

# Seconds between two looks at what another worker makes: at first, and at most.
_FIRST_LOOK, _LOOK = 0.05, 1.0

Made = TypeVar("Made")
SharedTask = TypeVar("SharedTask", bound=PlacedTask)


@dataclass(slots=True)
class WorkDone:
    """What a worker did.

    Attributes:
        units: units that this worker finished.
        complete: whether workers can do no more, up to the stage that was asked for.
        left: what is left and why, a line each.
    """

    units: int = 0
    complete: bool = True
    left: list[str] = field(default_factory=list)


class Crew:
    """All workers, as one of them works with the others.

    Args:
        workdir: the work directory of the run.
        plan: the fingerprint of the run; notes of another run count for nothing.
        worker: this worker.
        share: the units to do first.
        pipeline: runs tasks and tells progress.
        skips: whether row groups that cannot be read may be passed over.

    Attributes:
        done: what this worker did.
    """

    def __init__(
        self,
        workdir: Workdir,
        plan: str,
        worker: Worker,
        share: Share,
        pipeline: Pipeline,
        *,
        skips: bool,
    ) -> None:
        self._workdir = workdir
        self._plan = plan
        self._worker = worker
        self._share = share
        self._pipeline = pipeline
        self._skips = skips
        self.done = WorkDone()

    def noted(self, name: str) -> dict[str, Any] | None:
        """Return a note of this plan; None if there is none."""
        note = self._workdir.kept(name)
        return note if note is not None and note.get("plan") == self._plan else None

    def note(self, name: str, make: Callable[[], object]) -> dict[str, Any]:
        """Make something, and note it."""
        make()
        note = {"plan": self._plan}
        self._workdir.keep(name, note)
        return note

    def share_out(
        self,
        name: str,
        stage: Callable[..., object],
        tasks: Sequence[SharedTask],
        sizes: npt.ArrayLike,
        unit: str,
    ) -> bool:
        """Do the tasks of a stage with the other workers; return whether all are done."""
        of_tasks = np.asarray(sizes, dtype=np.int64)
        shared = SharedTasks(tasks, of_tasks, self._worker, self._share)
        if shared.all_done:
            return True
        with self._pipeline.reporter.stage(name, int(of_tasks.sum()), unit) as advance:
            shared.run(stage, self._pipeline.engine, advance)
        self.done.units = self._worker.units
        for failure in shared.failures:
            self.done.left.append(self._said(failure))
        self.done.complete = not shared.failures
        return self.done.complete

    def _said(self, failure: InputError) -> str:
        if failure.row_group is not None and self._skips:
            return f"{failure}; 'dsir finish' draws again without this row group"
        return str(failure)

    def once(self, name: str, found: Callable[[], Made | None], make: Callable[[], Made]) -> Made:
        """Return what one worker makes for all: found, made here, or waited for."""
        waiting, pause = False, _FIRST_LOOK
        while True:
            made = found()
            if made is not None:
                return made
            if self._worker.claim(name):
                try:
                    made = found()
                    return make() if made is None else made
                finally:
                    self._worker.release(name)
            if not waiting:
                self._pipeline.reporter.note(f"waiting for the {name} of another worker")
                waiting = True
            time.sleep(pause)
            pause = min(_LOOK, 2 * pause)
