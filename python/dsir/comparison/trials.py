"""The trials of a comparison: every method, budget and seed, with one pass over raw for each need.

Raw is read once to count the n-grams that selections are measured by, as far as a fit asks once for
each kind of n-grams, once to score all documents with all models, and once for the texts of all
selections. `coverage` reads the texts of its pools besides, and a classifier its examples.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir.comparison.composition import (
    Drawn,
    Shares,
    Trial,
    first_rows,
    overlaps,
    shares_of,
)
from dsir.comparison.held_out import Parts, split_target, uniform
from dsir.comparison.measures import (
    MOST_TOKENS,
    ListedUnit,
    Measured,
    Measures,
    Selected,
)
from dsir.comparison.variants import Variant
from dsir.corpus import Corpus
from dsir.errors import BudgetError
from dsir.model.estimator import Estimator
from dsir.model.features import HashedNgrams
from dsir.model.relevance import RelevanceModel
from dsir.model.targets import TargetCorpora
from dsir.model.together import Together
from dsir.progress import Silent
from dsir.run.combining import choose_rows
from dsir.run.covering import Covered, list_pool
from dsir.run.fitting import count_all, count_raw, fit_to_counted
from dsir.run.folders import separate_targets, take_columns
from dsir.run.inputs import prepared
from dsir.run.pipeline import Pipeline
from dsir.settings.extra_columns import ExtraColumns
from dsir.settings.fit import FitSettings, FitTokens, limit_per_file
from dsir.settings.plan import Plan
from dsir.stages.count import ShardCounts
from dsir.stages.coverage_pool import PoolRows
from dsir.stages.damage.units import without_unnumbered_of
from dsir.stages.shard_scores import ShardScores
from dsir.stages.units import placed, unit_layout
from dsir.storage.workdir import Workdir


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a trial.

    Attributes:
        measured: what was measured of the selection.
        effective_sample_size: of the weights; None for methods that do not draw by weight.
        fit_seconds: how long the model of the method took, without scores, which all share.
        draw_seconds: how long the draw took.
    """

    measured: Measured
    effective_sample_size: float | None
    fit_seconds: float
    draw_seconds: float


