"""Which selected rows go into which output shard, decided before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dsir.corpus import Shard
from dsir.stages.sample import ShardRows
from dsir.stages.units import file_numbers


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive selected rows of one shard.

    Attributes:
        start, stop: positions among the selected rows of the shard.
        source: the number of the shard's file or table.
    """

    shard: Shard
    rows: ShardRows
    start: int
    stop: int
    source: int = 0


@dataclass(frozen=True, slots=True)
class OutputShard:
    """What one output shard holds: pieces of input shards that have one kind and one schema.

    Attributes:
        number: the number in the name of the file.
        schema: the input's schema; None for JSON Lines.
        text_bytes: bytes of text in the output shard.
    """

    number: int
    pieces: tuple[Piece, ...]
    schema: pa.Schema | None
    text_bytes: int

    @property
    def rows(self) -> int:
        """How many rows the output shard holds."""
        return sum(piece.stop - piece.start for piece in self.pieces)


def plan_output(
    shards: Sequence[Shard], rows: Sequence[ShardRows], shard_size: int
) -> Iterator[OutputShard]:
    """Distribute the selected rows, in order, over output shards.

    A new output shard begins when the next row would take the text above `shard_size` bytes, and
    when the kind or the columns of the input change; the metadata of the first schema in an output
    shard is kept. The plan depends on the rows alone, so it is
    the same for any number of threads, and after a restart.
    """
    pieces: list[Piece] = []
    filled = number = 0
    opened: tuple[str, pa.Schema | None] | None = None
    for source, shard, selected in zip(file_numbers(shards), shards, rows, strict=True):
        if selected.selected == 0:
            continue
        form = (shard.kind, shard.schema())
        if opened is not None and not _same(opened, form):
            yield OutputShard(number, tuple(pieces), opened[1], filled)
            pieces, filled, number = [], 0, number + 1
        opened = form
        ends = np.cumsum(selected.load().bytes, dtype=np.int64)
        start = 0
        while start < selected.selected:
            before = int(ends[start - 1]) if start else 0
            room = before + shard_size - filled
            stop = int(np.searchsorted(ends, room, side="right"))
            if stop <= start:
                if pieces:  # Not even one more row fits.
                    yield OutputShard(number, tuple(pieces), opened[1], filled)
                    pieces, filled, number = [], 0, number + 1
                    continue
                stop = start + 1  # A row larger than a shard gets a shard of its own.
            pieces.append(Piece(shard, selected, start, stop, source))
            filled += int(ends[stop - 1]) - before
            start = stop
    if pieces and opened is not None:
        yield OutputShard(number, tuple(pieces), opened[1], filled)


def _same(one: tuple[str, pa.Schema | None], other: tuple[str, pa.Schema | None]) -> bool:
    if one[0] != other[0] or (one[1] is None) != (other[1] is None):
        return False
    if one[1] is None or other[1] is None:
        return True
    # The metadata of a schema tells of its file: pandas writes the number of rows there. That of a
    # field tells of its type.
    first, second = (schema.remove_metadata() for schema in (one[1], other[1]))
    return bool(first.equals(second, check_metadata=True))
