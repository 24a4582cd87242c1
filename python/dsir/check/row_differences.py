"""Which rows of two selections differ, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.check.row_merge import Pair
from dsir.corpus.cast_columns import cast_column, viewless_type
from dsir.corpus.take_rows import take_rows


def column_at(column: pa.Array | None, positions: npt.NDArray[np.int64]) -> pa.Array | None:
    """Return the values of a column at positions; None without the column."""
    if column is None:
        return None
    batch = pa.RecordBatch.from_arrays([column], ["value"])
    return take_rows(batch, positions).column(0)


@dataclass(frozen=True, slots=True)
class Unlike:
    """Which common rows of two selections differ, and in what: bool[rows] each.

    Attributes:
        weight: the log-weights differ in a bit.
        target: another target took the row.
        content: a column that the input has differs or, for JSON Lines, the line.
    """

    weight: npt.NDArray[np.bool_]
    target: npt.NDArray[np.bool_]
    content: npt.NDArray[np.bool_]


def unlike_rows(pair: Pair, *, weight: str, target: str) -> Unlike:
    """Compare the common rows of two selections: where they come from, and their columns.

    Args:
        pair: the rows.
        weight: name of the column of log-weights that a selection adds.
        target: name of the column of targets, which it may add.
    """
    count = len(pair.common_one)
    unlike = Unlike(*(np.zeros(count, dtype=bool) for _ in range(3)))
    one, other = pair.one.origins, pair.other.origins
    unlike.weight[:] = one.log_weight[pair.common_one].view(np.int64) != other.log_weight[
        pair.common_other
    ].view(np.int64)
    _mark(
        unlike.target,
        column_at(one.target, pair.common_one),
        column_at(other.target, pair.common_other),
    )
    left, right = pair.one.content, pair.other.content
    if not count or left is None or right is None:
        return unlike
    if not left.schema.equals(right.schema):
        unlike.content[:] = True
        return unlike
    left, right = take_rows(left, pair.common_one), take_rows(right, pair.common_other)
    names = left.schema.names
    # The last of a name: lines of JSON have no other columns, and tables none of these names.
    added = {_last(names, weight): unlike.weight}
    if one.target is not None:
        added[_last(names, target)] = unlike.target
    for place, columns in enumerate(zip(left.columns, right.columns, strict=True)):
        _mark(added.get(place, unlike.content), *columns)
    return unlike


def _last(names: Sequence[str], name: str) -> int:
    """Return the last place of a name; -1 if it is not there."""
    return max((place for place, one in enumerate(names) if one == name), default=-1)


def _mark(marks: npt.NDArray[np.bool_], one: pa.Array | None, other: pa.Array | None) -> None:
    """Mark the rows whose values differ."""
    found = unlike_values(one, other)
    if found is not None:
        marks |= found


def unlike_values(one: pa.Array | None, other: pa.Array | None) -> npt.NDArray[np.bool_] | None:
    """Return for every row whether two columns differ; None if no row differs."""
    if one is None or other is None:
        return None if one is other else np.ones(len(one or other or []), dtype=bool)
    if pa.types.is_dictionary(one.type) and pa.types.is_dictionary(other.type):
        one, other = (
            cast_column(side, viewless_type(side.type.value_type)) for side in (one, other)
        )
    if one.equals(other):
        return None
    try:
        # Row by row as texts, because a NaN differs from itself as a number.
        left, right = one.to_pylist(), other.to_pylist()
        unlike = [repr(a) != repr(b) for a, b in zip(left, right, strict=True)]
    except (ValueError, OverflowError):  # A date that Python cannot hold, or a text not in UTF-8.
        unlike = [not one.slice(row, 1).equals(other.slice(row, 1)) for row in range(len(one))]
    return np.array(unlike, dtype=bool) if any(unlike) else None
