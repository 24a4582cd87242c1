"""The columns of scores that a search for duplicates needs; the others are not read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir.errors import WorkdirError
from dsir.primitive_arrays import to_numpy
from dsir.stages.score_table import Scores, opened_scores
from dsir.stages.shard_scores import ShardScores


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


def comparable_rows(
    shard: ShardScores, *, near: bool, start: int = 0, stop: int | None = None
) -> Iterator[Comparable]:
    """Read what a search for duplicates needs of a shard, in the batches it was written in.

    Args:
        shard: the scores of the shard.
        near: read the keys of bands, and not the content hashes.
        start: the first row to read. Of a batch before it only the tokens are read, to count them.
        stop: the row before which to stop; None for all rows.

    Raises:
        WorkdirError: the scores are missing or damaged.
    """
    stop = shard.rows if stop is None else stop
    if shard.place is None:
        table = Comparable.of(shard.scores or shard.form.nothing, near=near)
        yield table.at(slice(start, stop))
        return
    form, path, row = shard.form, shard.place.fetched(".arrow"), 0
    keys = [f"band_{band}" for band in range(form.bands)] if near else ["content"]
    names = ["tokens", *["reason"] * form.reasons, *keys]
    with (
        opened_scores(path, form.schema, names) as reader,
        opened_scores(path, form.schema, ["tokens"]) as counter,
    ):
        for number in range(reader.num_record_batches):
            if row >= stop:
                return
            rows = counter.get_batch(number).num_rows if row < start else 0
            if row + rows <= start and row < start:
                row += rows
                continue
            columns = [to_numpy(column) for column in reader.get_batch(number).columns]
            reason = columns[1] if form.reasons else None
            table = Comparable(columns[0], reason, columns[1 + form.reasons :])
            yield table.at(slice(max(0, start - row), stop - row))
            row += table.rows
    if row < stop:
        raise WorkdirError(
            f"{shard.place.path('.arrow')}: holds {row:,} scores, its marker says {shard.rows:,}; "
            "remove both to score it again"
        )
