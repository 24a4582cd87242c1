"""Selection by two measures: of what DSIR draws most of, what is most central among its like.

DSIR looks at each document alone. Of the documents that it puts first, several times as many as are
wanted, those are chosen whose combined score is greatest:

    dsir * z(key) + lexrank * z(centrality),

the key that DSIR draws by (noise included) and the continuous LexRank of the documents among these
candidates, each with mean 0 and standard deviation 1 over the candidates. Ours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus import Shard
from dsir.errors import SettingError
from dsir.settings.draw import DrawSettings
from dsir.stages.draw import Draw
from dsir.stages.plan import Piece
from dsir.stages.sample import ShardRows
from dsir.stages.selected_rows import SelectedRows
from dsir.stages.take import taken_rows

_MEASURES = ("dsir", "lexrank")


@dataclass(frozen=True, slots=True)
class Combine:
    """How candidates are chosen from.

    Attributes:
        dsir: weight of the key.
        lexrank: weight of the centrality.
        candidates: how many times the budget is drawn first.
    """

    dsir: float
    lexrank: float
    candidates: float

    def describe(self) -> dict[str, float]:
        """Return the same as plain values."""
        return {"dsir": self.dsir, "lexrank": self.lexrank, "candidates": self.candidates}

    def widened(self, settings: DrawSettings) -> DrawSettings:
        """Return the settings by which the candidates are drawn."""
        wider = settings.budget.times(self.candidates)
        return replace(settings, budget=wider, allow_fewer=True)


def check_combine(
    combine: Mapping[str, float] | None, candidates: float, targets: str
) -> Combine | None:
    """Check how two measures are to be combined.

    Raises:
        SettingError: a measure is not known or missing, a weight is out of range, or targets are
            separate.
    """
    if not isinstance(candidates, int | float) or not 1 <= candidates < math.inf:
        raise SettingError(f"candidates={candidates!r}: expected a number, 1 or more")
    if combine is None:
        return None
    if not isinstance(combine, Mapping) or set(combine) != set(_MEASURES):
        raise SettingError(f"combine={combine!r}: expected weights of dsir and lexrank")
    weights = [combine[name] for name in _MEASURES]
    numbers = all(isinstance(w, int | float) and 0 <= w < math.inf for w in weights)
    if not numbers or not any(weights):
        raise SettingError(f"combine={combine!r}: expected numbers, 0 or more, one above 0")
    if targets == "separate":
        raise SettingError('combine: cannot be used with targets="separate"')
    return Combine(float(weights[0]), float(weights[1]), float(candidates))


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
