"""Which selected rows go into which output shard, decided before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dsir.corpus import Shard
from dsir.output.shared_schema import Clash, SharedSchemas
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
    """What one output shard holds: pieces of input shards of one kind whose rows fit one schema.

    Attributes:
        number: the number in the name of the file.
        schema: the columns as they are written; None for JSON Lines.
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


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """What all output shards hold.

    Attributes:
        shards: the output shards, in order.
        clash: why they cannot all have one schema; None if they have, or need not.
    """

    shards: tuple[OutputShard, ...]
    clash: Clash | None


def plan_output(
    shards: Sequence[Shard],
    rows: Sequence[ShardRows],
    shard_size: int,
    *,
    keep_types: bool = False,
) -> OutputPlan:
    """Distribute the selected rows, in order, over output shards.

    A new output shard begins when the next row would take the text above `shard_size` bytes, when
    the kind of the input changes, and when its columns do not fit into the same schema; see
    `SharedSchemas`. The plan depends on the rows and schemas alone, so it is the same for any
    number of threads, and after a restart.

    Args:
        shards: the shards that the rows come from.
        rows: the selected rows of each.
        shard_size: bytes of text in an output shard.
        keep_types: write every column in the type that it came in.
    """
    schemas = SharedSchemas(keep_types=keep_types)
    forms = [_form_of(*one, schemas) for one in zip(shards, rows, strict=True)]
    found = tuple(_output_shards(shards, rows, forms, schemas, shard_size))
    return OutputPlan(found, None if keep_types else schemas.clash)


# The kind of a shard, and the number of its schema: None for lines.
_Form = tuple[str, int | None]


def _form_of(shard: Shard, selected: ShardRows, schemas: SharedSchemas) -> _Form | None:
    """Return the form of a shard's rows; None if no row is selected."""
    if selected.selected == 0:
        return None
    schema = shard.schema()
    number = None if schema is None else schemas.add(shard.kind, schema, shard.name)
    return shard.kind, number


def _output_shards(
    shards: Sequence[Shard],
    rows: Sequence[ShardRows],
    forms: Sequence[_Form | None],
    schemas: SharedSchemas,
    shard_size: int,
) -> Iterator[OutputShard]:
    pieces: list[Piece] = []
    filled = number = 0
    opened: _Form | None = None

    def output() -> OutputShard:
        assert opened is not None
        schema = None if opened[1] is None else schemas[opened[1]]
        return OutputShard(number, tuple(pieces), schema, filled)

    for source, shard, selected, form in zip(
        file_numbers(shards), shards, rows, forms, strict=True
    ):
        if form is None:
            continue
        if opened is not None and opened != form:
            yield output()
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
                    yield output()
                    pieces, filled, number = [], 0, number + 1
                    continue
                stop = start + 1  # A row larger than a shard gets a shard of its own.
            pieces.append(Piece(shard, selected, start, stop, source))
            filled += int(ends[stop - 1]) - before
            start = stop
    if pieces:
        yield output()
