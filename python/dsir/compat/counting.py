"""Counts the n-grams of one dataset for the fit; each virtual shard has a share of the budget."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.compat.dataset import Dataset
from dsir.compat.ngram_counts import Tokenizer, add_ngrams, features_in_core
from dsir.corpus import TextBatch
from dsir.corpus.bad_text import why_bad
from dsir.engine import Progress
from dsir.errors import SettingError
from dsir.model.features import HashedNgrams

AUTO_NGRAMS_PER_BUCKET = 100_000


@dataclass(frozen=True, slots=True)
class CountTask:
    """Count one dataset.

    Attributes:
        dataset: the dataset.
        num_shards: number of virtual shards of the dataset.
        limit: a virtual shard stops after the example that takes its n-grams above this number;
            -1 for no limit.
        n, buckets, tokenizer: the features.
        threads: number of threads to use.
    """

    dataset: Dataset
    num_shards: int
    limit: int
    n: int
    buckets: int
    tokenizer: Tokenizer
    threads: int


def share_of(num_tokens: object, num_shards: int) -> int:
    """Return each virtual shard's share of a budget of n-grams; -1 for no limit.

    Raises:
        SettingError: the budget is not a number, or is negative.
    """
    if num_tokens is None:
        return -1
    if (
        not isinstance(num_tokens, int | float | np.integer | np.floating)
        or isinstance(num_tokens, bool)
        or not 0 <= num_tokens < float("inf")
    ):
        raise SettingError(
            f"num_tokens_to_fit={num_tokens!r}: expected 'auto', 'all' or a number, 0 or more"
        )
    return int(num_tokens // num_shards)


def count_dataset(task: CountTask, progress: Progress) -> npt.NDArray[np.int64]:
    """Count the n-grams of a dataset: int64[buckets].

    Raises:
        InputError: the dataset cannot be read.
    """
    counts = np.zeros(task.buckets, dtype=np.int64)
    features = features_in_core(task.n, task.buckets, task.tokenizer)
    if features is None:
        _count_in_python(task, counts, progress)
        return counts
    # What is left of the share of each virtual shard that has not stopped.
    left = dict.fromkeys(range(task.num_shards), task.limit)
    for batch in task.dataset.texts(task.threads, progress):
        if task.limit < 0:
            _count(task, batch.unit_row, batch.text, counts, -1, features)
            continue
        for shard in list(left):
            first, text = _texts_of_shard(batch, shard, task.num_shards)
            left[shard] -= _count(task, first, text, counts, left[shard], features)
            if left[shard] < 0:
                del left[shard]
        if not left:
            break
    return counts


def _texts_of_shard(batch: TextBatch, shard: int, num_shards: int) -> tuple[int, pa.Array]:
    """Return the row of the first text of a virtual shard in a batch, and all of its texts."""
    if num_shards == 1:
        return batch.unit_row, batch.text
    first = (shard - batch.unit_row) % num_shards
    positions = np.arange(first, len(batch.text), num_shards)
    return batch.unit_row + first, batch.text.take(pa.array(positions))


def _count(
    task: CountTask,
    first_row: int,
    text: pa.Array,
    counts: npt.NDArray[np.int64],
    limit: int,
    features: HashedNgrams,
) -> int:
    _, ngrams, _, _, invalid = _core.count(
        features.prepared(text), features.spec, counts, limit=limit, threads=task.threads
    )
    if len(invalid):
        position = int(invalid[0])
        step = 1 if limit < 0 else task.num_shards
        raise task.dataset.bad_example(first_row + step * position, why_bad(text, position))
    return ngrams


def _count_in_python(task: CountTask, counts: npt.NDArray[np.int64], progress: Progress) -> None:
    left = dict.fromkeys(range(task.num_shards), task.limit)
    for number, (_, text) in enumerate(task.dataset.examples(progress)):
        shard = number % task.num_shards
        if shard not in left:
            continue
        added = add_ngrams(task.tokenizer("" if text is None else text.lower()), task.n, counts)
        if task.limit < 0:
            continue
        left[shard] -= added
        if left[shard] < 0:
            del left[shard]
            if not left:
                break
