"""Shards whose rows are lines, plain or compressed: a row is a line that is not blank."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from dsir.corpus.decompressed import TextFile, decompresses_to_nothing
from dsir.corpus.file_shard import FileShard
from dsir.corpus.first_bytes import is_compressed
from dsir.corpus.line_blocks import LineBlock, line_blocks, line_starts
from dsir.corpus.shard import FilePart
from dsir.errors import ShardError, StoreError
from dsir.formats import Compression
from dsir.remote.read_errors import first_line, translated

if TYPE_CHECKING:
    from typing_extensions import Self

_SLOW = ("gzip", "bz2")  # Slower to decompress than to write out and read again.


@dataclass(frozen=True, slots=True)
class LinesShard(FileShard):
    """A file of lines, or a run of whole lines of one.

    Attributes:
        compression: how the file is compressed by its name, or None.
    """

    compression: Compression | None = None
    text_file: ClassVar[TextFile]
    """What such a file is called, and what it begins with."""

    @property
    def is_empty(self) -> bool:
        """Whether the file has no byte, also once it is decompressed."""
        return not self.size or decompresses_to_nothing(
            self.path, self.size, self.name, self.compression
        )

    def rows_in_metadata(self) -> None:
        """Return None: only reading tells how many lines there are."""
        return

    def bounds(self, unit_bytes: int) -> tuple[int, ...]:
        """Return the bytes at which parts begin, all at starts of lines: see `Shard.bounds`."""
        if self.compression is not None or self.size <= unit_bytes or not self._may_be_cut():
            return ()
        try:
            with translated(self._unreadable):
                if is_compressed(self.path):
                    return ()
                bounds = line_starts(self.path, self.size, unit_bytes)
        except StoreError:
            raise
        except ShardError:  # Reading the shard raises it again.
            return ()
        return bounds if len(bounds) > 2 else ()

    def parts(self, bounds: tuple[int, ...]) -> tuple[Self, ...]:
        """Cut the shard at bytes; see `Shard.parts`."""
        if not bounds:
            return (self,)
        known = self._with_what_parts_need()
        return tuple(
            replace(
                known,
                size=stop - start,
                part=FilePart(start, stop, self.size, None if start else 0),
            )
            for start, stop in itertools.pairwise(bounds)
        )

    @property
    def worth_spooling(self) -> bool:
        """Whether the file's compression is slow to read."""
        return self.compression in _SLOW

    def spooled(self, path: Path) -> Self:
        """Return the same shard, read from an uncompressed copy; see `Shard.spooled`."""
        return replace(self, path=str(path), compression=None)

    def _may_be_cut(self) -> bool:
        return True

    def _with_what_parts_need(self) -> Self:
        return self

    def _unreadable(self, error: Exception) -> ShardError:
        return ShardError(f"{self.name}: cannot be read: {first_line(error)}", path=self.name)

    def _blocks(self, block_bytes: int | None = None) -> Iterator[LineBlock]:
        """Read the shard as blocks of whole lines."""
        self.refuse_empty_file()
        span = None if self.part is None else (self.part.start, self.part.stop)
        return self._blocks_of(span, block_bytes)

    def _blocks_of(
        self, span: tuple[int, int] | None, block_bytes: int | None = None
    ) -> Iterator[LineBlock]:
        limits = self.limits
        return line_blocks(
            self.path,
            self.name,
            self.compression,
            self.text_file,
            block_bytes or limits.batch_bytes,
            limits.row_bytes,
            span,
        )

    def _count_rows_before(self) -> int:
        return sum(block.rows for block in self._blocks_before())

    def _lines_before(self) -> int:
        return sum(block.lines for block in self._blocks_before())

    def _blocks_before(self, block_bytes: int | None = None) -> Iterator[LineBlock]:
        """Read the file up to the start of this part."""
        if self.part is not None and self.part.start:
            yield from self._blocks_of((0, self.part.start), block_bytes)
