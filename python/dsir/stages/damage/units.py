"""Units behind one that could not be read: what cannot be numbered cannot be selected."""

from __future__ import annotations

from collections.abc import Sequence

from dsir.corpus import Shard
from dsir.stages.score import ShardScores
from dsir.stages.units import file_ranges


def without_unnumbered(
    scores: Sequence[ShardScores], units: Sequence[int], numbered: Sequence[bool]
) -> list[ShardScores]:
    """Pass over units of which nobody can say which rows of their file they hold.

    The rows of JSON Lines are counted by reading them. So where a unit cannot be read, the rest of
    its file is lost with it, for the same reason. Row groups have their numbers from the footer.

    Args:
        scores: of every unit of a corpus, in order.
        units: how many each file has.
        numbered: of each file, whether its metadata says which rows its units hold.

    Returns:
        The scores, those of such units without a row.
    """
    found = []
    rest = iter(scores)
    for count, has_numbers in zip(units, numbered, strict=True):
        lost: ShardScores | None = None
        for _ in range(count):
            part = next(rest)
            if lost is not None and not has_numbers:
                part = ShardScores(skipped=lost.skipped, form=part.form)
            elif part.source_rows is None:
                lost = part
            found.append(part)
    return found


def without_unnumbered_of(
    units: Sequence[Shard], scores: Sequence[ShardScores]
) -> list[ShardScores]:
    """Do the same for units that are at hand."""
    ranges = list(file_ranges(units))
    numbered = []
    for _, stop in ranges:
        part = units[stop - 1].part
        numbered.append(part is not None and part.rows_before is not None)
    return without_unnumbered(scores, [stop - first for first, stop in ranges], numbered)
