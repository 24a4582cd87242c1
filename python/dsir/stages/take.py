"""Fetches selected rows: from the files of rows kept while scoring, or again from the input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus import TakenRows
from dsir.errors import ShardError
from dsir.stages.kept.named import is_whole
from dsir.stages.kept.reader import take_kept
from dsir.stages.plan import Piece
from dsir.stages.selected_rows import SelectedRows

# Pieces. Here whole row groups with all columns are decoded for a few rows each, and Arrow's
# allocator keeps that memory until it is told to release it.
_RELEASE_EVERY = 16


def taken_rows(
    pieces: Sequence[Piece], threads: int
) -> Iterator[tuple[Piece, TakenRows, SelectedRows, npt.NDArray[np.int64]]]:
    """Fetch the rows of pieces, in batches.

    Yields:
        The piece, the rows, their entries in the table of selected rows, and their global row
        numbers.

    Raises:
        InputError: the rows cannot be read again, or differ from the rows that were scored.
    """
    for number, piece in enumerate(pieces):
        if number % _RELEASE_EVERY == _RELEASE_EVERY - 1:
            pa.default_memory_pool().release_unused()
        shard = piece.shard
        shard.check_unchanged()
        selected = piece.rows.load().at(slice(piece.start, piece.stop))
        if shard.is_windows:
            wanted = _present(selected.source_row)
            starts = _present(selected.start).astype(np.int64)
            lengths = selected.bytes.astype(np.int64)
            batches = shard.take_windows(wanted, starts, lengths, threads=threads)
        else:
            wanted = selected.shard_row
            kept = piece.rows.kept
            if kept is None or not is_whole(kept):
                batches = shard.take(wanted, threads=threads)
            else:
                batches = take_kept(kept, shard, wanted, threads)
        at = 0
        for taken in batches:
            end = at + len(taken.rows)
            if not np.array_equal(taken.rows, wanted[at:end]):
                raise ShardError(
                    f"{shard.name}: changed while the run was going on: other rows came back than "
                    "were asked for; run again when the file no longer changes",
                    path=shard.name,
                )
            entries = selected.at(slice(at, end))
            yield piece, taken, entries, entries.shard_row + piece.rows.corpus_row
            at = end
        if at != len(wanted):
            raise ShardError(
                f"{shard.name}: changed while the run was going on: {len(wanted) - at:,} selected "
                "rows are gone; run again when the file no longer changes",
                path=shard.name,
            )


def _present(column: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    assert column is not None, "rows of windows name the row they were cut from"
    return column
