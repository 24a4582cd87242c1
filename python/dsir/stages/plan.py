"""Which selected rows go into which output shard, decided before anything is written."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

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


class Pieces(Sequence[Piece]):
    """The pieces of an output shard, made when they are asked for, in 32 bytes each.

    Args:
        shards: the shards that rows come from.
        rows: the selected rows of each.
    """

    def __init__(self, shards: Sequence[Shard], rows: Sequence[ShardRows]) -> None:
        self._shards = shards
        self._selected = rows
        self._columns = array("q")  # Of each piece: the unit, start, stop, and the file.

    def append(self, unit: int, start: int, stop: int, source: int) -> None:
        """Add a piece of a unit; see `Piece`."""
        self._columns.extend((unit, start, stop, source))

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(self._columns[2::4]) - sum(self._columns[1::4])

    def __len__(self) -> int:
        return len(self._columns) // 4

    @overload
    def __getitem__(self, number: int) -> Piece: ...
    @overload
    def __getitem__(self, number: slice) -> tuple[Piece, ...]: ...
    def __getitem__(self, number: int | slice) -> Piece | tuple[Piece, ...]:
        if isinstance(number, slice):
            return tuple(self[one] for one in range(*number.indices(len(self))))
        at = 4 * range(len(self))[number]
        unit, start, stop, source = self._columns[at : at + 4]
        return Piece(self._shards[unit], self._selected[unit], start, stop, source)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        # Whoever writes one output shard needs nothing of the others.
        return (tuple, (list(self),))


@dataclass(frozen=True, slots=True)
class OutputShard:
    """What one output shard holds: pieces of input shards of one kind whose rows fit one schema.

    Attributes:
        number: the number in the name of the file.
        schema: the columns as they are written; None for JSON Lines.
        text_bytes: bytes of text in the output shard.
    """

    number: int
    pieces: Sequence[Piece]
    schema: pa.Schema | None
    text_bytes: int

    @property
    def rows(self) -> int:
        """How many rows the output shard holds."""
        if isinstance(self.pieces, Pieces):
            return self.pieces.rows
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
    found_forms = (_form_of(*one, schemas) for one in zip(shards, rows, strict=True))
    known: dict[_Form | None, _Form | None] = {}  # Equal forms of many units are one object.
    forms = [known.setdefault(form, form) for form in found_forms]
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
    pieces = Pieces(shards, rows)
    filled = number = 0
    opened: _Form | None = None

    def output() -> OutputShard:
        assert opened is not None
        schema = None if opened[1] is None else schemas[opened[1]]
        return OutputShard(number, pieces, schema, filled)

    for unit, (source, form) in enumerate(zip(file_numbers(shards), forms, strict=True)):
        if form is None:
            continue
        selected = rows[unit]
        if opened is not None and opened != form:
            yield output()
            pieces, filled, number = Pieces(shards, rows), 0, number + 1
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
                    pieces, filled, number = Pieces(shards, rows), 0, number + 1
                    continue
                stop = start + 1  # A row larger than a shard gets a shard of its own.
            pieces.append(unit, start, stop, source)
            filled += int(ends[stop - 1]) - before
            start = stop
    if pieces:
        yield output()
