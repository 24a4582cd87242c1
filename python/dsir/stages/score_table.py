"""The scores of a shard: three numbers per row, in memory or in an Arrow file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.errors import WorkdirError
from dsir.primitive_arrays import to_arrow, to_numpy

_RUN = 1 << 16

SCHEMA = pa.schema(
    [
        pa.field("log_weight", pa.float64(), nullable=False),
        pa.field("tokens", pa.uint32(), nullable=False),
        pa.field("bytes", pa.uint32(), nullable=False),
    ]
)


class Scores(NamedTuple):
    """Scores of consecutive rows.

    Attributes:
        log_weight: float64; 0 where there is no token.
        tokens: uint32; 0 for null, empty and bad rows.
        bytes: uint32, of text.
    """

    log_weight: npt.NDArray[np.float64]
    tokens: npt.NDArray[np.uint32]
    bytes: npt.NDArray[np.uint32]

    def to_batch(self) -> pa.RecordBatch:
        """Return the same as an Arrow batch."""
        return pa.record_batch([to_arrow(column) for column in self], schema=SCHEMA)


NO_SCORES = Scores(np.zeros(0), np.zeros(0, np.uint32), np.zeros(0, np.uint32))


def join(parts: Iterable[Scores]) -> Scores:
    """Put scores one after the other."""
    columns = zip(*[NO_SCORES, *parts], strict=True)
    return Scores._make(np.concatenate(column) for column in columns)


def read_scores(path: Path) -> Iterator[Scores]:
    """Read a file of scores.

    Raises:
        WorkdirError: it is missing or damaged.
    """
    try:
        # Not memory-mapped: mapped pages count as this process's memory, and would grow with it.
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            if reader.schema != SCHEMA:
                raise WorkdirError(f"{path}: is not a file of scores")
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                yield Scores._make(to_numpy(column) for column in batch.columns)
    except (OSError, pa.ArrowException) as error:
        raise WorkdirError(
            f"{path}: cannot be read as scores: {error}; remove it and its marker to score again"
        ) from error


def in_runs(parts: Iterable[Scores], size: int = _RUN) -> Iterator[Scores]:
    """Cut scores anew, so that sums over runs do not depend on how they were batched."""
    waiting = NO_SCORES
    for part in parts:
        waiting = join([waiting, part])
        while len(waiting.log_weight) >= size:
            yield Scores._make(column[:size] for column in waiting)
            waiting = Scores._make(column[size:] for column in waiting)
    if len(waiting.log_weight):
        yield waiting