@dataclass(frozen=True, slots=True)
class Trials:
    """What came of all trials.

    Attributes:
        results: by trial, in the order of budgets, methods and seeds.
        overlaps: for each budget and pair of methods, rows in common as a share of the rows that
            either has; the mean over the seeds.
        shares: for each value of the column that was asked for, its share of the tokens of raw,
            and of those of each method's selections at each budget; None if none was asked for.
        documents: by seed, documents of the target that were given and kept out.
        rows: rows of raw.
        tokens: tokens of raw.
        score_seconds: how long the scores of all methods and seeds took together.
    """

    results: Mapping[Trial, Result]
    overlaps: Mapping[tuple[int, int, int], float]
    shares: Shares | None
    documents: Sequence[tuple[int, int]]
    rows: int
    tokens: int
    score_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRun:
    """A checked comparison.

    Attributes:
        pipeline: runs the stages.
        raw: the corpus, in units.
        target: the targets, whole.
        variants: the methods.
        plans: what each method would do, by trial.
        seeds: the seeds.
        hold_out: the share of the target that is kept out.
        shares_by: the column whose values' shares are told; None for none.
        features: the n-grams whose tokens count.
        folder: where scores and lists are kept meanwhile.
    """

    pipeline: Pipeline
    raw: Corpus
    target: TargetCorpora
    variants: Sequence[Variant]
    plans: Mapping[Trial, Plan]
    seeds: Sequence[int]
    hold_out: float
    shares_by: str | None
    features: HashedNgrams
    folder: Path

    def run(self) -> Trials:
        """Run all trials.

        Raises:
            DsirError: see `dsir.compare`.
        """
        threads = self.pipeline.engine.threads_here
        measures = Measures(self.features)
        parts = split_target(
            self.target,
            self.seeds,
            self.hold_out,
            measures,
            self.folder,
            on_error=self.pipeline.reading.on_error,
            threads=threads,
        )
        models = self._models(parts)
        counts = models.raw_counts(self.pipeline, self.raw, measures.kl_features)
        columns = _ScoredColumns(self.variants, models)
        begun = time.perf_counter()
        scores, extra = self._scores(Together(columns.models, self.features))
        score_seconds = time.perf_counter() - begun
        drawn = {}
        with self.pipeline.reporter.stage("draw", len(self.plans), "selections") as advance:
            for trial, plan in self.plans.items():
                try:
                    drawn[trial] = self._draw(plan, *columns.of(trial, plan), scores, extra)
                except BudgetError as error:
                    raise BudgetError(
                        f"budgets='{_asked(plan)}': {error} "
                        f"(method {self.variants[trial.method].name!r})"
                    ) from error
                advance(1)
        units = self._listed(drawn.values(), measures)
        results = {}
        total = len(drawn)
        with self.pipeline.reporter.stage("measure", total, "selections") as advance:
            for trial, one in drawn.items():
                measured = measures.measure(
                    self._selected(trial, one, units, scores),
                    counts,
                    parts[trial.seed].held_out,
                    threads,
                )
                fit_seconds = models.seconds(self.variants[trial.method], self.plans[trial], trial)
                results[trial] = Result(
                    measured, one.effective_sample_size, fit_seconds, one.seconds
                )
                advance(1)
        return Trials(
            results=results,
            overlaps=overlaps(drawn, scores),
            shares=shares_of(self.shares_by, drawn, scores, extra),
            documents=[part.documents for part in parts],
            rows=sum(unit.rows for unit in scores),
            tokens=_tokens_of(scores),
            score_seconds=score_seconds,
        )

    def _prepared(self, plan: Plan, corpus: Corpus) -> Corpus:
        """Return a corpus of the target as the fit of a plan takes it."""
        return prepared(corpus, plan.documents, plan.fit.features, self.pipeline.machine)

    @property
    def _quiet(self) -> Pipeline:
        """The same pipeline, for the many small stages whose progress would tell nothing."""
        machine = replace(self.pipeline.machine, reporter=Silent())
        return Pipeline(machine, self.pipeline.reading)

    def _models(self, parts: Sequence[Parts]) -> _Models:
        """Fit every model that a method needs, for each seed; raw is counted once for each kind."""
        found = _Models()
        wanted = {
            (trial.seed, _key(plan.fit)): plan
            for trial, plan in self.plans.items()
            if self.variants[trial.method].model is None
            and not self.variants[trial.method].is_random
        }
        for (seed, key), plan in wanted.items():
            counted, seconds = found.counted(self.pipeline, self.raw, plan.fit)
            begun = time.perf_counter()
            part = parts[seed].given
            target = part.each(partial(self._prepared, plan))
            model = fit_to_counted(self._quiet, self.raw, counted, target, plan.fit)
            seconds += time.perf_counter() - begun
            found.by_seed[seed, key] = _Fitted(model, seconds)
        return found

    def _scores(self, models: Together) -> tuple[Sequence[ShardScores], ExtraColumns]:
        """Score raw with all models, in one pass."""
        extras = [plan.draw.extra for plan in self.plans.values()]
        groups = dict.fromkeys(column for extra in extras for column in extra.groups)
        if self.shares_by is not None:
            groups[self.shares_by] = None
        extra = ExtraColumns(
            any(one.content for one in extras), tuple(groups), any(one.bands for one in extras)
        )
        workdir = None
        if not self.raw.in_memory:
            # A few numbers for each document go to disk, so that memory does not grow with raw.
            workdir = Workdir(
                self.folder / "scores",
                {"stage": "compare"},
                {},
                units={"raw": unit_layout(self.raw.shards)},
                durable=False,
            )
        documents = next(iter(self.plans.values())).documents
        documents.check_texts(models.features)
        scores = self.pipeline.score(self.raw, models, documents.row_filters, workdir, extra=extra)
        return without_unnumbered_of(self.raw.shards, scores), extra

    def _draw(
        self,
        plan: Plan,
        model: Estimator,
        first_column: int,
        scores: Sequence[ShardScores],
        extra: ExtraColumns,
    ) -> Drawn:
        """Draw as a plan says."""
        begun = time.perf_counter()
        own = [unit.of_columns(first_column, model.columns) for unit in scores]
        settings = plan.draw.calibrated(model.calibrations)
        take_columns(own, extra, settings)
        shares = [1.0] if separate_targets(model) is None else model.column_shares
        covered = None
        if settings.rule.method == "coverage" and isinstance(model, RelevanceModel):
            covered = Covered(model, self.raw.shards, self.folder)
        wanted = settings if plan.combine is None else plan.combine.widened(settings)
        drawn, rows = self._quiet.sample(own, wanted, shares, None, covered)
        if plan.combine is not None:
            shards = placed(self.raw.shards, [unit.source_rows for unit in own])
            drawn, rows = choose_rows(self._quiet, shards, own, rows, drawn, settings, plan.combine)
        loaded = [unit.load() for unit in rows]
        size = None
        weighs = settings.rule.method == "resample" and plan.combine is None
        if weighs and len(drawn.targets) == 1:
            size = drawn.targets[0].effective_sample_size
        return Drawn(
            [one.shard_row for one in loaded],
            [one.tokens for one in loaded],
            size,
            time.perf_counter() - begun,
        )

    def _listed(self, drawn: Collection[Drawn], measures: Measures) -> list[ListedUnit]:
        """List the n-grams of all rows that any trial selects; their texts are read once."""
        pool = []
        for number in range(len(self.raw.shards)):
            of_unit = [(one.rows[number], one.tokens[number]) for one in drawn]
            rows = np.concatenate([np.zeros(0, np.int64), *(rows for rows, _ in of_unit)])
            tokens = np.concatenate([np.zeros(0, np.uint32), *(tokens for _, tokens in of_unit)])
            rows, first = np.unique(rows, return_index=True)
            pool.append(PoolRows(rows, tokens[first]))
        folder = self.folder / "selected"
        folder.mkdir()
        machine, on_error = self.pipeline.machine, self.pipeline.reading.on_error
        lists = list_pool(self.raw.shards, pool, measures.features, folder, machine, on_error)
        return [ListedUnit(one.rows, found) for one, found in zip(pool, lists, strict=True)]

    def _selected(
        self,
        trial: Trial,
        drawn: Drawn,
        units: Sequence[ListedUnit],
        scores: Sequence[ShardScores],
    ) -> Selected:
        """Return the selection of a trial, for its measures."""
        plan = self.plans[trial]
        tokens = np.concatenate([np.zeros(0, np.uint32), *drawn.tokens])
        share = MOST_TOKENS / max(1, int(tokens.sum(dtype=np.int64)))
        trained = []
        for first, rows in zip(first_rows(scores), drawn.rows, strict=True):
            if share >= 1:
                trained.append(np.ones(len(rows), dtype=bool))
            else:  # The same rows for every method, so that what they share stays shared.
                trained.append(uniform((rows + first).astype(np.uint64), 0) < share)
        name = f"{self.variants[trial.method].name} with {plan.draw.budget}"
        return Selected(name, tokens, list(zip(units, drawn.rows, strict=True)), trained)


