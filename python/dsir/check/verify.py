"""verify(): check that a written selection is what its manifest says, row for row."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dsir.arguments.keywords import takes_arguments
from dsir.arguments.values import flag
from dsir.check.file_checks import Finding, check_files, check_nothing_else
from dsir.check.manifest_differences import manifest_differences, version_differences
from dsir.check.part_rows import part_rows
from dsir.check.reselect import (
    is_of_stages,
    model_of,
    negatives_of,
    raw_of,
    select_again,
    target_of,
    write_again,
)
from dsir.check.row_differences import unlike_rows
from dsir.check.row_merge import Pair, Rows, in_order, merged
from dsir.corpus import Corpus
from dsir.corpus.batches import ReadLimits
from dsir.errors import DsirError, OutputError, SettingError, StoreError
from dsir.facts import Fact, Facts
from dsir.model.estimator import Estimator
from dsir.output.folder import SELECTION_FILE
from dsir.output.manifest import Manifest, read_selection_file
from dsir.plural import counted
from dsir.progress import Advance
from dsir.remote import Location, RemotePath
from dsir.run.selection import Selection, folder_of_selection
from dsir.settings.machine import LimitArguments, Machine, MachineOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack


_SHOWN = 5


@dataclass(slots=True)
class RowCounts:
    """How the rows of an output compare with the selection made again.

    Attributes:
        derived: rows of the selection made again.
        stand: derived rows that are in the output with the same weight, target and content.
        missing: derived rows that are not in the output.
        extra: rows of the output that are not derived.
        other_weight: rows in both whose log-weights differ in any bit.
        other_target: rows in both that were taken by different targets.
        other_content: rows in both that differ in a column or, for JSON Lines, in the line.
    """

    derived: int = 0
    stand: int = 0
    missing: int = 0
    extra: int = 0
    other_weight: int = 0
    other_target: int = 0
    other_content: int = 0

    def describe(self) -> dict[str, int]:
        """Return the same as plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, repr=False)
class Verification(Facts):
    """What `verify` found.

    Attributes:
        folder: the folder of the selection.
        quick: whether only the files were checked.
        files: how many files the selection has, by its manifest.
        rows: how the rows compare with the selection made again; None if it was not made again.
        findings: what differs. For rows, the first few of each kind; `rows` counts all.
        notes: remarks that are no findings.

    Example:
        >>> found = dsir.verify("selected/")  # doctest: +SKIP
        >>> found.stands, found.findings  # doctest: +SKIP
    """

    folder: Location
    quick: bool
    files: int
    rows: RowCounts | None
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def stands(self) -> bool:
        """Whether there are no findings."""
        return not self.findings

    def _facts(self) -> Iterator[Fact]:
        """Give whether the selection stands, and what was compared."""
        yield "stands", "yes" if self.stands else f"no, {counted(len(self.findings), 'finding')}"
        yield "files", f"{self.files:,}"
        rows = self.rows
        yield "rows", "not compared" if rows is None else f"{rows.stand:,} of {rows.derived:,}"
        yield "folder", self.folder

    def _more_facts(self) -> Iterator[Fact]:
        """Give the first findings, and the notes."""
        for finding in self.findings[:_SHOWN]:
            yield f"finding: {finding.kind}", finding.message
        if len(self.findings) > _SHOWN:
            yield "more findings", f"{len(self.findings) - _SHOWN:,}"
        for note in self.notes[:_SHOWN]:
            yield "note", note

    def describe(self) -> dict[str, Any]:
        """Return the same as plain values."""
        return {
            "stands": self.stands,
            "folder": str(self.folder),
            "quick": self.quick,
            "files": self.files,
            "rows": None if self.rows is None else self.rows.describe(),
            "findings": [finding.describe() for finding in self.findings],
            "notes": self.notes,
        }


