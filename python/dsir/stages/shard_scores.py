"""The scores of one shard, held in memory or in the files that the score stage leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.corpus.skipped import Skipped, from_marker
from dsir.stages.contaminated import Contaminated
from dsir.stages.duplicates.marks import Marks
from dsir.stages.group_codes import read_names, recoded
from dsir.stages.score_table import ScoreForm, Scores, in_runs, read_scores
from dsir.storage.marker import Marker
from dsir.storage.place import Place

_NUMBERS = ("rows", "documents", "empty", "bad", "blank_lines", "text_bytes")


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
