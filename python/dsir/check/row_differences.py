"""Which rows of two selections differ, column by column."""

from __future__ import annotations

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


def unlike_content(pair: Pair) -> npt.NDArray[np.bool_]:
    """Return for every common row whether its columns differ."""
    count = len(pair.common_one)
    unlike = np.zeros(count, dtype=bool)
    one, other = pair.one.content, pair.other.content
    if not count or one is None or other is None:
        return unlike
    if not one.schema.equals(other.schema):
        return np.ones(count, dtype=bool)
    one, other = take_rows(one, pair.common_one), take_rows(other, pair.common_other)
    for left, right in zip(one.columns, other.columns, strict=True):
        found = unlike_values(left, right)
        if found is not None:
            unlike |= found
    return unlike


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
