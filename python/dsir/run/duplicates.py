"""Duplicates before a draw: found by this process, or by tasks of the engine if there are many."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dsir.progress import ignore
from dsir.remote import Folder
from dsir.settings.draw import DrawSettings
from dsir.settings.machine import Machine
from dsir.stages.duplicates.layout import hashes_a_row
from dsir.stages.duplicates.search import DuplicateSearch
from dsir.stages.repeats import find_repeats
from dsir.stages.shard_scores import ShardScores
from dsir.stages.unit_scores import ChangeableScores, rows_of
from dsir.storage.workdir import Workdir

# Opens the folder of a search; None if there is none and it is not to be made.
OpenSearch = Callable[[bool], Workdir | None]

# Passes of one process over the scores that take less processor time than tasks do.
_FEW_PASSES = 3
_FEW_PASSES_OF_A_DRIVER = 1  # The scores of a large corpus are a burden for one node of a cluster.


def search_in(
    workdir: Workdir,
    name: str,
    scores: Sequence[ShardScores],
    fingerprint: str,
    settings: DrawSettings,
) -> OpenSearch:
    """Return what opens the folder of a search in a work directory.

    Args:
        workdir: the work directory.
        name: the name of the folder.
        scores: the scores of all units.
        fingerprint: of the folder of the scores.
        settings: decide what duplicates are.
    """
    rows = int(rows_of(scores).sum())

    def opened(make: bool) -> Workdir | None:
        if not make and workdir.stage_manifest(name) is None:
            return None
        described = DuplicateSearch.described(settings, rows)
        return workdir.stage(name, {"scores": fingerprint, **described})

    return opened


@contextmanager
def search_beside(folder: Folder) -> Iterator[OpenSearch]:
    """Give what opens a temporary folder for a search that is not resumed.

    It is made when a search begins: beside the given folder, which has room for what tasks write,
    or where the system keeps temporary files if nothing can be written there.
    """
    with ExitStack() as stack:

        def opened(make: bool) -> Workdir | None:
            if not make:
                return None
            beside = folder.parent if isinstance(folder, Path) else None
            if beside is not None and not os.access(beside, os.W_OK | os.X_OK):
                beside = None
            scratch = tempfile.TemporaryDirectory(prefix="dsir-duplicates-", dir=beside)
            return Workdir(Path(stack.enter_context(scratch)) / "search", {}, {}, durable=False)

        yield opened


def find_duplicates(
    scores: ChangeableScores,
    settings: DrawSettings,
    machine: Machine,
    search_folder: OpenSearch | None,
) -> None:
    """Mark the rows that have an earlier duplicate, unless workers have done it.

    Args:
        scores: the scores of all units; this sets which rows are duplicates.
        settings: decide which rows could be selected, and what duplicates are.
        machine: what may be used.
        search_folder: opens the folder for what tasks find; None if tasks cannot share one.
    """
    hashes = int(rows_of(scores).sum()) * hashes_a_row(settings.dedup)
    few = _FEW_PASSES_OF_A_DRIVER if machine.engine.needs_workdir else _FEW_PASSES
    in_files = search_folder is not None and all(unit.place is not None for unit in scores)
    folder = None
    if search_folder is not None and in_files:
        folder = search_folder(hashes > few * machine.memory.hashes)
    if folder is None:
        find_repeats(scores, settings, machine.memory.hashes)
        return
    search = DuplicateSearch(scores, settings, folder, machine.memory.task_hashes)
    if not search.is_done:
        for step in search.steps():
            for _ in machine.engine.run(step.stage, step.tasks, ignore):
                pass
    search.remove_slices()
    search.marked(scores)