@takes_arguments(MachineOptions, names=LimitArguments.__annotations__)
def verify(
    out: Selection | str | Path | RemotePath,
    *,
    raw: object = None,
    target: object = None,
    negatives: object = None,
    decontaminate: object = None,
    model: Estimator | str | Path | RemotePath | None = None,
    quick: bool = False,
    ignore_times: bool = False,
    progress: bool = False,
    **given: Unpack[LimitArguments],
) -> Verification:
    """Verify that the selection in a folder is what `selection.json` says, row for row.

    First compares every file with its checksum. Then makes the selection again from the manifest
    (the inputs, which must be unchanged, the settings and the seed), into a temporary folder as
    large as the selection (TMPDIR says where), and compares it with the output: which rows of which
    input, the bits of their log-weights, and every column of their content. Every difference is a
    finding, and so is anything that cannot be compared.

    Args:
        out: the folder that `dsir.select` wrote to, also by URL, or the selection that was written
            there.
        raw: where the raw corpus is now, given as in `dsir.select`; None for the paths in the
            manifest. Needed if it was in memory. Files may have another path and time of last
            change, but not another size.
        target: where the target is now, likewise.
        negatives: where the negatives of a classifier are now, likewise.
        decontaminate: where the texts are now that rows were compared with, likewise. Files may
            have another name, but not another text.
        model: the model to make a selection of `dsir write` again with; by default the file in
            the manifest, or the one in the folder. Such a selection has no target.
        quick: check only the checksums, and read no input.
        ignore_times: accept an input of the same path and size with another time of last change.
        progress: show progress on standard error.
        {arguments}

    Raises:
        OutputError: the folder has no selection, or one in a format of another version.
        SettingError: the call is wrong.
        StoreError: a store does not answer, or denies access.

    Example:
        >>> dsir.verify("selected/").stands  # doctest: +SKIP
    """
    machine = Machine.of({"progress": flag("progress", progress), **given})
    folder = folder_of_selection(out)
    manifest = read_selection_file(folder)
    where = folder / SELECTION_FILE
    findings = [Finding("manifest", f"{where}: {problem}") for problem in manifest.problems]
    notes = []
    with machine.reporter.stage("check", len(manifest.files), "files") as advance:
        findings += check_files(manifest, advance)
    for matters, message in check_nothing_else(manifest):
        if matters:
            findings.append(Finding("file", message))
        else:
            notes.append(message)
    rows = None
    if not quick and manifest.content["settings"]:
        # Rows that were too long for the limit would be refused as they are selected again.
        limits = ReadLimits(machine.memory.reading.batch_bytes)
        again = _Again(manifest, findings, notes, limits)
        found = again.inputs(raw, target, model, negatives, ignore_times=ignore_times)
        rows = None if found is None else again.run(*found, machine, decontaminate)
    return Verification(folder, quick, len(manifest.files), rows, findings, notes)


