"""The columns of scores that a search for duplicates needs; the others are not read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir.errors import WorkdirError
from dsir.primitive_arrays import to_numpy
from dsir.stages.score import ShardScores
from dsir.stages.score_table import Scores, read_batches


class Comparable(NamedTuple):
    """What a search for duplicates needs of consecutive rows.

    Attributes:
        tokens: uint32; 0 for null, empty and bad rows.
        reason: uint8, 0 if the row passes the quality filters; None without filters.
        keys: what duplicates have in common, uint64[rows] each: the content hashes, or the keys of
            each band.
    """

    tokens: npt.NDArray[np.uint32]
    reason: npt.NDArray[np.uint8] | None
    keys: Sequence[npt.NDArray[np.uint64]]

    @classmethod
    def of(cls, scores: Scores, *, near: bool) -> Comparable:
        """Return these columns of scores: keys of bands if `near`, else content hashes."""
        if near:
            assert scores.bands is not None, "these scores were made with keys of bands"
            return cls(scores.tokens, scores.reason, list(scores.bands))
        assert scores.content is not None, "these scores were made with content hashes"
        return cls(scores.tokens, scores.reason, [scores.content])

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.tokens)

    def at(self, where: slice) -> Comparable:
        """Return some of the rows, without a copy."""
        reason = None if self.reason is None else self.reason[where]
        return Comparable(self.tokens[where], reason, [keys[where] for keys in self.keys])


def comparable_rows(shard: ShardScores, *, near: bool) -> Iterator[Comparable]:
    """Read what a search for duplicates needs of a shard, in the batches it was written in.

    Args:
        shard: the scores of the shard.
        near: read the keys of bands, and not the content hashes.

    Raises:
        WorkdirError: the scores are missing or damaged.
    """
    if shard.place is None:
        yield Comparable.of(shard.scores or shard.form.nothing, near=near)
        return
    form, rows = shard.form, 0
    keys = [f"band_{band}" for band in range(form.bands)] if near else ["content"]
    names = ["tokens", *["reason"] * form.reasons, *keys]
    for batch in read_batches(shard.place.fetched(".arrow"), form.schema, names):
        columns = [to_numpy(column) for column in batch.columns]
        reason = columns[1] if form.reasons else None
        yield Comparable(columns[0], reason, columns[1 + form.reasons :])
        rows += batch.num_rows
    if rows != shard.rows:
        raise WorkdirError(
            f"{shard.place.path('.arrow')}: holds {rows:,} scores, its marker says {shard.rows:,}; "
            "remove both to score it again"
        )
