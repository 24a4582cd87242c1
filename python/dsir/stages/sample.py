"""The sample stage: the selected rows of one shard, given what was drawn from the corpus."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.engine import Progress
from dsir.sampling import Run
from dsir.settings.draw import DrawSettings
from dsir.stages.drawn import Draw
from dsir.stages.eligible import eligible_rows
from dsir.stages.score_table import ScoreForm, Scores
from dsir.stages.selected_rows import SelectedRows, join_rows, read_rows
from dsir.stages.shard_scores import ShardScores
from dsir.storage.marker import Marker, is_whole
from dsir.storage.place import Place


@dataclass(frozen=True, slots=True)
class SampleTask:
    """Pick the selected rows of one shard.

    Attributes:
        corpus_row: global row number of the shard's first row.
        drawn: the draw, as far as it is about this shard.
        place: where the result is stored; None to hold it in memory.
    """

    scores: ShardScores
    corpus_row: int
    settings: DrawSettings
    drawn: Draw
    place: Place | None


@dataclass(slots=True)
class ShardRows:
    """The selected rows of one shard, in memory or in a file.

    Attributes:
        corpus_row: global row number of the shard's first row.
        by_target: rows, tokens and bytes of text that each target selects.
        form: which columns the scores of these rows have.
        place: where the rows are stored; None if they are in memory.
        rows: the rows, if they are in memory.
        kept: the file of rows that were kept while scoring; None if there is none.
        source_rows: input rows in the shard; None if unknown.
    """

    corpus_row: int
    by_target: list[tuple[int, int, int]]
    form: ScoreForm = field(default_factory=ScoreForm)
    place: Place | None = None
    rows: SelectedRows | None = field(default=None, repr=False)
    kept: Path | None = None
    source_rows: int | None = None

    @property
    def selected(self) -> int:
        """How many rows are selected."""
        return sum(rows for rows, _, _ in self.by_target)

    @property
    def tokens(self) -> int:
        """Tokens in the selected rows."""
        return sum(tokens for _, tokens, _ in self.by_target)

    @property
    def text_bytes(self) -> int:
        """Bytes of text in the selected rows."""
        return sum(text_bytes for _, _, text_bytes in self.by_target)

    def load(self) -> SelectedRows:
        """Read the rows.

        Raises:
            WorkdirError: the file is missing or damaged.
        """
        if self.place is None:
            return self.rows or join_rows([], self.form)
        return read_rows(self.place, self.form, self.selected)


def sample_shard(task: SampleTask, progress: Progress) -> ShardRows:
    """Pick the selected rows of one shard.

    Raises:
        WorkdirError: the scores cannot be read.
    """
    place, form = task.place, task.scores.selected_form
    if place is not None and (marker := place.finished()) is not None:
        progress(task.scores.rows)
        loaded = load_shard_rows(place, marker, form, task.scores.kept)
        if loaded.corpus_row != task.corpus_row:
            raise marker.damaged(f"its first row is not {task.corpus_row:,}")
        return loaded
    picked = []
    by_target = np.zeros((len(task.drawn.targets), 3), dtype=np.int64)
    at = 0
    for scores in task.scores.runs():
        positions, targets = _pick(task, scores, task.corpus_row + at)
        for target in range(len(by_target)):
            taken = positions[targets == target]
            by_target[target] += (
                len(taken),
                scores.tokens[taken].sum(dtype=np.int64),
                scores.bytes[taken].sum(dtype=np.int64),
            )
        picked.append(
            SelectedRows(
                positions + at,
                scores.log_weight[targets if form.columns > 1 else 0, positions],
                scores.bytes[positions],
                scores.tokens[positions],
                targets.astype(np.uint16) if form.columns > 1 else None,
                None if scores.source_row is None else scores.source_row[positions],
                None if scores.start is None else scores.start[positions],
            )
        )
        at += scores.rows
        progress(scores.rows)
    rows = join_rows(picked, form)
    totals = [(int(r), int(t), int(b)) for r, t, b in by_target]
    result = ShardRows(task.corpus_row, totals, form)
    result.kept = task.scores.kept
    result.source_rows = task.scores.source_rows
    if place is None:
        result.rows = rows
        return result
    batch = rows.to_batch()
    with place.file(".arrow") as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)
    place.finish(
        {
            "first_row": task.corpus_row,
            "by_target": result.by_target,
            "source_rows": result.source_rows,
        }
    )
    result.place = place
    return result


def load_shard_rows(
    place: Place, marker: Marker, form: ScoreForm, kept: Path | None = None
) -> ShardRows:
    """Return the result of a finished task, from the task's marker.

    Raises:
        WorkdirError: the marker was changed.
    """
    by_target = marker.entries("by_target", _three_numbers)
    first, source_rows = marker.whole("first_row"), marker.whole_or_none("source_rows")
    return ShardRows(first, by_target, form, place, kept=kept, source_rows=source_rows)


def _three_numbers(entry: Any) -> tuple[int, int, int]:
    """Return the rows, tokens and bytes of a target, as the marker has them."""
    rows, tokens, text_bytes = entry
    if not all(map(is_whole, entry)):
        raise TypeError("are no three whole numbers")
    return rows, tokens, text_bytes


def _pick(
    task: SampleTask, scores: Scores, corpus_row: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the positions of the selected rows, ascending, and the target that took each row."""
    eligible = eligible_rows(scores, task.settings)
    positions, targets = [], []
    for number, target in enumerate(task.drawn.targets):
        weights = target.rule.in_keys(scores.log_weight[number])
        run = Run(corpus_row, weights, eligible, groups=scores.group_codes)
        taken = target.positions(run)
        eligible[taken] = 0
        positions.append(taken)
        targets.append(np.full(len(taken), number))
    all_positions, all_targets = np.concatenate(positions), np.concatenate(targets)
    order = np.argsort(all_positions)
    return all_positions[order], all_targets[order]
