"""Results of units, taken for as long as not too much is bad in them."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from dsir.corpus import Shard
from dsir.stages.damage.bad_tally import BadTally
from dsir.stages.score import ShardScores
from dsir.stages.units import Placing, in_file

Result = TypeVar("Result")


def within_limits(
    results: Iterable[ShardScores], units: Sequence[tuple[Shard, int]], tally: BadTally
) -> Iterator[ShardScores]:
    """Hand results over, in order, for as long as not too much is bad in them.

    Args:
        results: of units.
        units: which, and the number of the file that each is of.
        tally: is told of them.
    """
    placing = Placing()
    for part, (unit, file) in zip(results, units, strict=True):
        unit = placing.next(unit, part.source_rows)
        tally.add(part.rows, in_file(unit, part.skipped), file)
        yield part


@contextmanager
def stopping(results: Iterable[Result]) -> Iterator[Iterable[Result]]:
    """Stop a run of an engine where what takes its results fails."""
    try:
        yield results
    finally:
        if isinstance(results, Generator):
            results.close()
