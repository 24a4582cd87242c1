"""Scoring every unit and drawing rows, and what this keeps in a work directory."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dsir.corpus import Corpus
from dsir.model.estimator import Estimator
from dsir.model.relevance import RelevanceModel
from dsir.run.accounts import accounts_of
from dsir.run.accounts_file import keep_accounts
from dsir.run.covering import Covered
from dsir.run.duplicates import search_in
from dsir.run.fitting import Fitted
from dsir.run.folders import draw_shares, rows_workdir, take_columns
from dsir.run.kept_scores import open_scores
from dsir.run.metrics import Metrics
from dsir.run.pipeline import Pipeline
from dsir.settings.draw import DrawSettings
from dsir.settings.plan import Plan
from dsir.stages.damage.columns import LostGroups
from dsir.stages.damage.units import without_unnumbered_of
from dsir.stages.draw_note import draw_of
from dsir.stages.drawn import Draw
from dsir.stages.kept.apart import KeptApart
from dsir.stages.kept.gate import Keep
from dsir.stages.kept.plan import plan_keeping
from dsir.stages.sample import ShardRows
from dsir.stages.shard_scores import ShardScores
from dsir.stages.unit_scores import ChangeableScores
from dsir.stages.units import file_ranges
from dsir.storage.workdir import Workdir

DRAWN = "drawn.json"  # In the work directory of a planned run: the draw is made.


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How one call of select() scores and draws.

    Attributes:
        plan: everything that the result depends on, besides the inputs.
        pipeline: runs the stages.
        raw: the corpus to select from, in units of work.
        target_names: the names of separate targets; empty for one target or a mixture.
        run: a fingerprint of what the selection depends on, which a draw by workers is kept with.
    """

    plan: Plan
    pipeline: Pipeline
    raw: Corpus
    target_names: Sequence[str]
    run: str

    def settings(self, model: Estimator) -> DrawSettings:
        """Return how rows are drawn: with two measures, how their candidates are."""
        settings = self.plan.draw.calibrated(model.calibrations)
        return settings if self.plan.combine is None else self.plan.combine.widened(settings)

    def draw(
        self,
        model: Estimator,
        workdir: Workdir | None,
        kept: Path | None,
        fitted: Fitted,
        lost: LostGroups,
        known: Draw | None = None,
    ) -> tuple[ChangeableScores, Draw, Sequence[ShardRows]]:
        """Score every unit and draw; return the scores, the draw and the selected rows by unit.

        Args:
            model: the model of the run.
            workdir: the folder that keeps the results; None to hold them in memory.
            kept: the folder for rows that are kept as they pass; None to keep none.
            fitted: the results of the fit besides the model.
            lost: the damaged row groups, which are passed over.
            known: the draw, if it is known; then all scores and rows are in `workdir`. None to make
                it, unless the workers of a planned run have.
        """
        filters = self.plan.documents.row_filters
        shares = draw_shares(model)
        settings = self.settings(model)
        covered = self._covered(model, kept or _seen_by_all(workdir), lost)
        if workdir is None:
            extra = settings.extra
            scores = self.pipeline.score(self.raw, model, filters, None, extra=extra)
            if lost:
                scores = self.pipeline.score_again(
                    self.raw, scores, lost, model, filters, None, extra
                )
            numbered = without_unnumbered_of(self.raw.shards, scores)
            return numbered, *self.pipeline.sample(numbered, settings, shares, None, covered)
        place, durable = workdir.folder, workdir.durable
        on_error = self.plan.reading.on_error
        folder, extra, earlier = open_scores(
            workdir, self.raw, model, filters, on_error, settings.extra
        )
        if known is None and not lost:
            known = self._drawn_before(workdir, settings, len(shares))
        keeps: Sequence[Keep | None] = ()
        if kept is not None and known is None:
            keeps = plan_keeping(self.raw.shards, settings, shares, kept, fitted.raw_rows)
        apart = None
        if kept is not None and any(keeps) and not self.pipeline.engine.shares_files:
            free = shutil.disk_usage(kept).free
            keeps, apart = (), KeptApart(kept, keeps, free - free // 4)
        scores = self.pipeline.score(
            self.raw,
            model,
            filters,
            folder,
            keeps=keeps,
            spooled=fitted.spooled,
            extra=extra,
            earlier=earlier,
            apart=apart,
            noted=known is not None,
        )
        if lost:
            scores = self.pipeline.score_again(
                self.raw, scores, lost, model, filters, folder, extra
            )
        numbered = without_unnumbered_of(self.raw.shards, scores)
        take_columns(numbered, extra, settings)
        manifest = folder.manifest

        def in_rows() -> Workdir:
            return rows_workdir(
                place / lost.stage("rows"), manifest, settings, durable=durable, repeats=True
            )

        search = None
        if settings.dedup != "none":
            search = search_in(
                workdir, lost.stage("duplicates"), numbered, folder.fingerprint, settings
            )

        def in_groups() -> Workdir:
            described = {"scores": folder.fingerprint, "draw": settings.describe()}
            return workdir.stage(lost.stage("groups"), described)

        drawn, rows = self.pipeline.sample(
            numbered, settings, shares, in_rows, covered, known, search, in_groups
        )
        if durable:  # 'dsir write' can write from a work directory that is kept.
            keep_accounts(
                in_rows(), manifest["settings"], self.accounts(numbered, drawn, rows), numbered
            )
        return numbered, drawn, rows

    def _drawn_before(self, workdir: Workdir, settings: DrawSettings, columns: int) -> Draw | None:
        """Return the draw that the workers of this run have made; None if they have not."""
        if not workdir.durable:
            return None
        note = workdir.kept(DRAWN)
        if note is None or note.get("plan") != self.run:
            return None
        return draw_of(note.get("draw"), settings, columns)

    def _covered(self, model: Estimator, kept: Path | None, lost: LostGroups) -> Covered | None:
        """Return what a coverage selection needs beside the scores; None for another method."""
        if self.plan.draw.rule.method != "coverage" or not isinstance(model, RelevanceModel):
            return None
        units = [
            lost.unit(unit, number) if number in lost.by_unit else unit
            for number, unit in enumerate(self.raw.shards)
        ]
        return Covered(model, units, kept)

    def accounts(
        self, scores: Sequence[ShardScores], drawn: Draw, rows: Sequence[ShardRows]
    ) -> Metrics:
        """Return the accounts of a draw."""
        filters = self.plan.documents.row_filters
        return accounts_of(
            scores,
            drawn,
            rows,
            self.target_names,
            () if filters is None else filters.active,
            units=[stop - first for first, stop in file_ranges(self.raw.shards)],
        )


def _seen_by_all(workdir: Workdir | None) -> Path | None:
    """Return a folder that the workers of every engine see; None if there is none."""
    return workdir.path if workdir is not None and workdir.durable and not workdir.mirror else None
