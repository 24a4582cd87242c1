"""JSON Lines shards, plain or compressed: a row is a line that is not blank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir._core import line_spans
from dsir.corpus.batches import within
from dsir.corpus.json_text import ReadTexts, choose_field, read_texts
from dsir.corpus.line_blocks import Compression, LineBlock, line_blocks
from dsir.corpus.shard import (
    BadRow,
    FileShard,
    Kind,
    OnError,
    TakenRows,
    TextBatch,
    refuse_bad_row,
    refuse_missing_rows,
)
from dsir.errors import TextColumnError


@dataclass(frozen=True, slots=True)
class JsonLinesShard(FileShard):
    """A file of JSON Lines.

    Attributes:
        compression: how it is compressed, or None.
    """

    compression: Compression | None = None
    kind: ClassVar[Kind] = "jsonl"

    def rows_in_metadata(self) -> None:
        """Return None: only reading tells how many lines there are."""
        return

    def schema(self) -> None:
        """Return None: JSON Lines have no schema, a line is kept as it is."""
        return

    def text_batches(
        self, *, on_error: OnError, threads: int = 1, batch_bytes: int | None = None
    ) -> Iterator[TextBatch]:
        """Read every row's text once, in order; see `Shard.text_batches`.

        Raises TextColumnError if not a single line has the text field.
        """
        del threads  # Decompression is one stream; shards are what is read side by side.
        field: tuple[str, ...] | None = None
        field_seen = False
        blank_lines = 0
        next_row = 0
        for block in self._blocks(batch_bytes):
            blank_lines += block.lines - block.rows
            if not block.rows:
                continue
            field = field or choose_field(block, self.text)
            read = read_texts(block, field or (self.text,))
            if not field_seen and read.lacking and not read.having:
                self._require_field(field or (self.text,), read)
            field_seen = field_seen or bool(read.lacking or read.having)
            if read.bad and on_error == "raise":
                index, reason = read.bad[0]
                where = f" (line {block.line_number(index)})"
                raise refuse_bad_row(self, BadRow(block.first_row + index, reason), where)
            bad = tuple(
                BadRow(block.first_row + index, reason, snippet=block.snippet(index))
                for index, reason in read.bad
            )
            yield TextBatch(block.first_row, read.text, bad, blank_lines)
            blank_lines = 0
            next_row = block.first_row + block.rows
        if blank_lines:
            # Nothing but blank lines since the last batch: an empty one carries their number.
            yield TextBatch(next_row, pa.array([], type=pa.string()), (), blank_lines)

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Fetch rows by their number, as the lines that they are."""
        del threads
        if not len(rows):
            return
        field: tuple[str, ...] | None = None
        total = 0
        for block in self._blocks():
            if block.rows:
                field = field or choose_field(block, self.text)
            wanted = within(rows, block.first_row, block.rows)
            if len(wanted):
                yield _take(block, wanted, field or (self.text,))
            total = block.first_row + block.rows
            if total > int(rows[-1]):
                return
        raise refuse_missing_rows(self, int(rows[-1]), total)

    def _blocks(self, block_bytes: int | None = None) -> Iterator[LineBlock]:
        self.refuse_empty_file()
        return line_blocks(self.path, self.name, self.compression, block_bytes)

    def _require_field(self, field: tuple[str, ...], first: ReadTexts) -> None:
        """Raise TextColumnError if no line of the shard has the field.

        Called where the first lines that are objects lack it. Reading ahead costs a second pass
        over the file in that rare case, and no memory.
        """
        for block in self._blocks():
            if block.rows and read_texts(block, field).having:
                return
        raise TextColumnError(
            f"{self.name}: no line has a field {self.text!r}; fields of the first line: "
            f"{first.fields}; name the right one with text=...",
            path=self.name,
        )


def _take(block: LineBlock, rows: npt.NDArray[np.int64], field: tuple[str, ...]) -> TakenRows:
    lines = block.original_lines(rows - block.first_row)
    data = b"\n".join(lines.to_pylist())
    starts, ends, objects, _ = line_spans(data)
    taken = LineBlock(data, 0, 0, starts, ends, objects, len(rows))
    return TakenRows(rows, read_texts(taken, field).text, lines=lines)
