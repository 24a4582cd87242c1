"""The work on a planned run: what one of its workers does.

A worker goes through the stages of a run. The units of a stage are shared between the workers
(`run.shared_tasks`). What needs all units of a stage, the model and the draw, is made by one worker
while the others wait, and is sealed in the work directory. The results are those of
`SelectionRun`, in the same places, so that `finish_run` is a call of select() that finds everything
done and writes the manifest.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal, get_args

from dsir.corpus.units import sizes_of
from dsir.errors import InputError, WorkdirError
from dsir.model.estimator import Estimator
from dsir.model.estimators import load_estimator
from dsir.run.crew import Crew, WorkDone
from dsir.run.drawing import DRAWN
from dsir.run.duplicates import search_in
from dsir.run.fitting import Fitted, fit_counts, fit_model
from dsir.run.folders import draw_shares, rows_workdir, take_columns
from dsir.run.kept_scores import open_scores
from dsir.run.planned import PlannedRun
from dsir.run.select_run import SelectionRun
from dsir.run.selection import Selection
from dsir.run.shared_engine import SharedEngine
from dsir.run.shared_tasks import Share
from dsir.run.writing import plan_parts, write_tasks
from dsir.settings.draw import DrawSettings
from dsir.stages.count import count_shard
from dsir.stages.damage.columns import LostGroups, lost_before
from dsir.stages.damage.units import without_unnumbered_of
from dsir.stages.draw_apart import draw_apart, has_one_quota_at_most
from dsir.stages.draw_note import can_note, note_of
from dsir.stages.drawn import Draw
from dsir.stages.duplicates.layout import hashes_a_row
from dsir.stages.duplicates.search import DuplicateSearch
from dsir.stages.kept.apart import KeptApart
from dsir.stages.kept.named import named_files
from dsir.stages.kept.plan import FOLDER, plan_keeping
from dsir.stages.merged_groups import merge_groups
from dsir.stages.sample import load_shard_rows, sample_shard
from dsir.stages.score import score_shard
from dsir.stages.score_table import ScoreForm
from dsir.stages.unit_rows import UnitRows
from dsir.stages.unit_scores import ChangeableScores, rows_of
from dsir.stages.units import placed
from dsir.stages.write import write_shard
from dsir.storage.marker import is_whole
from dsir.storage.workdir import Workdir
from dsir.storage.workdir_manifest import fingerprint_of
from dsir.storage.workers import Worker, remove_dead

Until = Literal["fit", "score", "sample", "write"]
UNTIL = get_args(Until)

_FITTED = "fitted.json"
_DRAWING = "drawing.json"  # The folders of the draw are made.
_SEARCHING = "searching.json"  # The folder of the search for duplicates is made.
# A corpus of fewer rows is drawn from by one worker, before the others would have begun.
_APART_ROWS = 1 << 24


def work_on(planned: PlannedRun, share: Share, until: Until = "write") -> WorkDone:
    """Do units of a planned run until none is left.

    Args:
        planned: the run.
        share: the units to do first.
        until: the last stage to work on.

    Returns:
        What was done. A unit whose input cannot be read is left, with its error; all others are
        done.

    Raises:
        WorkdirError: the results in the work directory are damaged, or it cannot be written to.
        DsirError: what the model or the draw raises; see `select`.
    """
    folder = planned.workdir.folder
    worker = Worker(folder)
    try:
        with worker.at_work():
            return _Work(planned.run, planned.workdir, worker, share).until(until)
    except OSError as error:
        raise WorkdirError(f"{folder}: cannot be written to: {error}") from error


def finish_run(planned: PlannedRun) -> Selection:
    """Do what is left of a planned run, with the workers that are alive, and write the manifest.

    Raises:
        DsirError: see `select`.
    """
    with suppress(InputError):  # The run itself meets the unit again, and tells where it is.
        work_on(planned, Share())
    remove_dead(planned.workdir.folder)
    return planned.run.in_workdir(planned.workdir.folder, durable=True)


class _Work:
    """The stages, for one worker."""

    def __init__(self, run: SelectionRun, workdir: Workdir, worker: Worker, share: Share) -> None:
        self._run = run
        self._workdir = workdir
        self._worker = worker
        self._share = share
        self._pipeline = run.pipeline
        self._plan = fingerprint_of(run.writing)
        output = run.output()
        assert output is not None, "a planned run writes to a folder"
        self._output = output
        self._crew = Crew(
            workdir, self._plan, worker, share, self._pipeline, skips=run.plan.reading.skips
        )

    def until(self, until: Until) -> WorkDone:
        """Go through the stages up to one of them."""
        steps: list[tuple[Until, Callable[[], bool]]] = [
            ("fit", self._fit),
            ("score", self._score),
            ("sample", self._sample),
            ("write", self._write),
        ]
        for stage, step in steps:
            self._worker.stage = stage
            if not step() or stage == until:
                break
        return self._crew.done

    def _fit(self) -> bool:
        if self._fitted() is not None:
            return True
        run, counts = self._run, self._counts()
        tasks = [
            task
            for _, count in fit_counts(
                self._pipeline, run.raw, run.inputs.target, run.plan.fit, counts
            )
            for task in count.tasks(self._pipeline.engine)
        ]
        sizes = [task.shard.size for task in tasks]
        if not self._crew.share_out("fit", count_shard, tasks, sizes, "bytes"):
            return False
        self._crew.once("fit", self._fitted, self._make_model)
        return True

    def _counts(self) -> Workdir:
        return self._workdir.stage("counts", self._run.plan.counts())

    def _fitted(self) -> Estimator | None:
        """Return the model, if it is made."""
        note = self._workdir.kept(_FITTED)
        if note is None or note.get("plan") != self._plan:
            return None
        model = load_estimator(self._workdir.location("model.dsir"))
        if model.fingerprint != note.get("model"):
            raise WorkdirError(
                f"{self._workdir.location('model.dsir')}: is not the model of this run; "
                f"remove {self._workdir.location(_FITTED)} to fit it again"
            )
        return model

    def _make_model(self) -> Estimator:
        run = self._run
        model, fitted = fit_model(
            self._pipeline, run.raw, run.inputs.target, run.plan.fit, self._counts()
        )
        model.save(self._workdir.location("model.dsir"))
        self._scores_of(model)
        note: dict[str, Any] = {"plan": self._plan, "model": model.fingerprint}
        # What those who score need to keep rows: how many rows come before a unit, and how much of
        # the disk all of them may fill.
        if any(shard.rows_in_metadata() is None for shard in run.raw.first_shards):
            note["rows"] = fitted.raw_rows
        if self._workdir.mirror is None:
            note["free"] = shutil.disk_usage(self._workdir.path).free
        self._workdir.keep(_FITTED, note)
        return model

    def _scores_of(self, model: Estimator) -> Any:
        plan = self._run.plan
        settings = plan.draw if plan.combine is None else plan.combine.widened(plan.draw)
        return open_scores(
            self._workdir,
            self._run.raw,
            model,
            plan.documents.row_filters,
            plan.reading.on_error,
            settings.extra,
        )

    def _model(self) -> Estimator:
        model = self._fitted()
        if model is None:
            raise WorkdirError(f"{self._workdir.folder}: the model has gone; start again")
        return model

    def _keeping(self, model: Estimator) -> KeptApart | None:
        """Return what keeps rows while they are scored; None where no rows are kept."""
        run, note = self._run, self._workdir.kept(_FITTED)
        free = None if note is None else note.get("free")
        if note is None or self._workdir.mirror is not None or not isinstance(free, int):
            return None
        folder = self._workdir.path / FOLDER
        folder.mkdir(exist_ok=True)
        rows = note.get("rows")
        if not isinstance(rows, list) or len(rows) != len(run.raw.shards):
            rows = []
        keeps = plan_keeping(
            run.raw.shards,
            run.drawing.settings(model),
            draw_shares(model),
            folder,
            [row if is_whole(row) else None for row in rows],
        )
        if not any(keeps):
            return None
        return KeptApart(folder, keeps, free - free // 4)

    def _score(self) -> bool:
        if self._drawn() is not None:
            return True
        model = self._model()
        folder, extra, earlier = self._scores_of(model)
        tasks = self._pipeline.score_tasks(
            self._run.raw,
            model,
            self._run.plan.documents.row_filters,
            folder,
            range(len(self._run.raw.shards)),
            extra=extra,
            earlier=earlier,
            apart=self._keeping(model),
        )
        sizes = sizes_of(self._run.raw.shards)
        return self._crew.share_out("score", score_shard, tasks, sizes, "bytes")

    def _drawn(self) -> dict[str, Any] | None:
        """Return the note of the draw, if it is made."""
        return self._crew.noted(DRAWN)

    def _sample(self) -> bool:
        if self._run.plan.combine is not None:
            self._crew.done.left.append(
                "the choice by several measures and the output are made by 'dsir finish'"
            )
            return False
        if self._drawn() is not None:
            return True
        model, lost = self._model(), lost_before(self._workdir, self._plan)
        settings = self._run.drawing.settings(model)
        if lost or not (_is_drawn_apart(settings) or settings.dedup != "none"):
            self._crew.once("draw", self._drawn, self._make_draw)
            return True
        return self._draw_together(model, settings)

    def _draw_together(self, model: Estimator, settings: DrawSettings) -> bool:
        """Draw with the other workers, each of which reads some of the scores."""
        run = self._run
        folder, extra, earlier = self._scores_of(model)
        scores = self._pipeline.score(
            run.raw,
            model,
            run.plan.documents.row_filters,
            folder,
            extra=extra,
            earlier=earlier,
            noted=True,
        )
        numbered = without_unnumbered_of(run.raw.shards, scores)
        sizes = rows_of(numbered)
        if sizes.sum() * max(1, hashes_a_row(settings.dedup)) < _APART_ROWS:
            self._crew.once("draw", self._drawn, self._make_draw)
            return True
        take_columns(numbered, extra, settings)
        if settings.dedup != "none" and not self._find_duplicates(numbered, settings, folder):
            return False
        if not _is_drawn_apart(settings):
            self._crew.once("draw", self._drawn, self._make_draw)
            return True

        def folders() -> tuple[Workdir, Workdir]:
            rows = rows_workdir(
                self._workdir.folder / "rows", folder.manifest, settings, repeats=True
            )
            return rows, self._workdir.stage("draw", {"rows": rows.fingerprint})

        # Opened by one worker first: who opens a folder that is of another draw empties it.
        self._crew.once(
            "drawing",
            lambda: self._crew.noted(_DRAWING),
            lambda: self._crew.note(_DRAWING, folders),
        )
        rows, found = folders()
        engine = SharedEngine(found, self._worker, self._share, self._pipeline.engine)
        columns = settings.quotas.columns
        drawn = draw_apart(
            numbered,
            settings,
            draw_shares(model),
            engine,
            groups=merge_groups(numbered, columns) if columns else None,
            folder=found,
            checks=True,
        )
        tasks = self._pipeline.sample_tasks(numbered, settings, drawn, rows)
        if not self._crew.share_out("sample", sample_shard, tasks, sizes, "rows"):
            return False
        self._crew.once("draw", self._drawn, lambda: self._make_draw(drawn))
        return True

    def _find_duplicates(
        self, scores: ChangeableScores, settings: DrawSettings, folder: Workdir
    ) -> bool:
        """Mark duplicates with the other workers; return whether all are marked."""
        opened = search_in(self._workdir, "duplicates", scores, folder.fingerprint, settings)
        # By one worker first, as the folders of the draw.
        self._crew.once(
            "search",
            lambda: self._crew.noted(_SEARCHING),
            lambda: self._crew.note(_SEARCHING, lambda: opened(True)),
        )
        found = opened(True)
        assert found is not None
        most = self._pipeline.machine.memory.task_hashes
        search = DuplicateSearch(scores, settings, found, most, checks=True)
        for step in () if search.is_done else search.steps():
            try:
                done = self._crew.share_out(step.name, step.stage, step.tasks, step.sizes, "rows")
            except WorkdirError:
                # The others went on without this worker, and have removed what it was reading.
                if search.is_done:
                    break
                raise
            if not done:
                return False
        # How many each unit has is asked by whoever makes the accounts.
        search.marked(scores, counted=False)
        return True

    def _make_draw(self, known: Draw | None = None) -> dict[str, Any]:
        """Draw, or take the draw that is known, and open the output folder."""
        run = self._run
        lost = lost_before(self._workdir, self._plan)
        with self._output.held(self._workdir, for_workers=True) as held:
            # Nothing is known of the fit here, and nothing is scored that could be kept.
            fitted = Fitted([], (), [None] * len(run.raw.shards), [], [], [])
            model = self._model()
            scores, drawn, _ = run.drawing.draw(model, self._workdir, None, fitted, lost, known)
            held.open(lost)
        note: dict[str, Any] = {"plan": self._plan}
        settings = run.drawing.settings(model)
        # Who knows the draw reads no scores, so duplicates must be marked in files.
        in_files = settings.dedup == "none" or any(unit.marks is not None for unit in scores)
        if not lost and in_files and can_note(drawn):
            note["draw"] = note_of(drawn)
        self._workdir.keep(DRAWN, note)
        return note

    def _write(self) -> bool:
        run, lost = self._run, lost_before(self._workdir, self._plan)
        self._output.refuse_lost(self._workdir)
        model = self._model()
        rows = self._drawn_rows(lost, model)
        shards = placed(run.raw.shards, [unit.source_rows for unit in rows])
        outputs = plan_parts(shards, rows, run.plan.output).shards
        for output in outputs:
            run.added.refuse_taken_names(output.schema)
        folder = self._workdir.stage(lost.stage("outputs"), run.writing)
        out = self._output.folder
        tasks = write_tasks(self._pipeline, outputs, out, run.added, model.features, folder)
        sizes = [output.rows for output in outputs]
        return self._crew.share_out("write", write_shard, tasks, sizes, "rows")

    def _drawn_rows(self, lost: LostGroups, model: Estimator) -> UnitRows:
        manifest = self._workdir.stage_manifest("scores")
        if manifest is None:
            raise WorkdirError(f"{self._workdir.folder}: the scores have gone; start again")
        settings = self._run.plan.draw.calibrated(model.calibrations)
        folder = rows_workdir(self._workdir.folder / lost.stage("rows"), manifest, settings)
        kept = named_files(self._workdir.path / FOLDER)
        form = ScoreForm(model.columns, chunks=self._run.raw.shards[0].is_windows)
        units = UnitRows()
        for number, shard in enumerate(self._run.raw.shards):
            place = folder.place(number)
            marker = place.finished()
            if marker is None:
                raise WorkdirError(
                    f"{folder.folder}: the drawn rows of {shard.name} are missing; "
                    f"remove {self._workdir.location(DRAWN)} to draw again"
                )
            of_unit = None if number in lost.by_unit else kept.path(number)
            units.append(load_shard_rows(place, marker, form, of_unit))
        return units


def _is_drawn_apart(settings: DrawSettings) -> bool:
    """Tell whether workers can draw together: several quotas need all rows in one place."""
    return has_one_quota_at_most(settings) and settings.rule.method != "coverage"
