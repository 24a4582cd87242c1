"""Selection by two measures: of what DSIR draws most of, what is most central among its like.

DSIR looks at each document alone. Of the documents that it puts first, several times as many as are
wanted, those are chosen whose combined score is greatest:

    dsir * z(key) + lexrank * z(centrality),

the key that DSIR draws by (noise included) and the continuous LexRank of the documents among these
candidates, each with mean 0 and standard deviation 1 over the candidates. Ours.
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
from dsir.settings.combine import Combine
from dsir.settings.draw import DrawSettings
from dsir.stages.draw import Draw
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
    """Choose from the candidates that were drawn.

    Memory: the candidates' texts and their vectors.

    Args:
        shards: of the corpus.
        rows: the candidates, by shard.
        drawn: how they were drawn.
        settings: of the selection.
        combine: the weights of the two measures.
        threads: how many to use; the result does not depend on it.

    Returns:
        What was drawn and the rows, as if no others had been candidates.

    Raises:
        BudgetError: the budget cannot be met.
        InputError: the candidates cannot be read.
    """
    unit = settings.budget.unit
    available = {
        "documents": drawn.eligible,
        "tokens": drawn.eligible_tokens,
        "bytes": drawn.eligible_bytes,
    }
    amount = settings.budget.resolve(
        rows=drawn.rows,
        eligible=drawn.eligible,
        available=available[unit],
        min_tokens=settings.min_tokens,
        allow_fewer=settings.allow_fewer,
    )
    loaded = [part.load() for part in rows]
    scores = _combined(shards, rows, loaded, settings, combine, threads)
    # Stable, and candidates come by row: among equals the smaller row.
    order = np.argsort(-scores, kind="stable")
    if unit == "documents":
        taken = order[:amount]
    else:
        costs = [part.tokens if unit == "tokens" else part.bytes for part in loaded]
        spent = np.cumsum(np.concatenate(costs)[order], dtype=np.int64)
        taken = order[: int(np.searchsorted(spent, amount, side="right"))]
    chosen = np.zeros(len(scores), dtype=bool)
    chosen[taken] = True
    ends = np.cumsum([part.selected for part in rows])
    parts = [
        _only(part, found, chosen[end - part.selected : end])
        for part, found, end in zip(rows, loaded, ends.tolist(), strict=True)
    ]
    target = drawn.targets[0]
    threshold = replace(target.threshold, selected=len(taken))
    return replace(drawn, targets=(replace(target, threshold=threshold),)), parts


def _combined(
    shards: Sequence[Shard],
    rows: Sequence[ShardRows],
    loaded: Sequence[SelectedRows],
    settings: DrawSettings,
    combine: Combine,
    threads: int,
) -> npt.NDArray[np.float64]:
    keys = np.concatenate(
        [
            _core.keys_of_rows(
                settings.rule.core, found.log_weight, found.shard_row + part.corpus_row
            )
            for part, found in zip(rows, loaded, strict=True)
        ]
    )
    from dsir.lexrank.rank import centrality  # Here: most runs do without it.

    if combine.lexrank == 0:
        return combine.dsir * _standardised(keys)
    pieces = tuple(
        Piece(shard, part, 0, part.selected)
        for shard, part in zip(shards, rows, strict=True)
        if part.selected
    )
    texts = [_plain(taken.text) for _, taken, _, _ in taken_rows(pieces, threads)]
    central = centrality(pa.chunked_array(texts), threshold=None, threads=threads).scores
    return combine.dsir * _standardised(keys) + combine.lexrank * _standardised(central)


def _standardised(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return values with mean 0 and standard deviation 1; zeros where all are the same.

    Exact sums, so that the bits depend on no one's order of summation.
    """
    mean = math.fsum(values) / len(values)
    deviations = values - mean
    spread = math.sqrt(math.fsum(deviations * deviations) / len(values))
    return deviations / spread if spread else np.zeros(len(values))


def _only(part: ShardRows, found: SelectedRows, chosen: npt.NDArray[np.bool_]) -> ShardRows:
    remaining = found.at(chosen)
    tokens = int(remaining.tokens.sum(dtype=np.int64))
    text_bytes = int(remaining.bytes.sum(dtype=np.int64))
    counts = [(len(remaining.shard_row), tokens, text_bytes)]
    return ShardRows(part.corpus_row, counts, part.form, rows=remaining, kept=part.kept)


def _plain(texts: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(texts.type):
        texts = texts.dictionary_decode()
    return texts.cast(pa.large_string())
