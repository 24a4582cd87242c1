"""What a selection in memory keeps for its report: its accounts, and some of its inputs.

The rows of a folder say where they come from, and its inputs are files that can be read again. Data
in memory may be gone by the time of the report, so the selection keeps them: all of them if they
are small, and copies of rows that are spread evenly if they are not, so that a selection never
keeps a large table alive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dsir.corpus import Corpus, Shard
from dsir.formats import format_of
from dsir.output.row_origins import Origins
from dsir.report.pieces import Piece, slices

RAW_BYTES = 16 << 20
TARGET_BYTES = 8 << 20
_LARGER = 4


@dataclass(frozen=True, slots=True)
class HeldInputs:
    """What a selection in memory keeps of its inputs.

    Attributes:
        lines: whether raw is JSON Lines, so that the rows have the columns `text` and `line`.
        raw: rows of raw that were in memory, with the numbers of their inputs.
        targets: the same for each target, in order.
    """

    lines: bool
    raw: tuple[Piece, ...]
    targets: tuple[tuple[Piece, ...], ...]

    @classmethod
    def of(cls, raw: Corpus, targets: Sequence[Corpus]) -> HeldInputs:
        """Return what to keep of these inputs."""
        shards = raw.first_shards
        return cls(
            bool(shards) and format_of(shards[0].kind).rows_are_lines,
            _held_pieces(shards, RAW_BYTES),
            tuple(_held_pieces(one.first_shards, TARGET_BYTES) for one in targets),
        )


@dataclass(frozen=True, slots=True)
class Held:
    """What a selection in memory keeps for its report.

    Attributes:
        described: what a manifest says of it: `settings`, `inputs` and `metrics`.
        origins: where its rows come from.
        inputs: what it keeps of its inputs.
    """

    described: Mapping[str, Any]
    origins: Origins
    inputs: HeldInputs


def _held_pieces(shards: Sequence[Shard], most: int) -> tuple[Piece, ...]:
    """Return the tables in memory among shards, or copies of some of their rows.

    Args:
        shards: the inputs, in order; files are left out, because they can be read again.
        most: about how many bytes to keep at most.
    """
    tables = [(number, shard) for number, shard in enumerate(shards) if shard.file is None]
    size = sum(shard.size for _, shard in tables)
    if size <= most:
        return tuple(Piece(number, shard, 0, None) for number, shard in tables)
    return tuple(
        piece
        for number, shard in tables
        for piece in _copies(Piece(number, shard, 0, None), shard.size * most // size)
    )


def _copies(table: Piece, most: int) -> Iterator[Piece]:
    """Yield copies of rows of a table; runs that are much larger than others are left out."""
    found = slices(table, most)
    for piece in found:
        copy = piece.shard.copied(_LARGER * most // len(found))
        if copy is not None:
            yield piece._replace(shard=copy)
