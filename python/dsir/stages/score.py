"""The score stage: the log-weights of one shard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus import OnError, Shard, TextBatch
from dsir.corpus.bad_text import bad_text_error
from dsir.corpus.shard_progress import ShardProgress
from dsir.corpus.skipped import Skipped, bad_rows_of, from_marker, skipped_rows
from dsir.corpus.token_ids import for_core
from dsir.engine import Progress
from dsir.errors import WorkdirError
from dsir.model.estimator import Scoring, Watch
from dsir.model.row_filters import RowFilters
from dsir.settings.extra_columns import NO_EXTRA, ExtraColumns
from dsir.stages.contaminated import Contaminated, contaminated_rows, write_contaminated
from dsir.stages.damage.row_groups import despite_damage, or_skipped
from dsir.stages.duplicates.marks import Marks
from dsir.stages.extend import ColumnAdder, EarlierScores
from dsir.stages.group_codes import GroupEncoder, read_names, recoded, write_names
from dsir.stages.kept.apart import KeptApart
from dsir.stages.kept.gate import Keep
from dsir.stages.kept.writer import RowKeeper, open_keeper
from dsir.stages.score_table import (
    ScoreForm,
    Scores,
    form_of_columns,
    in_runs,
    join,
    read_scores,
)
from dsir.storage.marker import Marker
from dsir.storage.place import Place

_NUMBERS = ("rows", "documents", "empty", "bad", "blank_lines", "text_bytes")


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


@dataclass(slots=True)
class ShardScores:
    """The scores of one shard, and counts of its rows.

    Attributes:
        rows: rows read; if documents are cut into windows, windows.
        documents: input rows read.
        empty: rows without a token: null, blank, or only spaces.
        bad: rows that could not be read.
        blank_lines: blank lines of JSON Lines, which are not rows.
        text_bytes: bytes of text.
        kept_bytes: those of them that an earlier run read, whose result was kept.
        skipped: the bad rows, or the whole shard if it could not be read.
        form: which columns the scores have.
        place: where the scores are stored; None if they are in memory.
        scores: the scores, if they are in memory.
        kept: the file of rows that were kept while scoring; None if there is none.
        names: the values of the quota columns, if they are in memory.
        weights: number of the first log-weight that the draw sees and how many it sees, if the
            scores are of several models; None for all.
        columns: which quota columns the draw uses, in the order of its quotas; None for all.
        codes: by column, this shard's codes translated to codes of the corpus; None until
            `merge_groups` has set them.
        repeated: one bit a row, 1 if an earlier row has the same text, or nearly the same; None if
            nobody looked for duplicates, or the bits are in files.
        marks: the same bits in files; None if there are none.
        duplicates: how many of these bits are 1.
        contaminated: the contaminated rows, if they are in memory.
        given_up: whether scoring stopped because too many rows were bad.
    """

    rows: int = 0
    documents: int = 0
    empty: int = 0
    bad: int = 0
    blank_lines: int = 0
    text_bytes: int = 0
    kept_bytes: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    form: ScoreForm = field(default_factory=ScoreForm)
    place: Place | None = None
    scores: Scores | None = None
    kept: Path | None = None
    names: list[list[str]] = field(default_factory=list, repr=False)
    weights: tuple[int, int] | None = None
    columns: list[int] | None = None
    codes: list[npt.NDArray[np.uint32]] | None = field(default=None, repr=False)
    repeated: npt.NDArray[np.uint8] | None = field(default=None, repr=False)
    marks: Marks | None = None
    duplicates: int = 0
    contaminated: list[Contaminated] = field(default_factory=list, repr=False)
    given_up: bool = False

    @property
    def source_rows(self) -> int | None:
        """Input rows in the shard; None if the shard could not be read, so nobody counted them."""
        whole = any(entry.row is None for entry in self.skipped)
        return None if whole else self.documents

    @property
    def drawn_form(self) -> ScoreForm:
        """Which columns the draw sees: the quota columns that it uses, and `repeated` if known."""
        groups = self.form.groups if self.columns is None else len(self.columns)
        return replace(self.selected_form, groups=groups, repeated=self.knows_duplicates)

    @property
    def knows_duplicates(self) -> bool:
        """Whether duplicates were looked for."""
        return self.repeated is not None or self.marks is not None

    @property
    def selected_form(self) -> ScoreForm:
        """Which columns the scores of selected rows have."""
        return self.form if self.weights is None else replace(self.form, columns=self.weights[1])

    def of_columns(self, first: int, count: int) -> ShardScores:
        """Return the scores of one of several models that were scored together.

        Args:
            first: number of the model's first log-weight.
            count: how many it has.
        """
        return replace(
            self,
            weights=(first, count),
            columns=None,
            codes=None,
            repeated=None,
            marks=None,
            duplicates=0,
        )

    def batches(self) -> Iterator[Scores]:
        """Read the scores in the batches they were written in, with codes of the corpus."""
        if self.place is not None:
            written = read_scores(self.place.fetched(".arrow"), self.form)
        else:
            written = iter([self.scores or self.form.nothing])
        repeated, at = self.repeated, 0
        if self.marks is not None:
            repeated, at = self.marks.packed(self.rows), self.marks.offset
        for scores in written:
            yield self._drawn(scores, repeated, at)
            at += scores.rows

    def runs(self) -> Iterator[Scores]:
        """Read the same as `batches`, in runs of a fixed number of rows."""
        return in_runs(self.batches(), self.drawn_form)

    def group_names(self) -> list[list[str]]:
        """Return the values of the quota columns, a list a column, by their code in this shard.

        Raises:
            WorkdirError: the file of values is missing or damaged.
        """
        if self.place is None:
            names = self.names or [[] for _ in range(self.form.groups)]
        else:
            names = read_names(self.place, self.form.groups)
        return names if self.columns is None else [names[column] for column in self.columns]

    def _drawn(self, scores: Scores, bits: npt.NDArray[np.uint8] | None, at: int) -> Scores:
        """Translate a batch's group codes to codes of the corpus, and add the `repeated` bits.

        Args:
            scores: the batch.
            bits: a bit a row, 1 for duplicates; None if nobody looked for them.
            at: which bit is of the batch's first row.
        """
        group_codes = scores.group_codes
        if group_codes is not None and self.columns is not None:
            group_codes = group_codes[self.columns]
        if group_codes is not None and self.codes is not None:
            group_codes = recoded(group_codes, self.codes)
        repeated = None
        if bits is not None:
            packed = bits[at // 8 : (at + scores.rows + 7) // 8]
            repeated = np.unpackbits(packed, bitorder="little")[at % 8 : at % 8 + scores.rows]
        log_weight = scores.log_weight
        if self.weights is not None:
            first, count = self.weights
            log_weight = log_weight[first : first + count]
        return scores._replace(log_weight=log_weight, group_codes=group_codes, repeated=repeated)


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


def marker_of(result: ShardScores) -> dict[str, Any]:
    """Return what the marker of a result says, as `load_shard_scores` reads it."""
    return {
        **{name: getattr(result, name) for name in _NUMBERS},
        "skipped": [skipped.to_marker() for skipped in result.skipped],
    }


def load_shard_scores(place: Place, marker: Marker, form: ScoreForm) -> ShardScores:
    """Return the result of a finished task, from the task's marker.

    Raises:
        WorkdirError: the marker was changed.
    """
    skipped = marker.entries("skipped", from_marker)
    numbers: dict[str, Any] = {name: marker.whole(name) for name in _NUMBERS}
    return ShardScores(**numbers, skipped=skipped, form=form, place=place)
