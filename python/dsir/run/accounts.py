"""The accounts of a selection, collected: what became of every row, and how good the draw is."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dsir.corpus.skipped import count_by_kind
from dsir.errors import DsirWarning
from dsir.model.estimator import TrainingCounts
from dsir.model.metrics import kl_reduction_of_counts
from dsir.model.quality import REASONS
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
from dsir.stages.draw import Draw
from dsir.stages.sample import ShardRows
from dsir.stages.score import ShardScores


def accounts_of(
    scores: Sequence[ShardScores],
    drawn: Draw,
    rows: Sequence[ShardRows],
    target_names: Sequence[str],
    filters: Sequence[str] = (),
    *,
    units: Sequence[int],
) -> Metrics:
    """Collect the accounts of a draw, without what only the selected texts tell.

    Args:
        scores: of every shard.
        drawn: from them.
        rows: of every shard.
        target_names: of separate targets; else none.
        filters: names of the quality filters that are on.
        units: how many units of work each file or table is; one of which a unit could not be read
            counts as skipped.
    """
    ends = list(itertools.accumulate(units))
    files = [scores[end - count : end] for end, count in zip(ends, units, strict=True)]
    skipped = sum(any(e.row is None for unit in file for e in unit.skipped) for file in files)
    looked_for = any(part.repeated is not None for part in scores)
    duplicates = drawn.duplicates if looked_for else None
    return Metrics(
        rows=row_accounts(scores, drawn, filters, duplicates),
        shards=ShardAccounts(read=len(files) - skipped, skipped=skipped),
        tokens=TokenAccounts(
            eligible=drawn.eligible_tokens, selected=sum(part.tokens for part in rows)
        ),
        text_bytes=ByteAccounts(
            read=sum(part.text_bytes for part in scores),
            eligible=drawn.eligible_bytes,
            selected=sum(part.text_bytes for part in rows),
        ),
        duplicates=None
        if duplicates is None
        else DuplicateAccounts(
            duplicates, [sum(unit.duplicates for unit in file) for file in files]
        ),
        groups={one.column: one.describe() for one in drawn.groups} or None,
        effective_sample_size=None
        if target_names
        else _rounded(drawn.targets[0].effective_sample_size),
        targets={
            name: TargetAccounts(
                selected=sum(part.by_target[number][0] for part in rows),
                tokens=sum(part.by_target[number][1] for part in rows),
                text_bytes=sum(part.by_target[number][2] for part in rows),
                effective_sample_size=_rounded(drawn.targets[number].effective_sample_size),
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
    """Say what became of every row: read = selected + passed over by reason + bad."""
    read = sum(part.rows for part in scores)
    empty = sum(part.empty for part in scores)
    bad = sum(part.bad for part in scores)
    passed_over = PassedOver(
        not_drawn=drawn.eligible - drawn.selected,
        too_short=read - empty - bad - drawn.eligible - drawn.duplicates - sum(drawn.filtered),
        empty=empty,
        duplicates=duplicates,
        filtered={name: drawn.filtered[REASONS.index(name)] for name in filters} or None,
    )
    return RowAccounts(
        read=read,
        documents=sum(part.documents for part in scores),
        eligible=drawn.eligible,
        selected=drawn.selected,
        passed_over=passed_over,
        bad=bad,
        bad_by_kind=count_by_kind(entry for part in scores for entry in part.skipped),
        blank_lines=sum(part.blank_lines for part in scores),
    )


def with_kl_reduction(
    metrics: Metrics, trained: TrainingCounts | None, counts: npt.NDArray[np.int64]
) -> Metrics:
    """Return metrics with the KL reduction: of the target, or the mean over named ones and of each.

    Of a separate target it is that of the rows that it took; one that took none has none.

    Args:
        metrics: as `accounts_of` makes them.
        trained: the n-grams of raw and target that it is measured against; None for no measure.
        counts: int64[targets, buckets] of the selection; one row where targets are not separate.
    """
    if trained is None:
        return metrics
    if not trained.names:
        kl = kl_reduction_of_counts(counts[0], trained.raw, trained.targets[0])
        return replace(metrics, kl_reduction=_rounded(kl))
    by_target = dict(metrics.targets or {name: TargetAccounts() for name in trained.names})
    found = []
    for number, name in enumerate(trained.names):
        selected = counts[number if len(counts) > 1 else 0]
        if selected.any():
            kl = kl_reduction_of_counts(selected, trained.raw, trained.targets[number])
            by_target[name] = replace(by_target[name], kl_reduction=_rounded(kl))
            found.append(kl)
    return replace(metrics, targets=by_target, kl_reduction=_rounded(sum(found) / len(found)))


def warn_of_top_k(metrics: Metrics, stacklevel: int = 3) -> None:
    """Warn the caller's caller when the weights drown the noise of a draw.

    Below a tenth of what is drawn, most of the draw has a negligible share of the weight: only the
    order of the weights decides.
    """
    rows = metrics.rows
    if rows.selected == rows.eligible:
        return
    # Of each draw: its name in the message, effective sample size, rows.
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
    more = f" (and of {len(low) - 1} more targets)" if len(low) > 1 else ""
    warnings.warn(
        f"effective sample size{name} {size:,.1f} for {selected:,} "
        f"documents drawn from {rows.eligible:,}{more}: the weights drown the noise, so the "
        "sample is close to a top-k (a higher temperature, or length='mean' with a temperature, "
        "spreads it)",
        DsirWarning,
        stacklevel=stacklevel,
    )


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")
