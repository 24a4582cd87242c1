"""The count stage: how many n-grams of one shard fall into each bucket."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.corpus import OnError, Shard
from dsir.corpus.bad_text import bad_text_error
from dsir.corpus.batches import BATCH_BYTES, text_bytes
from dsir.corpus.failing_rows import naming_row
from dsir.corpus.shard_progress import ShardProgress
from dsir.corpus.skipped import Skipped, bad_rows_of, from_marker, skipped_rows
from dsir.engine import Progress
from dsir.model.features import HashedNgrams
from dsir.stages.damage.row_groups import or_skipped
from dsir.stages.kept.lines import LineSpool
from dsir.stages.sums import load_array
from dsir.storage.marker import Marker
from dsir.storage.place import Place

_LEAST_BATCH = 1 << 16
_BYTES_PER_NGRAM = 4  # Bytes of text, roughly.
_NUMBERS = ("ngrams", "documents", "tokens", "rows", "source_rows", "text_bytes")


@dataclass(frozen=True, slots=True)
class CountTask:
    """Count one shard.

    Attributes:
        limit: stop after the document that takes the n-grams above this number; -1 for no limit.
        place: where the result is stored; None to store nothing.
        spool: the file that decompressed lines are written to, for scoring; None to decompress
            them again.
        most_bad: stop after the batch that takes the bad rows above this number; None for no limit.
    """

    shard: Shard
    features: HashedNgrams
    limit: int
    on_error: OnError
    threads: int
    place: Place | None
    spool: Path | None = None
    most_bad: int | None = None


@dataclass(slots=True)
class ShardCounts:
    """What was counted in one shard, or in several.

    Attributes:
        counts: int64[buckets].
        ngrams: the sum of the counts.
        documents: rows that have a token.
        tokens: tokens of these rows.
        rows: rows read; if documents are cut into windows, windows.
        source_rows: input rows read.
        text_bytes: bytes of text read.
        kept_bytes: those of them that an earlier run read, whose result was kept.
        skipped: the bad rows, or the whole shard if it could not be read.
        spooled: for each shard in order, the file of its decompressed lines, or None.
        unit_rows: for each shard in order, its rows, or None if it was not read to the end.
        file_rows: for each file of a corpus in order, the rows read; empty for a single shard.
        given_up: whether counting stopped because too many rows were bad.
        stored: where counts are stored that are not in `counts`.
    """

    counts: npt.NDArray[np.int64]
    ngrams: int = 0
    documents: int = 0
    tokens: int = 0
    rows: int = 0
    source_rows: int = 0
    text_bytes: int = 0
    kept_bytes: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    spooled: list[Path | None] = field(default_factory=lambda: [None])
    unit_rows: list[int | None] = field(default_factory=lambda: [None])
    file_rows: list[int] = field(default_factory=list)
    given_up: bool = False
    stored: list[Place] = field(default_factory=list)

    @property
    def bad(self) -> int:
        """How many rows could not be read."""
        return sum(entry.rows for entry in self.skipped)

    @property
    def known_source_rows(self) -> int | None:
        """Input rows in the shard; None if the shard could not be read, so nobody counted them."""
        lost = any(entry.row is None for entry in self.skipped)
        return None if lost else self.source_rows

    def add(self, other: ShardCounts) -> None:
        """Add what was counted in the shards that follow."""
        if other.stored:
            self.stored += other.stored
        else:
            self.counts += other.counts
        for name in (*_NUMBERS, "kept_bytes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.skipped += other.skipped
        self.spooled += other.spooled
        self.unit_rows += other.unit_rows


def count_shard(task: CountTask, progress: Progress) -> ShardCounts:
    """Count the n-grams of one shard.

    Raises:
        InputError: the shard, or with on_error="raise" one of its rows, cannot be read.
    """
    if task.place is not None and (marker := task.place.finished()) is not None:
        progress(task.shard.size)
        return _with_unit_rows(_load(task.place, marker, task.features.buckets), task.limit)

    def run(shard: Shard, progress: Progress) -> ShardCounts:
        return _count(replace(task, shard=shard), progress)

    def skipped(entry: Skipped) -> ShardCounts:
        return ShardCounts(np.zeros(task.features.buckets, dtype=np.int64), skipped=[entry])

    result = or_skipped(task.shard, task.on_error, progress, run, skipped)
    if task.place is not None and not result.given_up:
        _save(task.place, result)
    return _with_unit_rows(result, task.limit)


def count_stored(task: CountTask, progress: Progress) -> ShardCounts:
    """Count as `count_shard` does, and return no counts: they are stored in the task's place."""
    result = count_shard(task, progress)
    assert task.place is not None
    if result.given_up:  # It is not stored, and the run ends.
        return result
    return replace(result, counts=np.zeros(0, dtype=np.int64), stored=[task.place])


