"""The accounts of a selection: what became of every row, and how good the draw is."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.corpus.skipped import count_by_kind
from dsir.errors import DsirWarning
from dsir.model.importance import ImportanceModel
from dsir.model.metrics import kl_reduction_of_counts
from dsir.model.quality import REASONS
from dsir.stages.draw import Draw
from dsir.stages.sample import ShardRows
from dsir.stages.score import ShardScores


def row_accounts(
    scores: Sequence[ShardScores],
    drawn: Draw,
    filters: Sequence[str] = (),
    duplicates: int | None = None,
) -> dict[str, Any]:
    """Say what became of every row: read = selected + passed over by reason + bad."""
    read = sum(part.rows for part in scores)
    empty = sum(part.empty for part in scores)
    bad = sum(part.bad for part in scores)
    passed_over: dict[str, Any] = {
        "not_drawn": drawn.eligible - drawn.selected,
        "too_short": read - empty - bad - drawn.eligible - drawn.duplicates - sum(drawn.filtered),
        "empty": empty,
    }
    if duplicates is not None:
        passed_over["duplicates"] = duplicates
    if filters:
        found = {name: drawn.filtered[REASONS.index(name)] for name in filters}
        passed_over["filtered"] = found
    return {
        "read": read,
        "documents": sum(part.documents for part in scores),
        "eligible": drawn.eligible,
        "selected": drawn.selected,
        "passed_over": passed_over,
        "bad": bad,
        "bad_by_kind": count_by_kind(entry for part in scores for entry in part.skipped),
        "blank_lines": sum(part.blank_lines for part in scores),
    }


def accounts_of(
    scores: Sequence[ShardScores],
    drawn: Draw,
    rows: Sequence[ShardRows],
    target_names: Sequence[str],
    filters: Sequence[str] = (),
    *,
    units: Sequence[int],
) -> dict[str, Any]:
    """Collect the accounts of a draw: functions of data, settings and seed alone.

    Floats are rounded to ten digits: the last ones may differ between versions of numpy.

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
    skipped = sum(any(e.row is None for part in of for e in part.skipped) for of in files)
    looked_for = any(part.repeated is not None for part in scores)
    duplicates = drawn.duplicates if looked_for else None
    accounts: dict[str, Any] = {
        "rows": row_accounts(scores, drawn, filters, duplicates),
        "shards": {"read": len(files) - skipped, "skipped": skipped},
        "tokens": {
            "eligible": drawn.eligible_tokens,
            "selected": sum(part.tokens for part in rows),
        },
        "text_bytes": {
            "read": sum(part.text_bytes for part in scores),
            "eligible": drawn.eligible_bytes,
            "selected": sum(part.text_bytes for part in rows),
        },
    }
    if duplicates is not None:
        accounts["duplicates"] = {
            "rows": duplicates,
            "by_shard": [sum(part.duplicates for part in of) for of in files],
        }
    if drawn.groups:
        accounts["groups"] = {of.column: of.describe() for of in drawn.groups}
    if not target_names:
        accounts["effective_sample_size"] = _rounded(drawn.targets[0].effective_sample_size)
        return accounts
    accounts["targets"] = {
        name: {
            "selected": sum(part.by_target[number][0] for part in rows),
            "tokens": sum(part.by_target[number][1] for part in rows),
            "text_bytes": sum(part.by_target[number][2] for part in rows),
            "effective_sample_size": _rounded(drawn.targets[number].effective_sample_size),
        }
        for number, name in enumerate(target_names)
    }
    return accounts


def add_kl_reduction(
    accounts: dict[str, Any], model: ImportanceModel, counts: npt.NDArray[np.int64]
) -> None:
    """Add the KL reduction to accounts: of the target, or the mean over named ones, and of each.

    Of a separate target it is that of the rows that it took; one that took none has none.

    Args:
        accounts: as `accounts_of` makes them.
        model: whose counts of raw and target it is measured against.
        counts: int64[targets, buckets] of the selection; one row where targets are not separate.
    """
    if not model.target_names:
        kl = kl_reduction_of_counts(counts[0], model.raw_counts, model.target_counts)
        accounts["kl_reduction"] = _rounded(kl)
        return
    by_target = accounts.setdefault("targets", {name: {} for name in model.target_names})
    found = []
    for number, name in enumerate(model.target_names):
        selected = counts[number if len(counts) > 1 else 0]
        if selected.any():
            found.append(
                kl_reduction_of_counts(selected, model.raw_counts, model.target_counts[number])
            )
            by_target[name]["kl_reduction"] = _rounded(found[-1])
    accounts["kl_reduction"] = _rounded(sum(found) / len(found))


def warn_of_top_k(accounts: dict[str, Any], stacklevel: int = 3) -> None:
    """Warn the caller's caller where the weights drown the noise of a draw.

    Below a tenth of what is drawn, most of the draw has a negligible share of the weight: only the
    order of the weights decides.
    """
    rows = accounts["rows"]
    if rows["selected"] == rows["eligible"]:
        return
    draws = {"": {**accounts, "selected": rows["selected"]}}
    if "effective_sample_size" not in accounts:
        draws = {f" of target {name}": of for name, of in accounts["targets"].items()}
    low = {
        name: of for name, of in draws.items() if 10 * of["effective_sample_size"] < of["selected"]
    }
    if not low:
        return
    name, of = next(iter(low.items()))
    more = f" (and of {len(low) - 1} more targets)" if len(low) > 1 else ""
    warnings.warn(
        f"effective sample size{name} {of['effective_sample_size']:,.1f} for {of['selected']:,} "
        f"documents drawn from {rows['eligible']:,}{more}: the weights drown the noise, so the "
        "sample is close to a top-k (a higher temperature, or length='mean' with a temperature, "
        "spreads it)",
        DsirWarning,
        stacklevel=stacklevel,
    )


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")
