"""Selection by several measures: the documents that DSIR ranks first and that others rank high.

Here DSIR first draws several times the budget as candidates. The selection is the candidates with
the greatest combined score

    dsir * z(key) + lexrank * z(centrality) + sum of weight * z(measure),

where key is the one that DSIR draws by (noise included), centrality is the continuous LexRank of a
document among the candidates, the other measures are columns of numbers and log-weights by models,
and z scales each to mean 0 and standard deviation 1 over the candidates. The method is ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus import Shard
from dsir.corpus.cast_columns import cast_column
from dsir.progress import Advance
from dsir.run.pipeline import Pipeline
from dsir.sampling import KeyRule, Run, selected_positions
from dsir.settings.combine import DSIR, LEXRANK, Combine
from dsir.settings.draw import DrawSettings
from dsir.stages.damage.tally import stopping
from dsir.stages.drawn import Draw, TargetDraw, left_out_of
from dsir.stages.measure import MeasureTask, measure_shard
from dsir.stages.merged_groups import merge_groups
from dsir.stages.plan import Piece
from dsir.stages.quota_draw import GroupAccounts, open_positions
from dsir.stages.sample import ShardRows
from dsir.stages.selected_rows import SelectedRows
from dsir.stages.shard_scores import ShardScores
from dsir.stages.survey import survey_of
from dsir.stages.take import taken_rows
from dsir.stages.unit_scores import ChangeableScores


def choose_rows(
    pipeline: Pipeline,
    shards: Sequence[Shard],
    scores: ChangeableScores,
    rows: Sequence[ShardRows],
    drawn: Draw,
    settings: DrawSettings,
    combine: Combine,
) -> tuple[Draw, Sequence[ShardRows]]:
    """Choose from candidates by several measures; see `choose_among`."""
    candidates = sum(unit.selected for unit in rows)
    with (
        pipeline.timed("combine"),
        pipeline.reporter.stage("combine", candidates, "rows") as advance,
    ):
        beside = _measured(pipeline, shards, rows, combine, advance)
        found = choose_among(
            shards,
            scores,
            rows,
            drawn,
            settings,
            combine,
            beside,
            pipeline.engine.threads_here,
            pipeline.machine.memory.candidates,
        )
        if not len(beside):
            advance(candidates)
    return found


def _measured(
    pipeline: Pipeline,
    shards: Sequence[Shard],
    rows: Sequence[ShardRows],
    combine: Combine,
    advance: Advance,
) -> npt.NDArray[np.float64]:
    """Return the columns and log-weights of candidates, float64[measures, candidates]."""
    models = tuple(model.estimator for model in combine.models)
    measures = len(combine.columns) + len(models)
    with_rows = [(shard, unit) for shard, unit in zip(shards, rows, strict=True) if unit.selected]
    threads = pipeline.threads_inside(len(with_rows))
    tasks = [
        MeasureTask(shard, unit, combine.columns, models, threads) for shard, unit in with_rows
    ]
    if not measures:
        return np.zeros((0, 0))
    with stopping(pipeline.engine.run(measure_shard, tasks, advance)) as found:
        return np.concatenate([np.zeros((measures, 0)), *found], axis=1)


def choose_among(
    shards: Sequence[Shard],
    scores: ChangeableScores,
    rows: Sequence[ShardRows],
    drawn: Draw,
    settings: DrawSettings,
    combine: Combine,
    beside: npt.NDArray[np.float64],
    threads: int,
    in_a_pass: int,
) -> tuple[Draw, list[ShardRows]]:
    """Return the selection among candidates that were drawn.

    With centrality, holds the candidates' texts and their vectors in memory.

    Args:
        shards: the units of the corpus.
        scores: the scores of the units.
        rows: the candidates, by unit.
        drawn: the draw of the candidates.
        settings: settings of the selection, with its own budget.
        combine: the weights of the measures.
        beside: float64[measures, candidates], the columns and the log-weights by models.
        threads: how many threads to use; the result does not depend on it.
        in_a_pass: how many documents a draw with quotas decides on in one pass.

    Returns:
        The draw and the rows by unit, as if only these rows had been drawn.

    Raises:
        BudgetError: the budget cannot be met.
        InputError: the candidates cannot be read.
    """
    loaded = [candidates.load() for candidates in rows]
    combined = _combined(shards, rows, loaded, settings, combine, beside, threads)
    unit = settings.budget.unit
    cost = np.concatenate([found.bytes if unit == "bytes" else found.tokens for found in loaded])
    if unit == "documents":
        cost = np.ones(len(combined), dtype=np.uint32)
    groups: tuple[GroupAccounts, ...] = ()
    if settings.quotas:
        run = Run(0, combined, np.ones(len(combined), np.uint8), cost, _codes_of(scores, rows))
        taken, groups = _best_within_quotas(run, scores, settings, threads, in_a_pass)
    else:
        taken = _best(combined, cost, drawn, settings)
    chosen = np.zeros(len(combined), dtype=bool)
    chosen[taken] = True
    ends = np.cumsum([candidates.selected for candidates in rows])
    chosen_rows = [
        _only(candidates, found, chosen[end - candidates.selected : end])
        for candidates, found, end in zip(rows, loaded, ends.tolist(), strict=True)
    ]
    [target] = drawn.targets
    assert isinstance(target, TargetDraw), "a coverage selection is not combined"
    threshold = replace(target.threshold, selected=len(taken))
    targets = (replace(target, threshold=threshold),)
    return replace(drawn, targets=targets, groups=groups), chosen_rows


def _best(
    combined: npt.NDArray[np.float64],
    cost: npt.NDArray[np.uint32],
    drawn: Draw,
    settings: DrawSettings,
) -> npt.NDArray[np.int64]:
    """Return the positions of the best candidates that fit into the budget."""
    available = {
        "documents": drawn.eligible,
        "tokens": drawn.eligible_tokens,
        "bytes": drawn.eligible_bytes,
    }
    amount = settings.budget.resolve(
        rows=drawn.rows,
        total=drawn.total,
        eligible=drawn.eligible,
        available=available[settings.budget.unit],
        left_out=left_out_of(drawn.duplicates, drawn.filtered),
        min_tokens=settings.min_tokens,
        allow_fewer=settings.allow_fewer,
    )
    # A stable sort of candidates in row order: among equal scores the smaller row comes first.
    order = np.argsort(-combined, kind="stable")
    spent = np.cumsum(cost[order], dtype=np.int64)
    return order[: int(np.searchsorted(spent, amount, side="right"))]


def _best_within_quotas(
    run: Run, scores: ChangeableScores, settings: DrawSettings, threads: int, in_a_pass: int
) -> tuple[npt.NDArray[np.int64], tuple[GroupAccounts, ...]]:
    """Return the positions of the best candidates within budget and quotas, and the accounts.

    Args:
        run: the candidates, with their combined scores as log-weights.
        scores: the scores of the whole corpus, which shares of it are shares of.
        settings: budget and quotas.
        threads: how many threads to use; the result does not depend on it.
        in_a_pass: how many documents are decided on in one pass.
    """
    survey = survey_of(scores, settings, 1, merge_groups(scores, settings.quotas.columns))
    plan = survey.quota_plan(settings)
    [part] = plan.parts([1.0])
    rule = KeyRule(method="top-k")
    threshold, closings = plan.draw(lambda: [run], rule, part, threads, in_a_pass)
    found = selected_positions(run, rule, threshold, threads)
    taken = open_positions(run, rule, closings, found)
    plan.refuse_shortfall(len(taken))
    return taken, plan.accounts()


def _codes_of(scores: Sequence[ShardScores], rows: Sequence[ShardRows]) -> npt.NDArray[np.uint32]:
    """Return the codes of the candidates' values, uint32[columns, candidates]."""
    found = []
    for unit, candidates in zip(scores, rows, strict=True):
        wanted, at = candidates.load().shard_row, 0
        for run in unit.runs():
            assert run.group_codes is not None, "these scores were made with quota columns"
            first, last = np.searchsorted(wanted, [at, at + run.rows])
            found.append(run.group_codes[:, wanted[first:last] - at])
            at += run.rows
    return np.concatenate(found, axis=1)


