"""Parts of a corpus that can be read within a budget, spread evenly over its files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from dsir.corpus import Shard, TextBatch
from dsir.corpus.batches import text_bytes

# A budget is spread over so many places, so that a corpus sorted by source shows all of them.
PLACES = 64
_LEAST_BYTES = 64 << 10

_Item = TypeVar("_Item")


class Piece(NamedTuple):
    """A part of an input, and how much of it to read.

    Attributes:
        source: number of the input.
        shard: the input, or a part of it.
        first_row: rows of the input before the part; with windows, its documents.
        most_bytes: about how many bytes of text to read; None for all.
    """

    source: int
    shard: Shard
    first_row: int
    most_bytes: int | None


def whole(shards: Sequence[Shard]) -> list[Piece]:
    """Return inputs as pieces that are read from beginning to end."""
    return [Piece(number, shard, 0, None) for number, shard in enumerate(shards)]


def spread(inputs: Sequence[Piece], total_bytes: int, budget: int) -> list[Piece]:
    """Return what to read of a corpus; all of it, if that fits into the budget.

    Which parts are read depends on the files and the numbers alone, so a report is the same every
    time. Files without row groups are read from their beginning, because finding the number of a
    row in their middle takes reading all that is before it.

    Args:
        inputs: the inputs, in order; tables in memory may be there in parts.
        total_bytes: bytes of text in all of them together.
        budget: about how many bytes of text to read at most.
    """
    if total_bytes <= budget:
        return list(inputs)
    files = _evenly(inputs, PLACES)
    places = max(1, PLACES // len(files))
    most = max(_LEAST_BYTES, budget // (len(files) * places))
    found = []
    for piece in files:
        if piece.shard.file is None:
            found += slices(piece, budget // len(files), places)
            continue
        number, shard = piece.source, piece.shard.surveyed()
        parts = [
            part
            for part in shard.parts(shard.bounds(most))
            if part.part is None or part.part.rows_before is not None or part.part.start == 0
        ]
        if len(parts) == 1:  # All of the file's share of the budget is read in one go.
            found.append(Piece(number, shard, 0, max(_LEAST_BYTES, budget // len(files))))
            continue
        for part in _evenly(parts, places):
            before = part.part.rows_before if part.part is not None else 0
            found.append(Piece(number, part, before or 0, most))
    return found


def slices(table: Piece, budget: int, places: int = PLACES) -> list[Piece]:
    """Return runs of rows of a table in memory, spread evenly; all of it, if the budget is enough.

    Args:
        table: the table.
        budget: about how many bytes to return.
        places: how many runs to return at most.
    """
    rows = table.shard.documents.rows_in_metadata() or 0
    wanted = rows if table.shard.size <= budget else rows * budget // table.shard.size
    runs = min(places, wanted)
    found = []
    for number in range(runs):
        first = number * rows // runs
        stop = first + (number + 1) * wanted // runs - number * wanted // runs
        shard = table.shard.between(first, stop)
        found.append(Piece(table.source, shard, table.first_row + first, None))
    return found


def read(piece: Piece, groups: Sequence[str] = ()) -> Iterator[TextBatch]:
    """Yield the texts of a piece.

    Args:
        piece: the piece.
        groups: columns whose values come with the texts.

    Raises:
        InputError: the input cannot be read.
    """
    left = piece.most_bytes
    batch_bytes = None if left is None else max(_LEAST_BYTES, left // 4)
    for batch in piece.shard.text_batches(on_error="skip", batch_bytes=batch_bytes, groups=groups):
        yield batch
        if left is not None:
            left -= text_bytes(batch.text)
            if left <= 0:
                return


def _evenly(items: Sequence[_Item], most: int) -> list[_Item]:
    """Return at most so many of the items, as evenly spaced as can be."""
    if len(items) <= most:
        return list(items)
    return [items[number * len(items) // most] for number in range(most)]
