"""One call of select(), from checked arguments to a finished selection."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsir.corpus import Corpus, Shard
from dsir.errors import InputError, SettingError, ShardError
from dsir.formats import format_of
from dsir.model.estimator import Estimator
from dsir.output import AddedColumns
from dsir.remote import Folder, Location, Mirror
from dsir.report.held import HeldInputs
from dsir.run.accounts import warn_of_other_columns
from dsir.run.combining import choose_rows
from dsir.run.contaminated import write_contaminated_list
from dsir.run.drawing import Drawing
from dsir.run.finish import fetch, finish
from dsir.run.first_look import check_output
from dsir.run.fitting import Fitted, fit_model
from dsir.run.given_model import GivenModel
from dsir.run.inputs import Inputs
from dsir.run.pipeline import Pipeline
from dsir.run.run_files import described_inputs, write_run_file
from dsir.run.run_output import HeldOutput, RunOutput
from dsir.run.selection import Selection
from dsir.run.writing import plan_parts
from dsir.settings.fit import FitArguments
from dsir.settings.machine import Machine
from dsir.settings.plan import Plan
from dsir.stages.damage.columns import LostGroups, find_damage, lost_before, raise_named
from dsir.stages.kept.plan import kept_folder
from dsir.stages.sample import ShardRows
from dsir.stages.unit_scores import rows_of
from dsir.stages.units import file_ranges, placed, skipped_in_files
from dsir.storage.workdir import Workdir
from dsir.storage.workdir_folder import is_new, make_folder
from dsir.storage.workdir_folder import remove_unfinished as remove_unfinished_results
from dsir.storage.workdir_lock import locked
from dsir.storage.workdir_manifest import fingerprint_of

_WAY_OUT = 'repair the file and start again, or give on_error="skip" to pass over the row group'


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionRun:
    """One call of select(), checked.

    Attributes:
        plan: everything that the result depends on, besides the inputs.
        machine: what the run may use.
        inputs: the corpora, in units of work.
        fitted: a model that was fitted before; None to fit one to the target.
        out: the folder to write to; None to get the rows in memory.
        overwrite: replace a selection in `out`.
        pipeline: runs the stages.
    """

    plan: Plan
    machine: Machine
    inputs: Inputs
    fitted: GivenModel | None
    out: Location | None
    overwrite: bool
    pipeline: Pipeline

    @classmethod
    def of(
        cls,
        plan: Plan,
        machine: Machine,
        inputs: Inputs,
        out: Location | None,
        *,
        overwrite: bool,
        fitted: GivenModel | None = None,
    ) -> SelectionRun:
        """Return the run of a plan."""
        pipeline = Pipeline(machine, plan.reading)
        return cls(
            plan=plan,
            machine=machine,
            inputs=inputs,
            fitted=fitted,
            out=out,
            overwrite=overwrite,
            pipeline=pipeline,
        )

    @property
    def raw(self) -> Corpus:
        """The corpus to select from."""
        return self.inputs.raw

    @property
    def added(self) -> AddedColumns:
        """The columns that are added to the rows."""
        if self.fitted is not None:
            return self.plan.output.added(tuple(self.fitted.model.column_names))
        separate = self.plan.fit.targets == "separate"
        return self.plan.output.added(self.inputs.target.names if separate else ())

    def in_workdir(self, folder: Folder, *, durable: bool) -> Selection:
        """Run with the results of stages in a folder; `durable` if later calls may use them."""
        if durable and any(shard.kind == "memory" for shard in self.raw.shards):
            raise SettingError(
                "workdir: raw is in memory, but only results of files can be kept; leave it out"
            )
        if durable:
            self.check_folders(folder)
        make_folder(folder)
        self._check_workers(folder)
        with locked(folder):
            workdir = Workdir(
                folder,
                {"stage": "select"},
                self.inputs.identity(),
                units=self.inputs.units(),
                durable=durable,
            )
            remove_unfinished_results(folder)
            return self.run(workdir)

    def check_folders(self, folder: Folder) -> None:
        """Raise before a work directory is made: a call that is refused makes none.

        Args:
            folder: the work directory; it need not exist.

        Raises:
            SettingError: it is in the output folder.
            OutputError: see `check_output`.
        """
        place, out = _place_of(folder), self.out
        if isinstance(place, Path) and isinstance(out, Path):
            place, out = place.resolve(), out.resolve()
        if out is not None and out in (place, *place.parents):
            raise SettingError(
                f"workdir: {place} is in the output folder, which is for the selection alone; give "
                "a folder outside of it"
            )
        if is_new(folder):
            self._check_output(resuming=False)

    def _check_workers(self, folder: Folder) -> None:
        """Raise, before any work, if the workers of the engine do not see what they need."""
        shards = [
            shard for one in (self.raw, *self.inputs.target.all_corpora) for shard in one.shards
        ]
        files = [shard.file for shard in shards[:1] + shards[-1:] if shard.file is not None]
        out = [] if self.out is None else [self.out]
        place = _place_of(folder)
        self.machine.engine.check(place, [*files, *out])

    def run(self, workdir: Workdir | None) -> Selection:
        """Run all stages, and return the selection."""
        begun = time.time()
        # A task may store rows for another task, which may run on another machine.
        engine = self.pipeline.engine
        seen = engine.needs_workdir and workdir is not None and workdir.mirror is None
        shared = workdir if engine.shares_files or seen else None
        output = self.output()
        if output is None:
            self._check_columns()
        with (
            contextlib.nullcontext() if output is None else output.held(workdir) as held,
            kept_folder(shared) as kept,
        ):
            return self._select(workdir, kept, held, begun)

    def output(self) -> RunOutput | None:
        """Return the output folder; None if the rows stay in memory."""
        if self.out is None:
            return None
        return RunOutput(
            folder=self.out,
            run=fingerprint_of([self.writing, self.inputs.identity()]),
            settings=self.writing,
            overwrite=self.overwrite,
            check=self._check_output,
        )

    @property
    def drawing(self) -> Drawing:
        """How the run scores and draws."""
        return Drawing(
            plan=self.plan,
            pipeline=self.pipeline,
            raw=self.raw,
            target_names=self.added.target_names,
            run=fingerprint_of(self.writing),
        )

    @property
    def writing(self) -> dict[str, Any]:
        """The settings that the output folder depends on, besides the inputs."""
        return {
            "stage": "write",
            "out": None if self.out is None else str(self.out),
            **self.plan.result(),
            **({} if self.fitted is None else {"model": self.fitted.model.fingerprint}),
        }

    @property
    def _settings(self) -> dict[str, Any]:
        """The settings of the manifest; with a fitted model those that `dsir write` has."""
        described = self.plan.describe()
        if self.fitted is None:
            return described
        not_used = {*FitArguments.__annotations__, "max_bad_rows", "max_bad_shards"}
        if self.plan.combine is None:
            not_used.add("combine")
        return {
            **{name: value for name, value in described.items() if name not in not_used},
            "groups": list(self.plan.draw.extra.groups),
            **self.fitted.model.describe(),
        }

    def _select(
        self,
        workdir: Workdir | None,
        kept: Path | None,
        held: HeldOutput | None,
        begun: float,
    ) -> Selection:
        """Fit, score, draw and write; again without the damaged row groups if some are found."""
        model, fitted = self._fit(workdir, kept if self.pipeline.engine.shares_files else None)
        if workdir is not None and workdir.durable:
            model.save(workdir.location("model.dsir"))
        lost = lost_before(workdir, fingerprint_of(self.writing))
        drawing = self.drawing
        while True:
            scores, drawn, rows = drawing.draw(model, workdir, kept, fitted, lost)
            shards = placed(self.raw.shards, [unit.source_rows for unit in scores])
            if self.plan.combine is not None:
                settings = self.plan.draw.calibrated(model.calibrations)
                try:
                    drawn, rows = choose_rows(
                        self.pipeline, shards, scores, rows, drawn, settings, self.plan.combine
                    )
                except ShardError as error:
                    lost = self._with_damage(error, lost, shards, rows, workdir)
                    continue
            planned = plan_parts(shards, rows, self.plan.output)
            outputs = planned.shards
            for output in outputs:
                self.added.refuse_taken_names(output.schema)
            skipped = fitted.skipped + skipped_in_files(shards, [unit.skipped for unit in scores])
            of_units = rows_of(scores)
            rows_read = [int(of_units[first:stop].sum()) for first, stop in file_ranges(shards)]
            described = described_inputs(self.inputs, rows_read, fitted, self.fitted)
            outputs_workdir = None if held is None else held.open(lost)
            try:
                written = fetch(
                    self.pipeline, outputs, self.out, self.added, model, outputs_workdir
                )
            except ShardError as error:
                lost = self._with_damage(error, lost, shards, rows, workdir)
                continue
            if held is not None:
                warn_of_other_columns(planned)
            if self.out is not None:
                texts = self.plan.documents.decontaminate
                listed = write_contaminated_list(self.out, shards, scores, texts)
                written = written._replace(files=written.files + listed)
            stages = {name: timed.describe() for name, timed in self.pipeline.times.items()}
            selection, manifest = finish(
                written,
                drawing.accounts(scores, drawn, rows),
                rows,
                model,
                skipped,
                out=self.out,
                held=HeldInputs.of(self.raw, self.inputs.target.corpora)
                if self.out is None
                else None,
                inputs=described,
                settings=self._settings,
                stages=stages,
                separate=bool(self.added.target_names),
            )
            if held is not None:
                write_run_file(
                    held.output.folder, self.machine, self.inputs, selection.metrics.stages, begun
                )
                held.finish(manifest)
            return selection

    def _fit(self, workdir: Workdir | None, kept: Path | None) -> tuple[Estimator, Fitted]:
        if self.fitted is not None:
            return self.fitted.model, Fitted([], (), [], [], [], [])
        return fit_model(
            self.pipeline,
            self.raw,
            self.inputs.target,
            self.plan.fit,
            workdir.stage("counts", self.plan.counts()) if workdir else None,
            kept,
        )

    def _with_damage(
        self,
        error: ShardError,
        lost: LostGroups,
        shards: Sequence[Shard],
        rows: Sequence[ShardRows],
        workdir: Workdir | None,
    ) -> LostGroups:
        """Return `lost` with the damaged row groups that the selected rows come from.

        Raises:
            ShardError: `error`, if it is not about a damaged row group, or if damaged data must not
                be skipped.
        """
        if not self.plan.reading.skips or error.row_group is None:
            raise_named(error, shards, rows, _WAY_OUT)
        found = find_damage(shards, rows)
        extended = lost.with_more(found)
        if extended == lost:
            raise error
        if workdir is not None:
            extended.keep(workdir, fingerprint_of(self.writing))
        return extended

    def _check_output(self, resuming: bool) -> None:
        """Raise before the first stage what would stop the last one."""
        if self.out is None:
            self._check_columns()
            return
        corpora = (self.raw, *self.inputs.target.all_corpora)
        shards = (shard for corpus in corpora for shard in corpus.first_shards)
        check_output(self.out, shards, overwrite=self.overwrite, resuming=resuming)
        self._check_columns()

    def _check_columns(self) -> None:
        """Raise SettingError if added columns, or lines beside tables, cannot be in the output."""
        lines = {format_of(shard.kind).rows_are_lines for shard in self.raw.first_shards}
        # Files of one kind may all be skipped; what is left may then be one table.
        if self.out is None and len(lines) > 1 and not self.plan.reading.skips:
            raise SettingError(
                "raw has JSON Lines and tables: they have different columns and cannot be one "
                "table; give out=... to write each as it is"
            )
        # One shard of each kind is usually like the others; planning the output checks them all.
        first = {shard.kind: shard for shard in reversed(self.raw.first_shards)}
        for shard in first.values():
            with contextlib.suppress(InputError):  # The stage that reads the shard reports it.
                self.added.refuse_taken_names(shard.schema())


def _place_of(folder: Folder) -> Location:
    """Return where a work directory is: in the store, if it is the mirror of one there."""
    return folder.remote if isinstance(folder, Mirror) else folder
