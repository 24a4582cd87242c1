"""Passes results of units on while the numbers of bad rows and shards are within limits."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from dsir.corpus import Shard
from dsir.stages.damage.bad_tally import BadTally
from dsir.stages.shard_scores import ShardScores
from dsir.stages.units import Placing, in_file

Result = TypeVar("Result")


def within_limits(
    results: Iterable[ShardScores], units: Iterable[tuple[Shard, int]], tally: BadTally
) -> Iterator[ShardScores]:
    """Give the results in order, after the tally has counted each.

    Args:
        results: the scores of the units.
        units: the units, each with the number of its file.
        tally: counts what is bad, and raises BadDataError when a limit is passed.
    """
    placing = Placing()
    for scores, (unit, file) in zip(results, units, strict=True):
        unit = placing.next(unit, scores.source_rows)
        tally.add(scores.rows, in_file(unit, scores.skipped), file)
        yield scores


@contextmanager
def stopping(results: Iterable[Result]) -> Iterator[Iterable[Result]]:
    """Stop an engine's run at the end of the block, even if the block fails."""
    try:
        yield results
    finally:
        if isinstance(results, Generator):
            results.close()
