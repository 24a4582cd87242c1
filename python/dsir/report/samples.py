"""Which documents of a selection to look at, and those that it nearly had."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.corpus import TextBatch
from dsir.corpus.token_ids import for_core
from dsir.errors import DsirError
from dsir.model.decontamination import CONTAMINATED, Decontamination
from dsir.model.estimator import Estimator, TextScores
from dsir.model.quality import QualityFilters
from dsir.model.row_filters import REASONS, RowFilters
from dsir.output.row_origins import Origins
from dsir.report.folder import SelectedRows
from dsir.report.pieces import Piece
from dsir.report.source import SelectionSource
from dsir.report.wording import words
from dsir.settings.draw import DrawSettings
from dsir.stages.eligible import rules, within_rules
from dsir.stages.score_table import Scores

EACH = 5
_LONGEST_TEXT = 1 << 20  # Characters that are kept of a text.


class SelectedRow(NamedTuple):
    """A selected row.

    Attributes:
        part: number of the output file.
        row: its row in that file.
        source: number of the input.
        source_row: its row in that input.
        log_weight: its log-weight.
        target: the target that took it; None for none.
    """

    part: int
    row: int
    source: int
    source_row: int
    log_weight: float
    target: str | None


class LeftOutRow(NamedTuple):
    """A row that was not selected.

    Attributes:
        log_weight: its log-weight; of several columns the greatest.
        source: number of the input.
        source_row: its row in that input.
        target: the name of the column with the greatest log-weight; None for one column.
        reason: why it was not selected.
        text: its text.
    """

    log_weight: float
    source: int
    source_row: int
    target: str | None
    reason: str
    text: str


def row_at(origins: Origins, part: int, row: int, at: int) -> SelectedRow:
    """Return a row of a run of origins.

    Args:
        origins: where the rows of the run come from.
        part: number of the output file.
        row: the row in that file.
        at: its place in the run.
    """
    return SelectedRow(
        part,
        row,
        int(origins.source[at]),
        int(origins.source_row[at]),
        float(origins.log_weight[at]),
        None if origins.target is None else origins.target[at].as_py(),
    )


def all_rows(folder: SelectionSource, step: int) -> Iterator[SelectedRow]:
    """Yield every `step`-th row of a selection, from the first on."""
    place = 0
    for part in range(len(folder.parts)):
        row = 0
        for origins in folder.origins_of(part):
            for at in range(-place % step, len(origins.source), step):
                yield row_at(origins, part, row + at, at)
            row += len(origins.source)
            place += len(origins.source)


def rows_at(
    folder: SelectionSource, places: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], SelectedRow]:
    """Return rows of a selection by their part and row, in any order."""
    found = {}
    for part in sorted({part for part, _ in places}):
        wanted = np.array(sorted({row for of, row in places if of == part}), dtype=np.int64)
        first = 0
        for origins in folder.origins_of(part):
            stop = first + len(origins.source)
            inside = wanted[np.searchsorted(wanted, first) : np.searchsorted(wanted, stop)]
            for row in inside.tolist():
                found[part, row] = row_at(origins, part, row, row - first)
            first = stop
    return found


def chosen_rows(folder: SelectionSource, rows: int) -> dict[str, list[SelectedRow]]:
    """Return the rows to show, by group: highest, middle and lowest log-weights.

    With more than 50,000 rows, the middle is that of every 2nd, 3rd, ... row.

    Args:
        folder: the selection.
        rows: how many rows it has.
    """
    each = min(EACH, max(1, rows // 3))
    highest = _extreme(folder, each, 1.0)
    lowest = _extreme(folder, each, -1.0)
    taken = {(one.part, one.row) for one in (*highest, *lowest)}
    spread = sorted(all_rows(folder, 1 + rows // 50_000), key=_order)
    middle = [one for one in spread if (one.part, one.row) not in taken]
    first = max(0, len(middle) // 2 - each // 2)
    lowest = [one for one in lowest if one not in highest]
    return {"highest": highest, "middle": middle[first : first + each], "lowest": lowest}


def _order(row: SelectedRow) -> tuple[float, int, int]:
    return -row.log_weight, row.part, row.row


def _extreme(folder: SelectionSource, most: int, sign: float) -> list[SelectedRow]:
    """Return the rows with the greatest log-weights, or with sign -1 the least."""
    kept: list[SelectedRow] = []
    for part in range(len(folder.parts)):
        row = 0
        for origins in folder.origins_of(part):
            weights = sign * origins.log_weight
            best = np.argsort(-weights, kind="stable")[:most]
            kept += [row_at(origins, part, row + at, at) for at in best.tolist()]
            kept = sorted(kept, key=lambda one: (-sign * one.log_weight, one.part, one.row))[:most]
            row += len(origins.source)
    return sorted(kept, key=_order)


def texts_of(folder: SelectionSource, rows: Sequence[SelectedRow]) -> dict[tuple[int, int], str]:
    """Return the texts of rows, by part and row.

    Raises:
        InputError: a part cannot be read.
    """
    wanted: dict[int, set[int]] = {}
    for one in rows:
        wanted.setdefault(one.part, set()).add(one.row)
    found = {}
    for part, numbers in sorted(wanted.items()):
        for taken in folder.parts[part].take(np.array(sorted(numbers), dtype=np.int64)):
            for row, text in zip(taken.rows.tolist(), taken.text, strict=True):
                found[part, row] = (text.as_py() or "")[:_LONGEST_TEXT]
    return found


class LeftOut:
    """Collects rows of raw that were not selected: those that nearly were, and some of all.

    Args:
        folder: the selection.
        rows: about how many rows of raw will be read.
        whole: whether these are all of its rows.
        threads: how many threads to use.
    """

    def __init__(self, folder: SelectionSource, rows: int, *, whole: bool, threads: int) -> None:
        self._model = folder.model
        self._selected = SelectedRows(folder.origins())
        self._draw, self._filters = _rules_of(folder)
        self._dedup = "none" if self._draw is None else self._draw.dedup
        self._seen_before = _core.FirstSeen(0, 1, rows)
        alone = whole or self._dedup == "none"
        self._otherwise = "not drawn" if alone else "not drawn, or a duplicate"
        self._threads = threads
        self._step = max(1, rows // 200)
        self._seen = 0
        self._nearest: list[tuple[float, int, LeftOutRow]] = []
        self.some: list[LeftOutRow] = []

    @property
    def nearest(self) -> list[LeftOutRow]:
        """The rows with the greatest log-weights, the greatest first."""
        return [row for *_, row in sorted(self._nearest, key=lambda one: (-one[0], -one[1]))]

    def look(self, piece: Piece, batch: TextBatch, scored: TextScores) -> None:
        """Look at a batch of raw; see `measure`."""
        rows, starts = _places_of(piece, batch)
        repeated = self._repeated(batch, scored)
        left_out = ~self._selected.among(piece.source, rows, starts) & (scored.tokens > 0)
        weights = scored.log_weight.max(axis=0)
        candidates = np.flatnonzero(left_out)
        best = candidates[np.argsort(-weights[candidates], kind="stable")[:EACH]]
        bar = self._nearest[0][0] if len(self._nearest) == EACH else -np.inf
        best = best[weights[best] > bar]
        if len(best):
            reasons = self._reasons(batch, scored, repeated)
            for at in best.tolist():
                row = self._row(piece, batch, scored, rows, at, reasons[at])
                entry = (row.log_weight, -self._seen - at, row)
                if len(self._nearest) < EACH:
                    heapq.heappush(self._nearest, entry)
                elif entry[:2] > self._nearest[0][:2]:
                    heapq.heapreplace(self._nearest, entry)
        for at in range(-self._seen % self._step, len(rows), self._step):
            if left_out[at]:
                self.some.append(self._row(piece, batch, scored, rows, at, ""))
        self._seen += len(rows)

    def _row(
        self,
        piece: Piece,
        batch: TextBatch,
        scored: TextScores,
        rows: npt.NDArray[np.int64],
        at: int,
        reason: str,
    ) -> LeftOutRow:
        column = int(scored.log_weight[:, at].argmax())
        names = self._model.column_names
        return LeftOutRow(
            float(scored.log_weight[column, at]),
            piece.source,
            int(rows[at]),
            names[column] if names else None,
            reason,
            _text_at(batch, at),
        )

    def _repeated(self, batch: TextBatch, scored: TextScores) -> npt.NDArray[np.uint8]:
        """Tell which rows have the text of an earlier row, if the selection left these out.

        Equal texts are equally long and pass the same filters, so the first of them is the one that
        could be selected, or none could. Near duplicates need not pass the same filters.
        """
        repeated = np.zeros(len(batch.text), dtype=np.uint8)
        if self._dedup == "exact":
            hashes = _core.content_hashes(for_core(batch.text), threads=self._threads)
            self._seen_before.add(hashes, np.ones_like(repeated), repeated)
        elif self._dedup == "near" and self._draw is not None:
            scores = Scores(scored.log_weight, scored.tokens, scored.bytes)
            eligible = within_rules(scores, self._draw)
            if self._filters is not None:
                eligible &= self._judged(batch, scored) == 0
            spec = self._model.features.spec
            keys = _core.band_keys(scored.prepared, spec, threads=self._threads)
            for band in keys:
                self._seen_before.add(band, eligible.astype(np.uint8), repeated)
        return repeated

    def _judged(self, batch: TextBatch, scored: TextScores) -> npt.NDArray[np.uint8]:
        """Return by row 0, or 1 + the place in REASONS of what refused it; with filters."""
        assert self._filters is not None
        return self._filters.judge(
            self._model.features, batch.text, scored.prepared, threads=self._threads
        ).reason

    def _reasons(
        self, batch: TextBatch, scored: TextScores, repeated: npt.NDArray[np.uint8]
    ) -> list[str]:
        """Say for each row why it was not selected."""
        found = [self._otherwise] * len(scored.tokens)
        for at in np.flatnonzero(repeated):
            found[at] = "duplicate"
        if self._filters is not None:
            failed = self._judged(batch, scored)
            for at in np.flatnonzero(failed):
                reason = REASONS[int(failed[at]) - 1]
                found[at] = reason if reason == CONTAMINATED else f"filtered: {reason}"
        if self._draw is not None:
            scores = Scores(scored.log_weight, scored.tokens, scored.bytes)
            for reason, meets in rules(scores, self._draw):
                for at in np.flatnonzero(~meets):
                    found[at] = words(reason)
        return found


def _rules_of(folder: SelectionSource) -> tuple[DrawSettings | None, RowFilters | None]:
    """Return what decided which rows might be selected, as far as this version knows it."""
    given = {name: value for name, value in folder.settings.items() if value is not None}
    filters, texts = given.get("filters"), given.get("decontaminate")
    try:
        found = RowFilters(
            filters and QualityFilters.from_json(filters),
            texts and Decontamination.from_json(texts),
        )
        return DrawSettings.of(given), found if found.active else None
    except DsirError:
        return None, None


def _places_of(
    piece: Piece, batch: TextBatch
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32] | None]:
    """Return the rows of the input that a batch has, and where windows begin."""
    if batch.origin is not None:
        return piece.first_row + batch.origin.row, batch.origin.start
    first = piece.first_row + batch.unit_row
    return np.arange(first, first + len(batch.text), dtype=np.int64), None


def _text_at(batch: TextBatch, at: int) -> str:
    text: Any = batch.text[at].as_py()
    return str(text or "")[:_LONGEST_TEXT]


def spread_rows(folder: SelectionSource, rows: int, most: int) -> list[SelectedRow]:
    """Return rows that are evenly spread over a selection.

    Args:
        folder: the selection.
        rows: how many rows it has.
        most: how many to return at most.
    """
    return list(all_rows(folder, max(1, -(-rows // most))))


def target_of(model: Estimator, row: SelectedRow | LeftOutRow) -> str | None:
    """Return the target whose log-weight a row has; None if the model has one column."""
    return row.target if model.column_names else None
