"""Collect the accounts of a selection: what became of every row, and how good the draw is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dsir.corpus.skipped import count_by_kind
from dsir.errors import warn
from dsir.model.estimator import TrainingCounts
from dsir.model.metrics import kl_reduction_of_counts
from dsir.model.random_selection import random_kl_reduction
from dsir.model.row_filters import REASONS
from dsir.plural import counted
from dsir.run.metrics import (
    ByteAccounts,
    DuplicateAccounts,
    Metrics,
    PassedOver,
    RowAccounts,
    ShardAccounts,
    TargetAccounts,
    TokenAccounts,
)
from dsir.sampling import METHODS
from dsir.stages.drawn import CoverageDraw, Draw, TargetDraw
from dsir.stages.plan import OutputPlan
from dsir.stages.sample import ShardRows
from dsir.stages.shard_scores import ShardScores
from dsir.stages.unit_scores import rows_of


def accounts_of(
    scores: Sequence[ShardScores],
    drawn: Draw,
    rows: Sequence[ShardRows],
    target_names: Sequence[str],
    filters: Sequence[str] = (),
    *,
    units: Sequence[int],
) -> Metrics:
    """Return the accounts of a draw, without the KL reduction, which needs the selected texts.

    Args:
        scores: the scores of every unit.
        drawn: the draw from these scores.
        rows: the selected rows of every unit.
        target_names: names of separate targets; empty if targets are not separate.
        filters: names of the quality filters that are on.
        units: number of units of each file or table. A file counts as skipped if one of its units
            could not be read.
    """
    ends = list(itertools.accumulate(units))
    # A file at a time: the units of all files are many.
    files = [(end - count, end) for end, count in zip(ends, units, strict=True)]
    skipped = sum(
        any(entry.row is None for unit in scores[first:stop] for entry in unit.skipped)
        for first, stop in files
    )
    looked_for = any(unit.knows_duplicates for unit in scores)
    duplicates = drawn.duplicates if looked_for else None
    return Metrics(
        rows=row_accounts(scores, drawn, filters, duplicates),
        shards=ShardAccounts(read=len(files) - skipped, skipped=skipped),
        tokens=TokenAccounts(
            eligible=drawn.eligible_tokens, selected=sum(unit.tokens for unit in rows)
        ),
        text_bytes=ByteAccounts(
            read=sum(unit.text_bytes for unit in scores),
            eligible=drawn.eligible_bytes,
            selected=sum(unit.text_bytes for unit in rows),
        ),
        duplicates=None
        if duplicates is None
        else DuplicateAccounts(
            duplicates,
            [sum(unit.duplicates for unit in scores[first:stop]) for first, stop in files],
        ),
        groups={one.column: one.describe() for one in drawn.groups} or None,
        coverage=[
            target.rounds.describe() for target in drawn.targets if isinstance(target, CoverageDraw)
        ]
        or None,
        effective_sample_size=None if target_names else _size(drawn.targets[0]),
        targets={
            name: TargetAccounts(
                selected=sum(unit.by_target[number][0] for unit in rows),
                tokens=sum(unit.by_target[number][1] for unit in rows),
                text_bytes=sum(unit.by_target[number][2] for unit in rows),
                effective_sample_size=_size(drawn.targets[number]),
            )
            for number, name in enumerate(target_names)
        }
        or None,
    )


def row_accounts(
    scores: Sequence[ShardScores],
    drawn: Draw,
    filters: Sequence[str] = (),
    duplicates: int | None = None,
) -> RowAccounts:
    """Return what became of every row: read = selected + passed over by reason + bad."""
    read = int(rows_of(scores).sum())
    empty = sum(unit.empty for unit in scores)
    bad = sum(unit.bad for unit in scores)
    passed_over = PassedOver(
        **drawn.passed_over,
        not_drawn=drawn.eligible - drawn.selected,
        empty=empty,
        duplicates=duplicates,
        filtered={name: drawn.filtered[REASONS.index(name)] for name in filters} or None,
    )
    return RowAccounts(
        read=read,
        documents=sum(unit.documents for unit in scores),
        eligible=drawn.eligible,
        selected=drawn.selected,
        passed_over=passed_over,
        bad=bad,
        bad_by_kind=count_by_kind(entry for unit in scores for entry in unit.skipped),
        blank_lines=sum(unit.blank_lines for unit in scores),
    )


def with_kl_reduction(
    metrics: Metrics, trained: TrainingCounts | None, counts: npt.NDArray[np.int64]
) -> Metrics:
    """Return metrics with the KL reduction; for named targets that of each, and their mean.

    The KL reduction of a separate target is measured on the rows that the target took. A target
    that took no rows has none.

    Args:
        metrics: the accounts from `accounts_of`.
        trained: n-gram counts of raw and targets, to measure against; None to measure nothing.
        counts: int64[targets, 2, buckets], n-gram counts of the selection, by halves; one target if
            targets are not separate.
    """
    if trained is None:
        return metrics
    if not trained.names:
        kl, by_chance = _kl_reductions(counts[0], trained, 0, metrics.text_bytes.selected, metrics)
        return replace(
            metrics, kl_reduction=_rounded(kl), random_kl_reduction=_rounded_estimate(by_chance)
        )
    by_target = dict(metrics.targets or {name: TargetAccounts() for name in trained.names})
    found, found_by_chance = [], []
    for number, name in enumerate(trained.names):
        selected = counts[number if len(counts) > 1 else 0]
        if selected.any():
            text_bytes = by_target[name].text_bytes or metrics.text_bytes.selected
            kl, by_chance = _kl_reductions(selected, trained, number, text_bytes, metrics)
            by_target[name] = replace(
                by_target[name],
                kl_reduction=_rounded(kl),
                random_kl_reduction=_rounded_estimate(by_chance),
            )
            found.append(kl)
            found_by_chance.append(by_chance)
    return replace(
        metrics,
        targets=by_target,
        kl_reduction=_rounded(sum(found) / len(found)),
        random_kl_reduction=_rounded_estimate(sum(found_by_chance) / len(found_by_chance)),
    )


def _kl_reductions(
    selected: npt.NDArray[np.int64],
    trained: TrainingCounts,
    target: int,
    text_bytes: int,
    metrics: Metrics,
) -> tuple[float, float]:
    """Return the KL reduction of rows, and the estimate for a random selection of their size.

    Args:
        selected: int64[2, buckets], n-grams of the rows, by halves.
        trained: the counts to measure against.
        target: number of the target.
        text_bytes: bytes of text of the rows.
        metrics: the accounts.
    """
    raw, wanted = trained.raw, trained.targets[target]
    share = max(1, text_bytes) / max(1, text_bytes, metrics.text_bytes.read)
    return (
        kl_reduction_of_counts(selected.sum(axis=0), raw, wanted),
        random_kl_reduction(selected, raw, wanted, share),
    )


def warn_of_top_k(metrics: Metrics) -> None:
    """Warn if the weights are so uneven that a draw has little randomness.

    If the effective sample size is below a tenth of the rows drawn, most of these rows have a
    negligible share of the weight, and only the order of the weights decides.
    """
    rows = metrics.rows
    if rows.selected == rows.eligible:
        return
    # For each draw: its name in the message, the effective sample size, the selected rows.
    draws = [("", metrics.effective_sample_size, rows.selected)]
    if metrics.effective_sample_size is None:
        draws = [
            (f" of target {name}", target.effective_sample_size, target.selected or 0)
            for name, target in (metrics.targets or {}).items()
        ]
    low = [
        (name, size, selected)
        for name, size, selected in draws
        if size is not None and 10 * size < selected
    ]
    if not low:
        return
    name, size, selected = low[0]
    more = f" (and of {counted(len(low) - 1, 'more target')})" if len(low) > 1 else ""
    warn(
        f"effective sample size{name} {size:,.1f} for {counted(selected, 'document')} drawn from "
        f"{rows.eligible:,}{more}: the weights drown the noise, so the sample is close to a "
        "top-k (a higher temperature, or length='mean' with a temperature, spreads the draw)"
    )


def warn_of_other_columns(planned: OutputPlan) -> None:
    """Warn when the parts of an output folder have different columns."""
    if planned.clash is not None:
        warn(planned.clash.message)


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")


def _rounded_estimate(value: float) -> float:
    """Round what is only an estimate, so that it is the same whatever numpy's last digits are."""
    return float(f"{value:.5g}")


def _size(drawn: TargetDraw | CoverageDraw) -> float | None:
    size = drawn.effective_sample_size if METHODS[drawn.rule.method].weight else None
    return None if size is None else _rounded(size)