def _asked(plan: Plan) -> str:
    """Return the budget of a plan as `budgets` has it: tokens without their name."""
    described = plan.draw.budget.describe().items()
    name, value = next((name, value) for name, value in described if value is not None)
    return str(value) if name == "tokens" else f"{name}={value}"


class _Fitted(NamedTuple):
    model: Estimator
    seconds: float


@dataclass(slots=True)
class _Models:
    """The models that were fitted, and the counts of raw that they share.

    Attributes:
        by_seed: by number of the seed and key of the settings.
        raw: what was counted in raw and how long it took, by n-grams and how many were counted.
    """

    by_seed: dict[tuple[int, str], _Fitted] = field(default_factory=dict)
    raw: dict[tuple[HashedNgrams, FitTokens], tuple[ShardCounts, float]] = field(
        default_factory=dict
    )

    def counted(
        self, pipeline: Pipeline, raw: Corpus, settings: FitSettings
    ) -> tuple[ShardCounts, float]:
        """Return what a fit counts in raw, and the seconds that it took."""
        key = (settings.features, settings.fit_tokens)
        if key not in self.raw:
            begun = time.perf_counter()
            counts = count_raw(pipeline, raw, settings)
            self.raw[key] = (counts, time.perf_counter() - begun)
        return self.raw[key]

    def raw_counts(
        self, pipeline: Pipeline, raw: Corpus, features: HashedNgrams
    ) -> npt.NDArray[np.int64]:
        """Return the n-grams of all of raw; it is not read again if a fit counted all of them."""
        for (known, fit_tokens), (counts, _) in self.raw.items():
            limit = limit_per_file(fit_tokens, known.buckets, len(raw.first_shards))
            if known == features and (limit < 0 or counts.ngrams <= limit):
                return counts.counts
        return count_all(pipeline, raw, features).counts

    def seconds(self, variant: Variant, plan: Plan, trial: Trial) -> float:
        """Return how long the model of a trial took."""
        if variant.model is not None or variant.is_random:
            return 0.0
        return self.by_seed[trial.seed, _key(plan.fit)].seconds


class _ScoredColumns:
    """Where in the scores of all models the columns of each are.

    Attributes:
        models: the models, in the order of their columns.
    """

    def __init__(self, variants: Sequence[Variant], models: _Models) -> None:
        self._variants = variants
        self._places: dict[object, int] = {}
        self.models: list[Estimator] = []
        self._columns: list[int] = []
        fitted = [(key, one.model) for key, one in models.by_seed.items()]
        given = [(n, one.model) for n, one in enumerate(variants) if one.model is not None]
        columns = 0
        for key, model in [*fitted, *given]:
            self._places[key] = len(self.models)
            self.models.append(model)
            self._columns.append(columns)
            columns += model.columns

    def of(self, trial: Trial, plan: Plan) -> tuple[Estimator, int]:
        """Return the model of a trial, and the number of its first column."""
        variant = self._variants[trial.method]
        place = 0  # A random draw ignores the weights, so any model does.
        if variant.model is not None:
            place = self._places[trial.method]
        elif not variant.is_random:
            place = self._places[trial.seed, _key(plan.fit)]
        return self.models[place], self._columns[place]


def _key(settings: FitSettings) -> str:
    """Return what tells apart the models that settings make of the same inputs."""
    return json.dumps([settings.estimator, settings.describe()], sort_keys=True)


def _tokens_of(scores: Sequence[ShardScores]) -> int:
    return sum(int(batch.tokens.sum(dtype=np.int64)) for unit in scores for batch in unit.batches())
