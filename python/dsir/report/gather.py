"""Collects the facts of a selection from its folder, and from its inputs if they are unchanged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.corpus import TextBatch
from dsir.corpus.token_ids import ENCODING as TOKEN_IDS
from dsir.engine import thread_count
from dsir.errors import InputError
from dsir.model.estimator import TextScores
from dsir.remote import Location
from dsir.report import closeness, pieces, shares
from dsir.report.distributions import Numbers, Series, histogram
from dsir.report.facts import Sample, SelectionFacts
from dsir.report.folder import input_names, open_selection
from dsir.report.marking import SHOWN_CHARACTERS, Explained, averaged, explained, marked
from dsir.report.measure import Measured, measure, telling_columns
from dsir.report.near import NearRowFinder
from dsir.report.pieces import Piece
from dsir.report.samples import LeftOut, chosen_rows, spread_rows, target_of, texts_of
from dsir.report.source import SelectionSource

# Bytes of text that are read at most. More than this is sampled, and the page says so.
SELECTED_BYTES = 256 << 20
RESAMPLED_BYTES = 64 << 20
RAW_BYTES = 128 << 20
TARGET_BYTES = 32 << 20

_EXPLAINED_ROWS = 200
_MISSING_TEXTS = 400


class SelectionGathering:
    """Collects the facts of one selection.

    Args:
        folder: the selection, in a folder or in memory.
        quick: read no inputs, and only the rows of the selection that are shown.
    """

    def __init__(self, folder: SelectionSource, *, quick: bool) -> None:
        self._folder = folder
        self._quick = quick
        self._threads = thread_count(None)
        self._facts = SelectionFacts(name=folder.name, folder=folder.folder, content=folder.content)

    def facts(self) -> SelectionFacts:
        """Return the facts.

        Raises:
            OutputError: a file of the selection is missing or damaged.
            InputError: a part of the selection cannot be read.
            StoreError: a store does not answer.
        """
        folder, facts = self._folder, self._facts
        columns = telling_columns(folder.parts[0], self._quota_columns()) if folder.parts else []
        selected, replicates = self._measure_selected(columns)
        facts.selected_read = selected.rows
        texts = folder.settings.get("text_encoding") != TOKEN_IDS
        raw, left_out = self._measure_raw(columns)
        targets = self._measure_targets()
        facts.raw_read = 0 if raw is None else raw.rows
        self._distributions(selected, raw, targets)
        self._shares(selected, raw)
        self._closeness(selected, replicates, targets)
        if not texts:
            why = "its rows are token numbers, not texts"
            facts.unknown |= {"samples": why, "n-grams": why}
            return facts
        self._ngrams(left_out)
        self._samples(left_out)
        return facts

    def _quota_columns(self) -> list[str]:
        settings = self._folder.settings
        named = [*(settings.get("max_per") or {}), settings.get("group_by"), *_groups(settings)]
        return [name for name in named if isinstance(name, str)]

    def _measure_selected(
        self, columns: list[str]
    ) -> tuple[Measured, _core.BootstrapCounts | None]:
        folder, model = self._folder, self._folder.model
        size = _number(self._facts.content["metrics"]["text_bytes"]["selected"])
        what = pieces.spread(pieces.whole(folder.parts), size, SELECTED_BYTES)
        whole = all(piece.most_bytes is None for piece in what)
        replicates = None
        if size > RESAMPLED_BYTES:
            self._facts.unknown["interval"] = (
                "the selection is too large to resample for a page; "
                "dsir.kl_reduction(bootstrap=100) does it"
            )
        elif whole and closeness.replicates_for(model):
            replicates = _core.BootstrapCounts(
                model.features.spec, replicates=closeness.replicates_for(model), seed=0, source=0
            )
        near = None
        if folder.settings.get("text_encoding") != TOKEN_IDS:
            text_bytes = min(size, SELECTED_BYTES)
            near = NearRowFinder(model.features, text_bytes, threads=self._threads)
        first = 0

        def resample(piece: Piece, batch: TextBatch, scored: TextScores) -> None:
            nonlocal first
            if near is not None:
                near.look(piece, batch, scored)
            if replicates is not None:
                replicates.add(scored.prepared, first, threads=self._threads)
            first += len(scored.tokens)

        found = measure(
            what, model, threads=self._threads, columns=columns, count=True, look=resample
        )
        if near is not None:
            self._facts.near = near.found(folder)
        return found, replicates

    def _measure_raw(self, columns: list[str]) -> tuple[Measured | None, LeftOut | None]:
        folder, facts = self._folder, self._facts
        if self._quick:
            facts.unknown["raw"] = "the report was made without reading inputs (--quick)"
            return None, None
        found = folder.raw()
        if found.why_not:
            facts.unknown["raw"] = found.why_not
            return None, None
        metrics = facts.content["metrics"]
        size = _number(metrics["text_bytes"]["read"])
        what = pieces.spread(found.pieces, size, RAW_BYTES)
        rows = _number(metrics["rows"]["read"])
        left_out = LeftOut(
            folder,
            rows * min(size, RAW_BYTES) // max(1, size),
            whole=size <= RAW_BYTES and found.complete,
            threads=self._threads,
        )
        unreadable: list[str] = []
        measured = measure(
            what,
            folder.model,
            threads=self._threads,
            columns=columns,
            look=left_out.look,
            unreadable=unreadable,
        )
        if not measured.rows:
            facts.unknown["raw"] = unreadable[0] if unreadable else "it has no rows"
            return None, None
        if unreadable:
            facts.unknown["raw files"] = unreadable[0]
        return measured, left_out

    def _measure_targets(self) -> dict[str, tuple[Measured, tuple[Piece, ...]]]:
        folder, facts = self._folder, self._facts
        if self._quick:
            facts.unknown["target"] = "the report was made without reading inputs (--quick)"
            return {}
        if "target" not in folder.content["inputs"]:
            facts.unknown["target"] = "the selection was made with a fitted model"
            return {}
        found, why_not = {}, []
        for name, target in folder.targets().items():
            if target.why_not:
                why_not.append(target.why_not)
                continue
            size = sum(piece.shard.size for piece in target.pieces) * 4  # They may be compressed.
            what = pieces.spread(target.pieces, size, TARGET_BYTES)
            measured = measure(what, folder.model, threads=self._threads, unreadable=why_not)
            if measured.rows:
                found[name] = measured, target.pieces
        if why_not or not found:
            topic = "target files" if found else "target"
            facts.unknown[topic] = why_not[0] if why_not else "it has no rows"
        return found

    def _distributions(
        self,
        selected: Measured,
        raw: Measured | None,
        targets: Mapping[str, tuple[Measured, tuple[Piece, ...]]],
    ) -> None:
        weights: dict[str, Series] = {}
        lengths: dict[str, Series] = {}
        if raw is not None:
            weights["raw"], lengths["raw"] = _again(raw.log_weight), _again(raw.tokens)
        weights["selected"] = self._folder.log_weights
        lengths["selected"] = _again(selected.tokens)
        if targets:
            measured = [one for one, _ in targets.values()]
            weights["target"] = _again(np.concatenate([one.log_weight for one in measured]))
            lengths["target"] = _again(np.concatenate([one.tokens for one in measured]))
        self._facts.weights = histogram(
            weights, main="selected", cut_below=frozenset({"raw", "target"})
        )
        self._facts.lengths = histogram(lengths, log=True)

    def _shares(self, selected: Measured, raw: Measured | None) -> None:
        facts, content = self._facts, self._facts.content
        by_source: Counter[int] = Counter()
        for origins in self._folder.origins():
            counts = np.bincount(origins.source)
            for number in np.flatnonzero(counts):
                by_source[int(number)] += int(counts[number])
        entries = content["inputs"]["raw"]
        of_files = shares.file_shares(
            input_names(content), [entry.get("rows") for entry in entries], by_source
        )
        if of_files is not None:
            facts.shares.append(of_files)
        note = _read_note("selected", selected.rows, content["metrics"]["rows"]["selected"])
        if raw is not None:
            note += " " + _read_note("raw", raw.rows, content["metrics"]["rows"]["read"])
        facts.shares += shares.column_shares(selected, raw, note)

    def _closeness(
        self,
        selected: Measured,
        replicates: _core.BootstrapCounts | None,
        targets: Mapping[str, tuple[Measured, tuple[Piece, ...]]],
    ) -> None:
        facts, model = self._facts, self._folder.model
        counts, metrics = model.training_counts, facts.content["metrics"]
        if counts is None:
            why = "the model has no n-gram counts of raw and target"
            facts.unknown |= {"closeness": why, "coverage": why}
            return
        interval = None
        value = metrics.get("kl_reduction")
        if replicates is not None and value is not None:
            interval = closeness.interval_of(
                replicates, closeness.replicates_for(model), counts, value
            )
        elif not closeness.replicates_for(model):
            facts.unknown["interval"] = "it is computed for one target and up to 1.6 M buckets"
        facts.closeness = closeness.closeness(metrics, interval)
        assert selected.ngrams is not None
        missing = [
            closeness.missing_ngrams(
                model, _first_texts(targets[name][1], _MISSING_TEXTS), selected.ngrams
            )
            if name in targets
            else {}
            for name in counts.names or ("",)
        ]
        facts.coverage = closeness.coverage(counts, selected.ngrams, missing)
        if selected.rows < metrics["rows"]["selected"]:
            facts.unknown["coverage"] = (
                f"counted on {selected.rows:,} selected rows, so the whole selection covers more"
            )

    def _ngrams(self, left_out: LeftOut | None) -> None:
        facts, folder = self._facts, self._folder
        rows = spread_rows(folder, _number(facts.content["metrics"]["rows"]["selected"]), 200)
        texts = texts_of(folder, rows)
        of_selected = self._explained((one.target, texts[one.part, one.row]) for one in rows)
        if isinstance(of_selected, str):
            facts.unknown["n-grams"] = of_selected
            return
        facts.lifting, lowering = averaged(of_selected)
        facts.explained, facts.lowering_of = len(of_selected), "selected documents"
        if left_out is not None and left_out.some:
            some = left_out.some[:_EXPLAINED_ROWS]
            of_rest = self._explained((one.target, one.text) for one in some)
            if not isinstance(of_rest, str):
                lowering, facts.lowering_of = averaged(of_rest)[1], "documents left out"
        facts.lowering = lowering

    def _explained(self, texts: Iterator[tuple[str | None, str]]) -> list[Explained] | str:
        found = []
        for target, text in texts:
            one = explained(self._folder.model, text[:4000], target)
            if isinstance(one, str):
                return one
            found.append(one)
        return found

    def _samples(self, left_out: LeftOut | None) -> None:
        folder, facts = self._folder, self._facts
        names = input_names(facts.content)
        groups = chosen_rows(folder, _number(facts.content["metrics"]["rows"]["selected"]))
        texts = texts_of(folder, [one for rows in groups.values() for one in rows])
        for group, rows in groups.items():
            for row in rows:
                where = f"{names[row.source]}, row {row.source_row:,}"
                facts.samples.append(
                    self._sample(group, where, row, texts[row.part, row.row], row.target, "")
                )
        if left_out is None:
            facts.unknown["near misses"] = facts.unknown.get("raw", "raw was not read")
            return
        for one in left_out.nearest:
            where = f"{names[one.source]}, row {one.source_row:,}"
            facts.samples.append(
                self._sample("near miss", where, one, one.text, one.target, one.reason)
            )

    def _sample(
        self, group: str, where: str, row: Any, text: str, target: str | None, reason: str
    ) -> Sample:
        model = self._folder.model
        found = explained(model, text, target_of(model, row))
        shown = marked(model, text, found, SHOWN_CHARACTERS)
        return Sample(group, where, row.log_weight, target or "", shown, reason)


def selection_facts(folder: Location, *, quick: bool = False) -> SelectionFacts:
    """Return the facts of the selection in a folder; see `SelectionGathering`."""
    return SelectionGathering(open_selection(folder), quick=quick).facts()


def _again(numbers: npt.NDArray[Any]) -> Series:
    def give() -> Iterator[Numbers]:
        yield numbers.astype(np.float64, copy=False)

    return give


def _first_texts(read: Sequence[Piece], most: int) -> Iterator[str]:
    """Yield the first texts of a corpus, each cut to what is worth naming n-grams of."""
    left = most
    for piece in read:
        try:
            for batch in piece.shard.text_batches(on_error="skip", batch_bytes=1 << 20):
                for text in batch.text:
                    if left <= 0:
                        return
                    if text.is_valid:
                        yield text.as_py()[:4000]
                        left -= 1
        except InputError:
            return


def _groups(settings: Mapping[str, Any]) -> list[Any]:
    found = settings.get("groups")
    return found if isinstance(found, list) else []


def _read_note(what: str, read: int, of: int) -> str:
    if read >= of:
        return f"Counted over all {of:,} {what} rows."
    return f"Estimated from {read:,} of {of:,} {what} rows, spread over the files."


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
