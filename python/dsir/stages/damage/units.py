"""Units after an unreadable one: rows whose number in the file is unknown cannot be selected."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from dsir.corpus import Shard
from dsir.stages.shard_scores import ShardScores
from dsir.stages.unit_scores import ChangeableScores, UnitScores
from dsir.stages.units import file_ranges


def without_unnumbered(
    scores: Sequence[ShardScores], units: Sequence[int], numbered: Sequence[bool]
) -> ChangeableScores:
    """Return the scores, without rows for units whose row numbers in the file are unknown.

    Rows of JSON Lines are counted by reading them. So if one unit cannot be read, the rest of its
    file is lost too, for the same reason. Row groups get their row numbers from the Parquet footer.

    Args:
        scores: the scores of every unit of a corpus, in order.
        units: how many units each file has.
        numbered: for each file, whether its metadata says which rows its units hold.
    """
    found = scores if isinstance(scores, UnitScores) else list(scores)
    rest = enumerate(scores)
    for count, has_numbers in zip(units, numbered, strict=True):
        lost: ShardScores | None = None
        for number, unit in itertools.islice(rest, count):
            if lost is not None and not has_numbers:
                found[number] = ShardScores(skipped=lost.skipped, form=unit.form)
            elif unit.source_rows is None:
                lost = unit
    return found


def without_unnumbered_of(
    units: Sequence[Shard], scores: Sequence[ShardScores]
) -> ChangeableScores:
    """Return the same as `without_unnumbered`, for a list of units."""
    ranges = list(file_ranges(units))
    numbered = []
    for _, stop in ranges:
        part = units[stop - 1].part
        numbered.append(part is not None and part.rows_before is not None)
    return without_unnumbered(scores, [stop - first for first, stop in ranges], numbered)
