"""The sample stage: one threshold for the corpus, then the selected rows of every shard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.budget import Budget
from dsir.engine import Progress
from dsir.errors import BudgetError, WorkdirError
from dsir.metrics import EffectiveSampleSize
from dsir.primitive_arrays import to_arrow, to_numpy
from dsir.sampling import KeyRule, Run, Threshold, find_threshold, selected_positions
from dsir.stages.score import ShardScores
from dsir.stages.score_table import Scores
from dsir.workdir import Place

_SCHEMA = pa.schema(
    [
        pa.field("shard_row", pa.int64(), nullable=False),
        pa.field("log_weight", pa.float64(), nullable=False),
        pa.field("bytes", pa.uint32(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class DrawSettings:
    """How to draw.

    Attributes:
        budget: how much.
        rule: by which keys.
        min_tokens: documents with fewer are never selected; nor are those without any.
        allow_fewer: take all where the budget asks for more than is eligible.
    """

    budget: Budget
    rule: KeyRule
    min_tokens: int
    allow_fewer: bool

    def eligible(self, scores: Scores) -> npt.NDArray[np.uint8]:
        """Return 1 for each row that may be selected, uint8."""
        return (scores.tokens >= max(1, self.min_tokens)).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn: everything needed to say of any row whether it is selected.

    Attributes:
        rows: rows of the corpus.
        eligible: documents that might have been selected.
        eligible_tokens: tokens in these.
        effective_sample_size: of these, at the temperature of the draw.
    """

    rule: KeyRule
    threshold: Threshold
    rows: int
    eligible: int
    eligible_tokens: int
    effective_sample_size: float


def draw(shards: Sequence[ShardScores], settings: DrawSettings, threads: int) -> Draw:
    """Find the threshold of a corpus, from the scores of its shards in order.

    Raises:
        BudgetError: the budget cannot be met.
    """
    eligible = eligible_tokens = 0
    size = EffectiveSampleSize()
    for _, scores in _runs(shards):
        chosen = settings.eligible(scores).astype(bool)
        eligible += int(np.count_nonzero(chosen))
        eligible_tokens += int(scores.tokens[chosen].sum(dtype=np.int64))
        size.add(scores.log_weight[chosen] / settings.rule.temperature)
    rows = sum(shard.rows for shard in shards)
    amount = settings.budget.resolve(
        rows=rows,
        eligible=eligible,
        eligible_tokens=eligible_tokens,
        min_tokens=settings.min_tokens,
        allow_fewer=settings.allow_fewer,
    )
    by_tokens = settings.budget.tokens is not None

    def runs() -> Iterable[Run]:
        for first_row, scores in _runs(shards):
            cost = scores.tokens if by_tokens else None
            yield Run(first_row, scores.log_weight, settings.eligible(scores), cost)

    threshold = find_threshold(runs, settings.rule, amount, threads)
    if threshold.selected == 0:
        raise BudgetError(
            f"tokens={amount:,} is less than the {threshold.next_cost:,} tokens of the first "
            f"document to be taken; ask for more"
        )
    return Draw(settings.rule, threshold, rows, eligible, eligible_tokens, size.value())


def _runs(shards: Sequence[ShardScores]) -> Iterator[tuple[int, Scores]]:
    """Give all scores with the global row number of each run's first row."""
    first_row = 0
    for shard in shards:
        at = first_row
        for scores in shard.runs():
            yield at, scores
            at += len(scores.tokens)
        if at - first_row != shard.rows:
            where = shard.place.path(".arrow") if shard.place else "a shard in memory"
            raise WorkdirError(
                f"{where}: holds {at - first_row:,} scores, its marker says {shard.rows:,}; "
                "remove both to score it again"
            )
        first_row += shard.rows


class SelectedRows(NamedTuple):
    """The selected rows of one shard.

    Attributes:
        shard_row: int64, ascending row numbers in the shard.
        log_weight: float64.
        bytes: uint32, of text.
    """

    shard_row: npt.NDArray[np.int64]
    log_weight: npt.NDArray[np.float64]
    bytes: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class SampleTask:
    """Pick the selected rows of one shard.

    Attributes:
        first_row: global row number of the shard's first row.
        place: where the result is kept; None to keep it in memory.
    """

    scores: ShardScores
    first_row: int
    settings: DrawSettings
    threshold: Threshold
    place: Place | None


@dataclass(slots=True)
class ShardRows:
    """The selected rows of one shard, in memory or in a file.

    Attributes:
        first_row: global row number of the shard's first row.
        selected: how many rows are selected.
        tokens: of the selected rows.
        rows: the rows, where they are in memory.
    """

    first_row: int
    selected: int
    tokens: int
    place: Place | None = None
    rows: SelectedRows | None = field(default=None, repr=False)

    def load(self) -> SelectedRows:
        """Read the rows.

        Raises:
            WorkdirError: the file is missing or damaged.
        """
        if self.rows is not None or self.place is None:
            return self.rows or _NOTHING
        path = self.place.path(".arrow")
        try:
            with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
                batch = reader.get_batch(0)
        except (OSError, pa.ArrowException) as error:
            raise self.place.damaged(path, str(error)) from error
        if batch.schema != _SCHEMA or batch.num_rows != self.selected:
            raise self.place.damaged(path, "it does not hold the rows that its marker speaks of")
        return SelectedRows(*(to_numpy(column) for column in batch.columns))


_NOTHING = SelectedRows(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint32))


def sample_shard(task: SampleTask, progress: Progress) -> ShardRows:
    """Pick the selected rows of one shard.

    Raises:
        WorkdirError: the scores cannot be read.
    """
    place = task.place
    if place is not None and (marker := place.finished()) is not None:
        progress(task.scores.rows)
        return ShardRows(task.first_row, marker["selected"], marker["tokens"], place)
    parts = [_NOTHING]
    tokens = at = 0
    for scores in task.scores.runs():
        run = Run(task.first_row + at, scores.log_weight, task.settings.eligible(scores))
        positions = selected_positions(run, task.settings.rule, task.threshold)
        tokens += int(scores.tokens[positions].sum(dtype=np.int64))
        parts.append(
            SelectedRows(positions + at, scores.log_weight[positions], scores.bytes[positions])
        )
        at += len(scores.tokens)
        progress(len(scores.tokens))
    rows = SelectedRows(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    result = ShardRows(task.first_row, len(rows.shard_row), tokens)
    if place is None:
        result.rows = rows
        return result
    batch = pa.record_batch([to_arrow(column) for column in rows], schema=_SCHEMA)
    with place.file(".arrow") as file, pa.ipc.new_file(file, _SCHEMA) as writer:
        writer.write_batch(batch)
    place.finish({"first_row": task.first_row, "selected": result.selected, "tokens": tokens})
    result.place = place
    return result
