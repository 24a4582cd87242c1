"""INT96 times in Parquet: read so that no date changes.

Spark before 3, Hive and Impala write a time as a day and the nanoseconds in it. pyarrow makes
nanoseconds since 1970 of both unless it is told otherwise, and dates before 1677 and after 2262
then become other dates. dsir reads microseconds, which reach 292,000 years from 1970, and refuses
times that have no place in microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dsir.primitive_arrays import to_numpy

if TYPE_CHECKING:
    import pyarrow.parquet as pq

UNIT = "us"
"""The unit that INT96 times are read in, for pyarrow."""

CHECKING_UNITS = ("s", "ns")
"""Two more units, which together tell a time exactly; see `refuse_inexact`."""

_MOST_SECONDS = ((1 << 63) - 1) // 1_000_000 - 1
_WAY_OUT = (
    "write it again with times of 64 bits (in Spark: "
    "spark.sql.parquet.outputTimestampType=TIMESTAMP_MICROS)"
)


def int96_columns(schema: pq.ParquetSchema) -> tuple[str, ...]:
    """Return the paths of the columns that hold INT96 times, dots between their names."""
    columns = (schema.column(place) for place in range(len(schema)))
    return tuple(column.path for column in columns if column.physical_type == "INT96")


def among(columns: Sequence[str], wanted: Sequence[str] | None) -> list[str]:
    """Return those of the columns that are read when `wanted` are (None: all)."""
    if wanted is None:
        return list(columns)
    return [
        path for path in columns if any(path == one or path.startswith(f"{one}.") for one in wanted)
    ]


def refuse_inexact(seconds: pa.RecordBatch, nanoseconds: pa.RecordBatch) -> None:
    """Raise ValueError for a time that microseconds cannot tell.

    Seconds in 64 bits hold every INT96 time, rounded down. Nanoseconds may overflow, but then they
    are still right modulo 2^64, so the difference of both is the exact part below a second.

    Args:
        seconds: INT96 columns, read in seconds.
        nanoseconds: the same rows and columns, read in nanoseconds.
    """
    for name, one, other in zip(
        seconds.schema.names, seconds.columns, nanoseconds.columns, strict=True
    ):
        for whole, exact in zip(_times(one), _times(other), strict=True):
            told = to_numpy(whole.drop_null().cast(pa.int64()))
            below = to_numpy(exact.drop_null().cast(pa.int64())) - told * 1_000_000_000
            if (np.abs(told) > _MOST_SECONDS).any():
                raise ValueError(
                    f"a time of the INT96 column {name} is more than 292,000 years from 1970; "
                    f"{_WAY_OUT}"
                )
            if (below % 1000 != 0).any():
                raise ValueError(
                    f"a time of the INT96 column {name} has nanoseconds that would be lost in "
                    f"microseconds, in which dsir reads such times to keep every date; {_WAY_OUT}"
                )


def _times(array: pa.Array) -> Iterator[pa.Array]:
    """Give the times in an array, at any depth."""
    if pa.types.is_timestamp(array.type):
        yield array
    elif pa.types.is_map(array.type):
        yield from _times(array.keys)
        yield from _times(array.items)
    elif pa.types.is_struct(array.type):
        for place in range(array.type.num_fields):
            yield from _times(array.field(place))
    elif pa.types.is_nested(array.type):
        yield from _times(array.flatten())