def _with_unit_rows(result: ShardCounts, limit: int) -> ShardCounts:
    cut_short = result.given_up or 0 <= limit < result.ngrams
    result.unit_rows = [None if cut_short else result.rows]
    return result


def _count(task: CountTask, progress: Progress) -> ShardCounts:
    if task.spool is None:
        return _count_batches(task, progress, None)
    with LineSpool(task.spool) as spool:
        result = _count_batches(task, progress, spool)
    result.spooled = [spool.finished()]
    return result


def _count_batches(task: CountTask, progress: Progress, spool: LineSpool | None) -> ShardCounts:
    shard, spec = task.shard, task.features.spec
    shard.check_unchanged()
    result = ShardCounts(np.zeros(task.features.buckets, dtype=np.int64))
    travel = ShardProgress(shard, progress)
    # A small limit needs only the first rows, so small batches avoid decoding many more.
    enough = None if task.limit < 0 else _LEAST_BATCH + _BYTES_PER_NGRAM * task.limit
    batches = shard.text_batches(
        on_error=task.on_error,
        threads=task.threads,
        batch_bytes=None if enough is None or enough > BATCH_BYTES else enough,
    )
    for batch in batches:
        limit = -1 if task.limit < 0 else task.limit - result.ngrams
        with naming_row(shard, batch, task.features.attempt):
            rows, ngrams, documents, tokens, invalid = _core.count(
                task.features.prepared(batch.text),
                spec,
                result.counts,
                limit=limit,
                threads=task.threads,
            )
        if len(invalid) and task.on_error == "raise":
            file_row = shard.rows_before() + batch.unit_row
            raise bad_text_error(shard.name, file_row, batch.text, int(invalid[0]))
        bad = bad_rows_of(batch, invalid.tolist())
        result.skipped += skipped_rows(shard.name, bad)
        result.ngrams += ngrams
        result.documents += documents
        result.tokens += tokens
        result.rows += rows
        result.source_rows += rows if batch.origin is None else batch.origin.documents
        result.text_bytes += text_bytes(batch.text)
        if spool is not None:
            spool.add(batch)
        if task.most_bad is not None and result.bad > task.most_bad:
            result.given_up = True
            return result
        travel.to(batch)
        if 0 <= task.limit < result.ngrams:
            if spool is not None:
                spool.give_up()
            break
    travel.arrive()
    return result


def _save(place: Place, result: ShardCounts) -> None:
    with place.file(".npy") as file:
        np.save(file, result.counts)
    place.finish(
        {
            **{name: getattr(result, name) for name in _NUMBERS},
            "skipped": [skipped.to_marker() for skipped in result.skipped],
        }
    )


def _load(place: Place, marker: Marker, buckets: int) -> ShardCounts:
    numbers: dict[str, Any] = {name: marker.whole(name) for name in _NUMBERS}
    skipped = marker.entries("skipped", from_marker)
    counts = load_array(place, (buckets,))
    kept = numbers["text_bytes"]
    return ShardCounts(counts, **numbers, kept_bytes=kept, skipped=skipped)
