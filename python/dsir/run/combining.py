"""Selection by two measures: the documents that DSIR ranks first and that are also central.

DSIR looks at each document alone. Here DSIR first draws several times the budget as candidates. The
selection is the candidates with the greatest combined score

    dsir * z(key) + lexrank * z(centrality),

where key is the one that DSIR draws by (noise included), centrality is the continuous LexRank of a
document among the candidates, and z scales each to mean 0 and standard deviation 1 over the
candidates. The method is ours.
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
from dsir.settings.combine import Combine
from dsir.settings.draw import DrawSettings
from dsir.stages.draw import Draw, TargetDraw
from dsir.stages.plan import Piece
from dsir.stages.sample import ShardRows
from dsir.stages.selected_rows import SelectedRows
from dsir.stages.take import taken_rows


def choose_among(
    shards: Sequence[Shard],
    rows: Sequence[ShardRows],
    drawn: Draw,
    settings: DrawSettings,
    combine: Combine,
    threads: int,
) -> tuple[Draw, list[ShardRows]]:
    """Return the selection among candidates that were drawn.

    Holds the candidates' texts and their vectors in memory.

    Args:
        shards: the units of the corpus.
        rows: the candidates, by unit.
        drawn: the draw of the candidates.
        settings: settings of the selection, with its own budget.
        combine: the weights of the two measures.
        threads: how many threads to use; the result does not depend on it.

    Returns:
        The draw and the rows by unit, as if only these rows had been drawn.

    Raises:
        BudgetError: the budget cannot be met.
        InputError: the candidates cannot be read.
    """
    budget_unit = settings.budget.unit
    available = {
        "documents": drawn.eligible,
        "tokens": drawn.eligible_tokens,
        "bytes": drawn.eligible_bytes,
    }
    amount = settings.budget.resolve(
        rows=drawn.rows,
        total=drawn.total,
        eligible=drawn.eligible,
        available=available[budget_unit],
        min_tokens=settings.min_tokens,
        allow_fewer=settings.allow_fewer,
    )
    loaded = [candidates.load() for candidates in rows]
    scores = _combined(shards, rows, loaded, settings, combine, threads)
    # A stable sort of candidates in row order: among equal scores the smaller row comes first.
    order = np.argsort(-scores, kind="stable")
    if budget_unit == "documents":
        taken = order[:amount]
    else:
        costs = [found.tokens if budget_unit == "tokens" else found.bytes for found in loaded]
        spent = np.cumsum(np.concatenate(costs)[order], dtype=np.int64)
        taken = order[: int(np.searchsorted(spent, amount, side="right"))]
    chosen = np.zeros(len(scores), dtype=bool)
    chosen[taken] = True
    ends = np.cumsum([candidates.selected for candidates in rows])
    chosen_rows = [
        _only(candidates, found, chosen[end - candidates.selected : end])
        for candidates, found, end in zip(rows, loaded, ends.tolist(), strict=True)
    ]
    [target] = drawn.targets
    assert isinstance(target, TargetDraw), "a coverage selection is not combined"
    threshold = replace(target.threshold, selected=len(taken))
    return replace(drawn, targets=(replace(target, threshold=threshold),)), chosen_rows


def _combined(
    shards: Sequence[Shard],
    rows: Sequence[ShardRows],
    loaded: Sequence[SelectedRows],
    settings: DrawSettings,
    combine: Combine,
    threads: int,
) -> npt.NDArray[np.float64]:
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
    from dsir.lexrank.rank import centrality  # Imported here because few runs need it.

    if combine.lexrank == 0:
        return combine.dsir * _standardised(keys)
    pieces = tuple(
        Piece(shard, candidates, 0, candidates.selected)
        for shard, candidates in zip(shards, rows, strict=True)
        if candidates.selected
    )
    texts = [
        cast_column(taken.text, pa.large_string()) for _, taken, _, _ in taken_rows(pieces, threads)
    ]
    central = centrality(pa.chunked_array(texts), threshold=None, threads=threads).scores
    return combine.dsir * _standardised(keys) + combine.lexrank * _standardised(central)


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
