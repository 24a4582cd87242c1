"""The score stage: the log-weights of one shard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from dsir import _core
from dsir.corpus import OnError, Shard, TextBatch
from dsir.corpus.bad_text import bad_text_error
from dsir.corpus.failing_rows import naming_row
from dsir.corpus.shard_progress import ShardProgress
from dsir.corpus.skipped import Skipped, bad_rows_of, from_marker, skipped_rows
from dsir.corpus.token_ids import for_core
from dsir.engine import Progress
from dsir.errors import WorkdirError
from dsir.model.estimator import Scoring, Watch
from dsir.model.row_filters import RowFilters
from dsir.settings.extra_columns import NO_EXTRA, ExtraColumns
from dsir.stages.contaminated import contaminated_rows, write_contaminated
from dsir.stages.damage.row_groups import despite_damage, or_skipped
from dsir.stages.extend import ColumnAdder, EarlierScores
from dsir.stages.group_codes import GroupEncoder, read_names, write_names
from dsir.stages.kept.apart import KeptApart
from dsir.stages.kept.gate import Keep
from dsir.stages.kept.writer import RowKeeper, open_keeper
from dsir.stages.score_table import (
    ScoreForm,
    Scores,
    form_of_columns,
    join,
    read_scores,
)
from dsir.stages.shard_scores import ShardScores, load_shard_scores, marker_of
from dsir.storage.place import Place


@dataclass(frozen=True, slots=True)
class ScoreTask:
    """Score one shard.

    Attributes:
        filters: what rows must pass to be selected; None for no filters.
        place: where the result is stored; None to hold it in memory.
        keep: which rows to keep while scoring; None for none.
        spooled: the file of the shard's decompressed lines; None to decompress them again.
        most_bad: stop after the batch that takes the bad rows above this number; None for no limit.
        extra: which columns to store beside the log-weights.
        earlier: scores in `place` that lack some of these columns; None for none.
        apart: says in place of `keep` which rows to keep, if other processes write them; None if
            not.
    """

    shard: Shard
    model: Scoring
    filters: RowFilters | None
    on_error: OnError
    threads: int
    place: Place | None
    keep: Keep | None = None
    spooled: Path | None = None
    most_bad: int | None = None
    extra: ExtraColumns = NO_EXTRA
    earlier: EarlierScores | None = None
    apart: KeptApart | None = None

    def batches(self) -> Iterator[TextBatch]:
        """Read the texts."""
        shard = self.shard if self.spooled is None else self.shard.spooled(self.spooled)
        return shard.text_batches(
            on_error=self.on_error, threads=self.threads, groups=self.extra.groups
        )

    @property
    def form(self) -> ScoreForm:
        """Which columns the scores have."""
        return form_of_columns(
            self.model.columns, self.filters is not None, self.shard.is_windows, self.extra
        )


def score_shard(task: ScoreTask, progress: Progress) -> ShardScores:
    """Compute the log-weights of one shard.

    Raises:
        InputError: the shard, or with on_error="raise" one of its rows, cannot be read.
    """
    if task.apart is None or task.place is None:
        return _scored(task, progress)
    number = int(task.place.name)
    with task.apart.keeping(number) as keep:
        result = _scored(replace(task, keep=keep), progress)
        result.kept = task.apart.taken(number, result.kept)
    return result


def _scored(task: ScoreTask, progress: Progress) -> ShardScores:
    place = task.place
    if place is not None and (marker := place.finished()) is not None:
        progress(task.shard.size)
        kept = load_shard_scores(place, marker, task.form)
        kept.kept_bytes = kept.text_bytes
        return kept

    extended = None if place is None else _extended(task, place, progress)
    if extended is not None:
        return extended

    def run(shard: Shard, progress: Progress) -> ShardScores:
        return _score_to_place(replace(task, shard=shard), progress)

    def skipped(entry: Skipped) -> ShardScores:
        if place is not None:
            with place.file(".arrow") as file, pa.ipc.new_file(file, task.form.schema):
                pass
        return ShardScores(skipped=[entry], form=task.form)

    result = or_skipped(task.shard, task.on_error, progress, run, skipped)
    if place is not None:
        if task.extra.groups:
            write_names(place, result.group_names())
            result.names = []
        if task.filters is not None and task.filters.decontamination is not None:
            write_contaminated(place, result.contaminated)
            result.contaminated = []
        result.place = place
        if not result.given_up:  # An incomplete result gets no marker.
            place.finish(marker_of(result))
    return result


def _extended(task: ScoreTask, place: Place, progress: Progress) -> ShardScores | None:
    """Add columns to scores that are there already; None when they have to be made."""
    earlier = task.earlier
    if earlier is None:
        return None
    before = replace(place, fingerprint=earlier.fingerprint)
    form = replace(task, extra=earlier.extra).form
    try:
        marker = before.finished()
        if marker is None or any(
            entry.row is None for entry in marker.entries("skipped", from_marker)
        ):
            return None
        names = read_names(before, form.groups) if form.groups else []
        names += despite_damage(
            task.shard,
            task.on_error,
            progress,
            lambda shard, progress: _add_columns(
                replace(task, shard=shard), place, earlier, form, progress
            ),
        )
    except (WorkdirError, ValueError):
        # A run that was killed here has written the file and not its marker: scored again.
        return None
    if task.extra.groups:
        write_names(place, names)
    place.finish(marker)
    return load_shard_scores(place, marker, task.form)


def _add_columns(
    task: ScoreTask, place: Place, earlier: EarlierScores, form: ScoreForm, progress: Progress
) -> list[list[str]]:
    """Write the scores of a shard with more columns; return the values of the new columns."""
    adder = ColumnAdder(earlier.extra, task.extra, task.model.features, task.threads)
    travel = ShardProgress(task.shard, progress)

    def batches() -> Iterator[TextBatch]:
        for batch in task.shard.text_batches(
            on_error=task.on_error, threads=task.threads, groups=adder.columns
        ):
            yield batch
            travel.to(batch)

    with place.file(".arrow") as file, pa.ipc.new_file(file, task.form.schema) as writer:
        for part in adder.extended(read_scores(place.fetched(".arrow"), form), form, batches()):
            writer.write_batch(part.to_batch())
    travel.arrive()
    return adder.names


def _score_to_place(task: ScoreTask, progress: Progress) -> ShardScores:
    place = task.place
    if place is None:
        batches: list[Scores] = []
        result = _score(task, progress, batches.append)
        result.scores = join(batches, task.form)
        return result
    with place.file(".arrow") as file, pa.ipc.new_file(file, task.form.schema) as writer:
        return _score(task, progress, lambda scores: writer.write_batch(scores.to_batch()))


def _score(task: ScoreTask, progress: Progress, save: Callable[[Scores], None]) -> ShardScores:
    keeper = open_keeper(task.shard, task.keep)
    if keeper is None or task.keep is None:
        return _score_batches(task, progress, save, None)
    with keeper:
        result = _score_batches(task, progress, save, keeper)
    result.kept = task.keep.path if keeper.made else None
    return result


def _score_batches(
    task: ScoreTask,
    progress: Progress,
    save: Callable[[Scores], None],
    keeper: RowKeeper | None,
) -> ShardScores:
    shard, model = task.shard, task.model
    shard.check_unchanged()
    result = ShardScores(form=task.form)
    travel = ShardProgress(shard, progress)
    encoder = GroupEncoder(len(task.extra.groups))
    for batch in task.batches():
        reason = None
        with naming_row(shard, batch, model.score_batch):
            if task.filters is None:
                watch = Watch(bands=task.extra.bands)
                scored = model.score_and_watch(batch.text, watch, threads=task.threads)
            else:
                scored, judged = task.filters.score(
                    model, batch.text, bands=task.extra.bands, threads=task.threads
                )
                reason = judged.reason
                result.contaminated += contaminated_rows(batch, judged.matches)
        log_weight, tokens, text_bytes = scored.log_weight, scored.tokens, scored.bytes
        if len(scored.bad) and task.on_error == "raise":
            file_row = shard.rows_before() + batch.unit_row
            raise bad_text_error(shard.name, file_row, batch.text, int(scored.bad[0]))
        bad = bad_rows_of(batch, scored.bad.tolist())
        bad_rows = sum(one.rows for one in bad)
        result.skipped += skipped_rows(shard.name, bad)
        result.rows += len(tokens)
        result.documents += len(tokens) if batch.origin is None else batch.origin.documents
        result.bad += bad_rows
        result.empty += int(np.count_nonzero(tokens == 0)) - bad_rows
        result.blank_lines += batch.blank_lines
        result.text_bytes += int(text_bytes.sum(dtype=np.int64))
        row, start = (None, None) if batch.origin is None else batch.origin[:2]
        content = None
        if task.extra.content:
            content = _core.content_hashes(for_core(batch.text), threads=task.threads)
        group_codes = encoder.encode(batch.groups)
        scores = Scores(
            *(log_weight, tokens, text_bytes, reason, row, start, content, group_codes),
            bands=scored.bands,
        )
        save(scores)
        if keeper is not None:
            keeper.look_at(batch, scores)
        if task.most_bad is not None and result.bad > task.most_bad:
            result.given_up = True
            return result
        travel.to(batch)
    travel.arrive()
    result.names = encoder.names
    if task.spooled is not None:
        task.spooled.unlink(missing_ok=True)
    return result
