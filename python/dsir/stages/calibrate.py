"""Measures how relevant the documents of a target are to the target without them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.corpus import OnError, Shard
from dsir.corpus.shard_progress import ShardProgress
from dsir.engine import Progress
from dsir.model.features import HashedNgrams
from dsir.model.relevance import PRIOR
from dsir.stages.damage.row_groups import passing_over


@dataclass(frozen=True, slots=True)
class CalibrateTask:
    """Measure the documents of one shard of a target.

    Attributes:
        target: int64[buckets], n-grams of the whole target.
        raw: int64[buckets], n-grams of raw.
    """

    shard: Shard
    features: HashedNgrams
    target: npt.NDArray[np.int64]
    raw: npt.NDArray[np.int64]
    on_error: OnError
    threads: int


def calibrate_shard(
    task: CalibrateTask, progress: Progress
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint32]]:
    """Return the relevance and the tokens of the documents that have a token, in order.

    Raises:
        InputError: see `passing_over`.
    """
    return passing_over(
        task.shard,
        task.on_error,
        progress,
        lambda shard, progress: _calibrate(replace(task, shard=shard), progress),
        (np.zeros(0), np.zeros(0, np.uint32)),
    )


def _calibrate(
    task: CalibrateTask, progress: Progress
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint32]]:
    others = _core.LeftOneOut(task.target, task.raw, PRIOR)
    travel = ShardProgress(task.shard, progress)
    task.shard.check_unchanged()
    found = [np.zeros(0)]
    lengths = [np.zeros(0, np.uint32)]
    for batch in task.shard.text_batches(on_error=task.on_error, threads=task.threads):
        relevance, tokens = others.score(
            task.features.prepared(batch.text), task.features.spec, threads=task.threads
        )
        found.append(relevance[tokens > 0])
        lengths.append(tokens[tokens > 0])
        travel.to(batch)
    travel.arrive()
    return np.concatenate(found), np.concatenate(lengths)