class _Again:
    """Makes a selection again and compares it; adds to findings and notes."""

    def __init__(
        self,
        manifest: Manifest,
        findings: list[Finding],
        notes: list[str],
        limits: ReadLimits,
    ) -> None:
        self._manifest = manifest
        self._findings = findings
        self._notes = notes
        self._limits = limits
        self._weight = str(manifest.settings.get("weight_column"))
        self._target = str(manifest.settings.get("target_column"))
        self._rows = RowCounts()
        self._shown: dict[str, int] = {}

    def inputs(
        self, raw: object, target: object, model: Any, negatives: object, *, ignore_times: bool
    ) -> tuple[Corpus, object, Corpus | None] | None:
        """Return raw, the target or model, and the negatives; None if one cannot be found."""
        manifest = self._manifest
        found_raw, findings = raw_of(manifest, raw, ignore_times=ignore_times)
        self._findings += findings
        other: object
        if is_of_stages(manifest):
            if target is not None:
                raise SettingError(
                    f"target: {manifest.folder} was selected with a fitted model and no target; "
                    "give model=... instead"
                )
            other, findings = model_of(manifest, model)
        elif model is not None:
            raise SettingError(
                f"model: {manifest.folder} was written by 'dsir select', which fits its own model; "
                "leave model out"
            )
        else:
            other, findings = target_of(manifest, target, ignore_times=ignore_times)
        self._findings += findings
        had = "negatives" in manifest.content["inputs"]
        if negatives is not None and not had:
            raise SettingError(
                f"negatives: {manifest.folder} was selected without any; leave negatives out"
            )
        unwanted, findings = negatives_of(manifest, negatives, ignore_times=ignore_times)
        self._findings += findings
        if found_raw is None or other is None or (had and unwanted is None):
            self._say("input", "the selection cannot be made again: an input is missing")
            return None
        return found_raw, other, unwanted

    def run(
        self,
        raw: Corpus,
        other: object,
        negatives: Corpus | None,
        machine: Machine,
        decontaminate: object,
    ) -> RowCounts | None:
        """Make the selection again and compare it; None if that is not possible.

        Args:
            raw: the corpus to select from.
            other: the target; for a selection of `dsir write` the model.
            negatives: what a classifier learned to tell the target from; None for raw.
            machine: what the run may use.
            decontaminate: where the texts that rows were compared with are now; None for the paths
                in the manifest.

        Raises:
            SettingError: rows were compared with no texts.
        """
        manifest = self._manifest
        if decontaminate is not None and "decontaminate" not in manifest.settings:
            raise SettingError(
                f"decontaminate: {manifest.folder} was selected without; leave decontaminate out"
            )
        with tempfile.TemporaryDirectory(prefix="dsir-verify-") as scratch:
            again = Path(scratch) / "again"
            try:
                if isinstance(other, Estimator):
                    write_again(manifest, raw, other, again, machine, decontaminate)
                else:
                    select_again(manifest, raw, other, negatives, again, machine, decontaminate)
                derived = read_selection_file(again)
            except StoreError:
                raise
            except DsirError as error:
                self._say("setting", f"the selection cannot be made again: {error}")
                return None
            for message in manifest_differences(self._manifest, derived):
                self._say("account", message)
            self._notes += version_differences(self._manifest, derived)
            total = sum(derived.files[part].rows for part in derived.parts)
            with machine.reporter.stage("compare", total, "rows") as advance:
                self._compare_rows(derived, advance)
        return self._rows

    def _compare_rows(self, derived: Manifest, advance: Advance) -> None:
        try:
            for pair in merged(self._written_rows(), _all_rows(derived, self._limits)):
                self._compare(pair)
                advance(len(pair.other))
        except OutputError as error:
            self._say("row", f"{self._manifest.folder}: {error}")

    def _written_rows(self) -> Iterator[Rows]:
        """Give the rows of the output; a part that cannot be read is a finding."""
        text = str(self._manifest.settings.get("text"))
        for part in self._manifest.parts:
            try:
                yield from in_order(part_rows(self._manifest, part, text, self._limits))
            except StoreError:
                raise
            except DsirError as error:
                self._say("file", f"{self._manifest.folder / part}: {error}")

    def _compare(self, pair: Pair) -> None:
        rows = self._rows
        rows.derived += len(pair.other)
        rows.missing += len(pair.only_other)
        rows.extra += len(pair.only_one)
        self._show(pair.other, pair.only_other, "is selected, but not in the output")
        self._show(pair.one, pair.only_one, "is in the output, but not selected")
        unlike = unlike_rows(pair, weight=self._weight, target=self._target)
        rows.other_weight += int(np.count_nonzero(unlike.weight))
        self._show(pair.one, pair.common_one[unlike.weight], "has another log-weight")
        rows.other_target += int(np.count_nonzero(unlike.target))
        self._show(pair.one, pair.common_one[unlike.target], "was taken by another target")
        rows.other_content += int(np.count_nonzero(unlike.content))
        self._show(pair.one, pair.common_one[unlike.content], "has other content")
        rows.stand += int(np.count_nonzero(~(unlike.weight | unlike.target | unlike.content)))

    def _show(self, rows: Rows, positions: npt.NDArray[np.int64], what: str) -> None:
        shown = self._shown.get(what, 0)
        self._shown[what] = shown + len(positions)
        sources = self._manifest.sources
        for at in positions[: max(0, _SHOWN - shown)].tolist():
            source = int(rows.origins.source[at])
            entry = sources[source] if source < len(sources) else {}
            name = entry.get("path") or entry.get("name") or f"input {source}"
            row = int(rows.origins.source_row[at])
            start = rows.origins.start
            window = "" if start is None else f", the window from byte {int(start[at])} on,"
            self._say("row", f"row {row} of {name!s:.300}{window} {what}")

    def _say(self, kind: str, message: str) -> None:
        self._findings.append(Finding(kind, message))


def _all_rows(manifest: Manifest, limits: ReadLimits) -> Iterator[Rows]:
    text = str(manifest.settings["text"])
    for part in manifest.parts:
        yield from part_rows(manifest, part, text, limits)
