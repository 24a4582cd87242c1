"""A draw by method="coverage": tasks list the n-grams of the pool, and the draw takes by rounds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from dsir.corpus import OnError, Shard
from dsir.engine import Engine
from dsir.model.features import HashedNgrams
from dsir.model.relevance import RelevanceModel
from dsir.settings.draw import DrawSettings
from dsir.settings.machine import Machine
from dsir.stages.coverage import draw_coverage
from dsir.stages.coverage_pool import PoolRows
from dsir.stages.damage.tally import stopping
from dsir.stages.drawn import Draw
from dsir.stages.merged_groups import Groups
from dsir.stages.pool import PoolTask, ShardPool, pool_shard
from dsir.stages.unit_scores import ChangeableScores


class Covered(NamedTuple):
    """What method="coverage" needs beside the scores.

    Attributes:
        model: the model that the scores are from.
        units: the units that were scored, without row groups that are lost.
        folder: where the n-grams of the pool are kept for the time of the draw; None for a
            temporary folder.
    """

    model: RelevanceModel
    units: Sequence[Shard]
    folder: Path | None


def draw_covered(
    scores: ChangeableScores,
    settings: DrawSettings,
    covered: Covered,
    groups: Groups | None,
    machine: Machine,
    on_error: OnError,
) -> Draw:
    """Draw from the scores of all units by coverage.

    Args:
        scores: the scores of every unit, in order.
        settings: how to draw.
        covered: what the method needs beside the scores.
        groups: the values of the quota columns; None without quotas.
        machine: what the draw may use.
        on_error: what to do with a row that cannot be read.

    Raises:
        BudgetError: the budget cannot be met.
    """
    with _pool_folder(covered.folder, machine.engine) as place:

        def listed(pool: Sequence[PoolRows]) -> list[ShardPool]:
            features = (covered.model.features,)
            return list_pool(
                covered.units, pool, features, place, machine, on_error, lambda at: scores[at].kept
            )

        return draw_coverage(
            scores,
            settings,
            covered.model,
            listed,
            machine.engine.threads_here,
            machine.memory.lists,
            groups,
            machine.memory.candidates,
        )


def list_pool(
    units: Sequence[Shard],
    pool: Sequence[PoolRows],
    features: tuple[HashedNgrams, ...],
    folder: Path | None,
    machine: Machine,
    on_error: OnError,
    kept: Callable[[int], Path | None] = lambda _: None,
) -> list[ShardPool]:
    """List the n-grams of some rows, by unit.

    Args:
        units: the units of the corpus.
        pool: the rows, by unit.
        features: the kinds of n-grams to list; all of the same tokens.
        folder: where the lists are kept; None for memory.
        machine: what the stage may use.
        on_error: what to do with a row that cannot be read.
        kept: returns the file of rows that were kept while a unit was scored, if there is one.
    """
    numbers = [number for number, rows in enumerate(pool) if len(rows.rows)]
    threads = machine.engine.threads_inside(len(numbers))
    tasks = [
        PoolTask(
            units[number],
            features,
            on_error,
            *pool[number],
            threads,
            None if folder is None else folder / f"{number:05d}.arrow",
            kept(number),
        )
        for number in numbers
    ]
    found = [ShardPool() for _ in pool]
    size = sum(task.shard.size for task in tasks)
    with (
        machine.reporter.stage("pool", size, "bytes") as advance,
        stopping(machine.engine.run(pool_shard, tasks, advance)) as results,
    ):
        for number, listed in zip(numbers, results, strict=True):
            found[number] = listed
    return found


@contextmanager
def _pool_folder(parent: Path | None, engine: Engine) -> Iterator[Path | None]:
    """Give an empty folder for the n-grams of a pool; None if workers would not see it."""
    if parent is None and not engine.shares_files:
        yield None
        return
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dsir-pool-", dir=parent) as folder:
        yield Path(folder)
