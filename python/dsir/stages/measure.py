"""The measure stage: numbers for the candidates of one shard, by columns and by models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir.corpus import Shard
from dsir.corpus.number_column import numbers_of
from dsir.engine import Progress
from dsir.model.estimator import Estimator
from dsir.stages.plan import Piece
from dsir.stages.sample import ShardRows
from dsir.stages.take import taken_rows


@dataclass(frozen=True, slots=True)
class MeasureTask:
    """Measure the candidates of one shard.

    Attributes:
        rows: the candidates.
        columns: columns of numbers.
        models: models of one log-weight a text.
    """

    shard: Shard
    rows: ShardRows
    columns: tuple[str, ...]
    models: tuple[Estimator, ...]
    threads: int


def measure_shard(task: MeasureTask, progress: Progress) -> npt.NDArray[np.float64]:
    """Return a number for each column and then each model, float64[measures, candidates].

    Raises:
        InputError: the candidates cannot be read, or a column has no number for one of them.
    """
    measured = [np.zeros((len(task.columns) + len(task.models), 0))]
    piece = Piece(task.shard, task.rows, 0, task.rows.selected)
    for _, taken, _, _ in taken_rows((piece,), task.threads):
        values = [numbers_of(taken, column, task.shard) for column in task.columns]
        for model in task.models:
            [log_weight] = model.score_batch(taken.text, threads=task.threads).log_weight
            values.append(log_weight)
        measured.append(np.stack(values))
        progress(len(taken.rows))
    return np.concatenate(measured, axis=1)
