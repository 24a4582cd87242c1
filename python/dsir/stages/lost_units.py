"""Units behind one that could not be read: what cannot be numbered cannot be selected."""

from __future__ import annotations

from collections.abc import Sequence

from dsir.corpus import Shard
from dsir.stages.score import ShardScores
from dsir.stages.units import Placing, begins_file


def without_unnumbered(units: Sequence[Shard], scores: Sequence[ShardScores]) -> list[ShardScores]:
    """Pass over units of which nobody can say which rows of their file they hold.

    The rows of JSON Lines are counted by reading them. So where a unit cannot be read, the rest of
    its file is lost with it, for the same reason. Row groups have their numbers from the footer.

    Args:
        units: of a corpus, in order.
        scores: of each.

    Returns:
        The scores, those of such units without a row.
    """
    found = []
    placing = Placing()
    lost: ShardScores | None = None
    for unit, part in zip(units, scores, strict=True):
        if begins_file(unit):
            lost = None
        in_place = placing.next(unit, part.source_rows)
        numbered = in_place.part is None or in_place.part.rows_before is not None
        if lost is not None and not numbered:
            part = ShardScores(skipped=lost.skipped, form=part.form)
        elif part.source_rows is None:
            lost = part
        found.append(part)
    return found