def _combined(
    shards: Sequence[Shard],
    rows: Sequence[ShardRows],
    loaded: Sequence[SelectedRows],
    settings: DrawSettings,
    combine: Combine,
    beside: npt.NDArray[np.float64],
    threads: int,
) -> npt.NDArray[np.float64]:
    """Return the combined score of each candidate; measures are added in the order of `combine`."""
    rule = settings.rule.of_target(0)
    keys = np.concatenate(
        [
            _core.keys_of_rows(
                rule.core,
                rule.in_keys(found.log_weight),
                found.shard_row + candidates.corpus_row,
            )
            for candidates, found in zip(rows, loaded, strict=True)
        ]
    )
    combined = combine.weight(DSIR) * _standardised(keys)
    if combine.weight(LEXRANK):
        central = _centrality(shards, rows, threads)
        combined = combined + combine.weight(LEXRANK) * _standardised(central)
    for weight, measured in zip(combine.beside, beside, strict=True):
        combined = combined + weight * _standardised(measured)
    return combined


def _centrality(
    shards: Sequence[Shard], rows: Sequence[ShardRows], threads: int
) -> npt.NDArray[np.float64]:
    from dsir.lexrank.rank import centrality  # Imported here because few runs need it.

    pieces = tuple(
        Piece(shard, candidates, 0, candidates.selected)
        for shard, candidates in zip(shards, rows, strict=True)
        if candidates.selected
    )
    texts = [
        cast_column(taken.text, pa.large_string()) for _, taken, _, _ in taken_rows(pieces, threads)
    ]
    return centrality(pa.chunked_array(texts), threshold=None, threads=threads).scores


def _standardised(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return values scaled to mean 0 and standard deviation 1; zeros if all are the same.

    Sums are exact, so that the bits do not depend on the order of summation.
    """
    mean = math.fsum(values) / len(values)
    deviations = values - mean
    spread = math.sqrt(math.fsum(deviations * deviations) / len(values))
    return deviations / spread if spread else np.zeros(len(values))


def _only(candidates: ShardRows, found: SelectedRows, chosen: npt.NDArray[np.bool_]) -> ShardRows:
    remaining = found.at(chosen)
    tokens = int(remaining.tokens.sum(dtype=np.int64))
    text_bytes = int(remaining.bytes.sum(dtype=np.int64))
    counts = [(len(remaining.shard_row), tokens, text_bytes)]
    return ShardRows(
        candidates.corpus_row, counts, candidates.form, rows=remaining, kept=candidates.kept
    )
