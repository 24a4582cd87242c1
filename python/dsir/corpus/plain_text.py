"""Plain text shards (.txt): each line that is not blank is a row, whose only column is the text.

So read the tools that train tokenizers and language models, and `datasets`. Rows are written out as
Parquet, which has room for their weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.batches import within
from dsir.corpus.decompressed import TextFile
from dsir.corpus.group_values import find_group_column
from dsir.corpus.lines_shard import LinesShard
from dsir.corpus.read_ahead import read_ahead
from dsir.corpus.shard import OnError, refuse_missing_rows
from dsir.corpus.shard_rows import TakenRows, TextBatch
from dsir.corpus.take_rows import take_values
from dsir.corpus.text_column import find_text_column
from dsir.formats import Kind

_SCHEMA = pa.schema([("text", pa.large_string())])


@dataclass(frozen=True, slots=True)
class PlainTextShard(LinesShard):
    """A file of texts, one a line, or a run of whole lines of one."""

    kind: ClassVar[Kind] = "text"
    text_file: ClassVar[TextFile] = TextFile("plain text", b"")

    def schema(self) -> pa.Schema:
        """Return the one column, "text"."""
        return _SCHEMA

    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Read every line once, in order; see `Shard.text_batches`."""
        del on_error  # Nothing can be wrong with a line but that it is not UTF-8.
        find_text_column(_SCHEMA, self.text, self.name)
        for name in groups:
            find_group_column(_SCHEMA, name, self.name)
        blocks = self._blocks(batch_bytes)
        if threads > 1 and self.compression is not None:
            # One thread must decompress the stream, but it can do so while texts are worked on.
            blocks = read_ahead(blocks)
        for block in blocks:
            blank = block.lines - block.rows
            yield TextBatch(block.unit_row, block.texts(), (), blank, lines=block)

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Fetch rows by their number; all rows before them are read."""
        del threads
        if not len(rows):
            return
        total = 0
        for block in self._blocks():
            wanted = within(rows, block.unit_row, block.rows)
            if len(wanted):
                text = take_values(block.texts(), wanted - block.unit_row)
                records = pa.RecordBatch.from_arrays([text], schema=_SCHEMA)
                yield TakenRows(wanted, text, records=records)
            total = block.unit_row + block.rows
            if total > int(rows[-1]):
                return
        raise refuse_missing_rows(self, int(rows[-1]), total)

    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Read all lines into a table of one column."""
        del threads
        return pa.table([pa.chunked_array([b.texts() for b in self._blocks()])], schema=_SCHEMA)
