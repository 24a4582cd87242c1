"""The fit of a run: counts of raw and of the targets, and the model that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dsir.corpus import Corpus
from dsir.corpus.skipped import Skipped
from dsir.corpus.text_column import column_given_by
from dsir.errors import warn
from dsir.model.classifier import FORMAT, ClassifierModel
from dsir.model.estimators import FittedModel
from dsir.model.features import HashedNgrams
from dsir.model.importance import ImportanceModel, frozen_counts
from dsir.model.relevance import RelevanceModel, calibration_of
from dsir.model.targets import NO_TARGETS, TargetCorpora
from dsir.plural import counted
from dsir.run.learning import learn_classifier
from dsir.run.pipeline import Pipeline, Spooled, refuse_no_rows
from dsir.settings.fit import FitSettings, limit_per_file
from dsir.stages.calibrate import CalibrateTask, calibrate_shard
from dsir.stages.count import ShardCounts
from dsir.stages.count_files import CorpusCount
from dsir.stages.damage.bad_tally import BadTally
from dsir.stages.damage.tally import stopping
from dsir.stages.kept.lines import plan_spool
from dsir.storage.place import Place
from dsir.storage.workdir import Workdir
from dsir.storage.workdir_manifest import fingerprint_of

# The length of a sentence. It has fewer than 40 words and pairs of words, so that over 99.6% of
# 10,000 buckets have none, and say nothing of a document.
_FEWEST_TARGET_TOKENS = 20


class Fitted(NamedTuple):
    """The results of a fit besides the model.

    Attributes:
        skipped: rows and shards of the targets that could not be read.
        spooled: files with the decompressed lines of raw, by unit; None for units without one.
        raw_rows: rows of raw by unit; None for units that were not read completely.
        target_rows: rows read, for every file of every target.
        negative_rows: rows read, for every file of the negatives; empty without any.
        passed_over: files of raw and of the targets that could not be read at all.
    """

    skipped: list[Skipped]
    spooled: Spooled
    raw_rows: list[int | None]
    target_rows: list[list[int]]
    negative_rows: list[int]
    passed_over: list[Skipped]


def fit_model(
    pipeline: Pipeline,
    raw: Corpus,
    target: TargetCorpora,
    settings: FitSettings,
    workdir: Workdir | None,
    spool: Path | None = None,
) -> tuple[FittedModel, Fitted]:
    """Count the n-grams of all corpora and make the model.

    Args:
        pipeline: what runs the stages.
        raw: the corpus to select from.
        target: the targets, and what a classifier learns to tell them from, if it is not raw.
        settings: how to make the model.
        workdir: the folder that keeps the counts; None to hold them in memory.
        spool: folder to write decompressed lines of raw to, for later stages; None to
            decompress them again.

    Returns:
        The model, and the other results of the fit.

    Raises:
        EmptyCorpusError: a corpus has no rows that can be read.
        ModelError: a corpus has no n-grams.
        BadDataError: more rows or shards of a corpus are bad than the limits allow.

    Warns:
        DsirWarning: a target has hardly any tokens.
    """
    features = settings.features
    with pipeline.timed("fit") as timed:
        counted_targets = []
        *of_targets, (_, of_raw) = fit_counts(pipeline, raw, target, settings, workdir, spool)
        for corpus, count in of_targets:
            with column_given_by("target_text"):
                counts = _count(pipeline, corpus, count)
            _warn_of_small(corpus.name, counts)
            counted_targets.append(counts)
        counted_raw = _count(pipeline, raw, of_raw)
        counted_all = (*counted_targets, counted_raw)
        timed.text_bytes = sum(counts.text_bytes for counts in counted_all)
        timed.kept_bytes = sum(counts.kept_bytes for counts in counted_all)
    for corpus, counts in zip((*target.corpora, raw), (*counted_targets, counted_raw), strict=True):
        refuse_no_rows(corpus, counts.rows, counts.skipped)
    counted_negatives: ShardCounts | None = None
    others = (raw, counted_raw)
    if settings.estimator == ClassifierModel.kind and target.negatives is not None:
        count = _whole(pipeline, target.negatives, features, workdir)
        counted_negatives = _count(pipeline, target.negatives, count)
        others = (target.negatives, counted_negatives)
    place = None if workdir is None else _learned_place(workdir, settings)
    model = _model_of(pipeline, target, settings, counted_raw, counted_targets, others, place)
    negatives = [] if counted_negatives is None else [counted_negatives]
    skipped = [entry for counts in (*counted_targets, *negatives) for entry in counts.skipped]
    negative_rows = [rows for counts in negatives for rows in counts.file_rows]
    rows = [counts.file_rows for counts in counted_targets]
    passed_over = [one for one in (*skipped, *counted_raw.skipped) if one.rows == 0]
    return model, Fitted(
        skipped, counted_raw.spooled, counted_raw.unit_rows, rows, negative_rows, passed_over
    )


def fit_to_counted(
    pipeline: Pipeline,
    raw: Corpus,
    counted_raw: ShardCounts,
    target: TargetCorpora,
    settings: FitSettings,
) -> FittedModel:
    """Make a model of counts of raw that are there already; the result is that of `fit_model`.

    Args:
        pipeline: what runs the stages.
        raw: the corpus to select from.
        counted_raw: what `count_raw` found in it, for the same settings.
        target: the targets, which are counted.
        settings: how to make the model.

    Raises:
        EmptyCorpusError: a target has no rows that can be read.
        ModelError: a corpus has no n-grams.
    """
    *of_targets, _ = fit_counts(pipeline, raw, target, settings, None)
    with pipeline.timed("fit"):
        counted_targets = [_count(pipeline, corpus, count) for corpus, count in of_targets]
    for corpus, counts in zip(target.corpora, counted_targets, strict=True):
        refuse_no_rows(corpus, counts.rows, counts.skipped)
    others = (raw, counted_raw)
    if settings.estimator == ClassifierModel.kind and target.negatives is not None:
        counted = count_all(pipeline, target.negatives, settings.features)
        others = (target.negatives, counted)
    return _model_of(pipeline, target, settings, counted_raw, counted_targets, others, None)


def count_raw(pipeline: Pipeline, raw: Corpus, settings: FitSettings) -> ShardCounts:
    """Count as much of raw as a fit with these settings needs.

    Raises:
        EmptyCorpusError: raw has no rows that can be read.
        BadDataError: more rows or shards are bad than the limits allow.
    """
    *_, (_, count) = fit_counts(pipeline, raw, NO_TARGETS, settings, None)
    with pipeline.timed("fit"):
        counts = _count(pipeline, raw, count)
    refuse_no_rows(raw, counts.rows, counts.skipped)
    return counts


def count_all(pipeline: Pipeline, corpus: Corpus, features: HashedNgrams) -> ShardCounts:
    """Count all of a corpus; nothing is stored.

    Raises:
        BadDataError: more rows or shards are bad than the limits allow.
    """
    return _count(pipeline, corpus, _whole(pipeline, corpus, features, None))


def _model_of(
    pipeline: Pipeline,
    target: TargetCorpora,
    settings: FitSettings,
    raw: ShardCounts,
    targets: Sequence[ShardCounts],
    others: tuple[Corpus, ShardCounts],
    place: Place | None,
) -> FittedModel:
    """Return the model of these counts.

    Args:
        pipeline: what runs the stages.
        target: the targets.
        settings: how to make the model.
        raw: what was counted in raw.
        targets: what was counted in each target.
        others: the corpus that a classifier tells the targets from, and what was counted in it.
        place: where what a classifier learned is stored; None to store nothing.
    """
    if settings.estimator == RelevanceModel.kind:
        return _relevance(pipeline, target, settings, raw, targets)
    if settings.estimator == ClassifierModel.kind:
        return learn_classifier(pipeline, target, settings, raw, targets, others, place)
    return ImportanceModel.from_counts(
        settings.features,
        raw,
        targets,
        target_names=target.names,
        targets=settings.targets,
        proportions=settings.proportions,
        smoothing=settings.smoothing,
        length=settings.length,
        scorer=settings.scorer,
    )


def _learned_place(counts: Workdir, settings: FitSettings) -> Place:
    """Return where a classifier is kept, beside the counts that it depends on."""
    place = counts.place(f"learned-{0:05d}")
    kind = [ClassifierModel.kind, FORMAT, settings.targets == "pooled"]
    kind += [] if settings.grades is None else [settings.grades]
    return replace(place, fingerprint=fingerprint_of([place.fingerprint, *kind]))


def _relevance(
    pipeline: Pipeline,
    target: TargetCorpora,
    settings: FitSettings,
    raw: ShardCounts,
    targets: Sequence[ShardCounts],
) -> RelevanceModel:
    """Return the relevance model of these counts; the targets are read again."""
    of_targets = [one.counts for one in targets]
    counts = np.stack(of_targets) if target.names else of_targets[0]
    for side, of_side in (("raw", raw.counts), ("target", counts)):
        names = target.names if side == "target" else ()
        frozen_counts(side, of_side, of_side.shape, names)  # Refuses a corpus without n-grams.
    columns = [[corpus] for corpus in target.corpora]
    if settings.targets == "pooled":
        columns, of_targets = [list(target.corpora)], [np.sum(of_targets, axis=0)]
    found = []
    with pipeline.timed("fit"):
        for corpora, of_column in zip(columns, of_targets, strict=True):
            units = [unit for corpus in corpora for unit in corpus.shards]
            threads = pipeline.threads_inside(len(units))
            on_error = pipeline.reading.on_error
            tasks = [
                CalibrateTask(unit, settings.features, of_column, raw.counts, on_error, threads)
                for unit in units
            ]
            size = sum(unit.size for unit in units)
            with (
                pipeline.reporter.stage("calibrate", size, "bytes") as advance,
                stopping(pipeline.engine.run(calibrate_shard, tasks, advance)) as results,
            ):
                relevance, tokens = zip(*results, strict=True)
            found.append(calibration_of(np.concatenate(relevance), np.concatenate(tokens)))
    return RelevanceModel(
        settings.features,
        raw.counts,
        counts,
        found,
        target_names=target.names,
        targets=settings.targets,
        proportions=settings.proportions,
    )


def fit_counts(
    pipeline: Pipeline,
    raw: Corpus,
    target: TargetCorpora,
    settings: FitSettings,
    workdir: Workdir | None,
    spool: Path | None = None,
) -> list[tuple[Corpus, CorpusCount]]:
    """Return what a fit counts: every target, then raw. The arguments are those of `fit_model`."""
    features = settings.features
    limit = limit_per_file(settings.fit_tokens, features.buckets, len(raw.first_shards))
    spools = plan_spool(raw.shards, limit, spool) if spool else ()
    stems = [f"target-{number:03d}" for number in range(len(target.names))]
    stems = stems or ["target"] * len(target.corpora)

    def count_of(corpus: Corpus, stem: str, limit: int, spools: Spooled = ()) -> CorpusCount:
        return CorpusCount(
            units=corpus.shards,
            features=features,
            limit=limit,
            on_error=pipeline.reading.on_error,
            stem=stem,
            place=lambda name: workdir.place(name) if workdir else None,
            tally=BadTally(pipeline.reading.limits, corpus.name, len(corpus.first_shards)),
            spools=spools,
        )

    counts = [
        (corpus, count_of(corpus, stem, -1))
        for corpus, stem in zip(target.corpora, stems, strict=True)
    ]
    return [*counts, (raw, count_of(raw, "raw", limit, spools))]


def _whole(
    pipeline: Pipeline, corpus: Corpus, features: HashedNgrams, workdir: Workdir | None
) -> CorpusCount:
    """Return the count of all of a corpus, such as the negatives."""
    return CorpusCount(
        units=corpus.shards,
        features=features,
        limit=-1,
        on_error=pipeline.reading.on_error,
        stem="negatives",
        place=lambda name: workdir.place(name) if workdir else None,
        tally=BadTally(pipeline.reading.limits, corpus.name, len(corpus.first_shards)),
    )


def _count(pipeline: Pipeline, corpus: Corpus, count: CorpusCount) -> ShardCounts:
    with pipeline.reporter.stage(f"fit {corpus.name}", corpus.size, "bytes") as advance:
        counts = count.run(pipeline.engine, advance)
    if count.limit < 0:  # Otherwise only the first rows were read, and they tell no share.
        count.tally.finish()
    return counts


def _warn_of_small(name: str, target: ShardCounts) -> None:
    """Warn of a target with fewer tokens than a sentence; one without any is an error elsewhere."""
    if 0 < target.tokens < _FEWEST_TARGET_TOKENS:
        warn(
            f"{name}: has only {counted(target.tokens, 'token')} in "
            f"{counted(target.source_rows, 'row')}, too few to tell which documents are like it; "
            "a target typically has hundreds of documents, and 10,000 tokens or more"
        )
