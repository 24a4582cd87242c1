"""The part of a fit that makes a classifier: examples of both sides, and what is learned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dsir.corpus import Corpus
from dsir.errors import warn
from dsir.model.classifier import ClassifierModel, Column, Learned, Line
from dsir.model.classifier_training import learn, learn_graded
from dsir.model.examples import Examples, GradedExamples, sample_bound
from dsir.model.importance import frozen_counts
from dsir.model.targets import TargetCorpora
from dsir.run.pipeline import Pipeline
from dsir.settings.fit import FitSettings
from dsir.stages.count import ShardCounts
from dsir.stages.damage.tally import stopping
from dsir.stages.examples import ExampleTask, counted_parts, list_examples, list_graded
from dsir.stages.sums import load_array
from dsir.storage.place import Place


def learn_classifier(
    pipeline: Pipeline,
    target: TargetCorpora,
    settings: FitSettings,
    raw_counts: ShardCounts,
    target_counts: Sequence[ShardCounts],
    others: tuple[Corpus, ShardCounts],
    place: Place | None = None,
) -> ClassifierModel:
    """Return the classifier of these corpora; a sample of each is read once more.

    Args:
        pipeline: what runs the stages.
        target: the targets.
        settings: how to make the model.
        raw_counts: what was counted in raw.
        target_counts: what was counted in each target.
        others: the corpus that the targets are told from, and what was counted in it.
        place: where what was learned is stored; None to store nothing.

    Raises:
        ModelError: a corpus has no n-grams, or too few documents.

    Warns:
        DsirWarning: held-out documents of a target cannot be told from those of the other side.
    """
    of_targets = [one.counts for one in target_counts]
    counts = np.stack(of_targets) if target.names else of_targets[0]
    for side, of_side in (("raw", raw_counts.counts), ("target", counts)):
        names = target.names if side == "target" else ()
        frozen_counts(side, of_side, of_side.shape, names)  # Refuses a corpus without n-grams.
    buckets = settings.features.buckets
    columns = None if place is None else _stored(place, buckets)
    if columns is None:
        with pipeline.timed("fit"):
            columns = _learned(pipeline, target, settings, target_counts, *others)
        if place is not None:
            _store(place, columns)
    return ClassifierModel(
        settings.features,
        raw_counts.counts,
        counts,
        columns,
        target_names=target.names,
        targets=settings.targets,
        proportions=settings.proportions,
    )


def _learned(
    pipeline: Pipeline,
    target: TargetCorpora,
    settings: FitSettings,
    target_counts: Sequence[ShardCounts],
    corpus: Corpus,
    counts: ShardCounts,
) -> list[Column]:
    """Learn a column for each target, or one for all; see `learn_classifier`."""
    if settings.grades is not None:
        return _learned_of_grades(pipeline, target, settings, target_counts)
    others = _examples(pipeline, corpus, settings, counts)
    wanted = [
        _examples(pipeline, one, settings, counted)
        for one, counted in zip(target.corpora, target_counts, strict=True)
    ]
    titles = [one.name for one in target.corpora]
    if settings.targets == "pooled":
        wanted, titles = [Examples.joined(wanted)], ["target"]
    columns = []
    for examples, name in zip(wanted, titles, strict=True):
        column = learn(
            examples,
            others,
            settings.features.buckets,
            names=(name, corpus.name),
            threads=pipeline.engine.threads_here,
        )
        if column.line.slope == 0:
            warn(
                f"{name}: the classifier cannot tell its documents from those of {corpus.name} "
                f"(AUC {column.learned.auc:.2f} on documents held out), so all log-weights are 0; "
                "give a target that differs, or more documents"
            )
        columns.append(column)
    return columns


def _learned_of_grades(
    pipeline: Pipeline,
    target: TargetCorpora,
    settings: FitSettings,
    target_counts: Sequence[ShardCounts],
) -> list[Column]:
    """Learn the grades of each target's documents, or of all; see `learn_classifier`."""
    graded = []
    for corpus, counts in zip(target.corpora, target_counts, strict=True):
        tasks = _tasks(pipeline, corpus, settings, counts)
        with (
            pipeline.reporter.stage(f"learn {corpus.name}", _size(tasks), "bytes") as advance,
            stopping(pipeline.engine.run(list_graded, tasks, advance)) as results,
        ):
            graded.append(GradedExamples.joined(list(results)))
    titles = [one.name for one in target.corpora]
    if settings.targets == "pooled":
        graded, titles = [GradedExamples.joined(graded)], ["target"]
    columns = []
    for one, name in zip(graded, titles, strict=True):
        column = learn_graded(
            one, settings.features.buckets, name=name, threads=pipeline.engine.threads_here
        )
        if column.line.slope == 0:
            warn(
                f"{name}: the classifier cannot tell documents with high grades from others (it "
                f"orders {100 * column.learned.auc:.0f} % of the pairs of documents held out), so "
                "all log-weights are 0; give more documents, or other grades"
            )
        columns.append(column)
    return columns


def _examples(
    pipeline: Pipeline, corpus: Corpus, settings: FitSettings, counts: ShardCounts
) -> Examples:
    """Return a sample of the documents that were counted."""
    tasks = _tasks(pipeline, corpus, settings, counts)
    with (
        pipeline.reporter.stage(f"learn {corpus.name}", _size(tasks), "bytes") as advance,
        stopping(pipeline.engine.run(list_examples, tasks, advance)) as results,
    ):
        return Examples.joined(list(results))


def _size(tasks: Sequence[ExampleTask]) -> int:
    return sum(task.shard.size for task in tasks)


def _tasks(
    pipeline: Pipeline, corpus: Corpus, settings: FitSettings, counts: ShardCounts
) -> list[ExampleTask]:
    """Return the tasks that list a sample of the documents that were counted."""
    parts = counted_parts(corpus.shards, counts)
    bound = sample_bound(counts.documents, counts.ngrams)
    threads = pipeline.threads_inside(len(parts))
    on_error = pipeline.reading.on_error
    grades = settings.grades or ""
    return [
        ExampleTask(shard, rows, settings.features, bound, on_error, threads, grades)
        for shard, rows in parts
    ]


def _store(place: Place, columns: Sequence[Column]) -> None:
    with place.file(".npy") as file:
        np.save(file, np.stack([column.weights for column in columns]))
    place.finish(
        {
            "lines": [list(column.line) for column in columns],
            "learned": [column.learned.describe() for column in columns],
        }
    )


def _stored(place: Place, buckets: int) -> list[Column] | None:
    """Return what an earlier run learned; None if there is nothing.

    Raises:
        WorkdirError: the file is missing or damaged, or the marker holds something else.
    """
    marker = place.finished()
    if marker is None:
        return None
    lines = marker.entries("lines", Line.from_json)
    learned = marker.entries("learned", Learned.from_json)
    if len(learned) != len(lines):
        raise marker.damaged("its 'learned' has not one entry for each of its 'lines'")
    weights = load_array(place, (len(lines), buckets), np.float32)
    return [Column(*one) for one in zip(weights, lines, learned, strict=True)]
