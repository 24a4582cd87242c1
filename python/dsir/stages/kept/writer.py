"""Writes rows that may still be selected to a file while they are scored.

To write a selection, its rows have to be fetched; for a single row a whole row group is decoded, or
a whole compressed file decompressed. While rows are scored, their texts are in memory. So rows that
may still be selected (`cpp/sampling/rising_bar.hpp` tells which) are written to a file then, either
with their other columns or as their lines. Keeping rows changes nothing but the time: a selected
row that was not kept, for whatever reason, is fetched from the input.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus import Shard, TextBatch
from dsir.corpus.take_rows import take_values
from dsir.corpus.text_column import is_text
from dsir.errors import InputError
from dsir.output.dictionaries import has_dictionary
from dsir.primitive_arrays import to_arrow
from dsir.stages.kept.gate import Keep
from dsir.stages.score_table import Scores

_HELD_BYTES = 8 << 20
_ROW = pa.field("dsir_row", pa.int64(), nullable=False)
_LINES = pa.schema([("text", pa.large_string()), ("line", pa.large_binary()), _ROW])


class RowKeeper(abc.ABC):
    """Writes the rows of a shard that may still be selected; a context manager.

    Args:
        keep: which rows to keep, and in which file.
        schema: the schema of the file; its last column is the number of the row in the shard.
        held_bytes: bytes of text to hold in memory before they are written.
    """

    def __init__(self, keep: Keep, schema: pa.Schema, held_bytes: int) -> None:
        self._keep = keep
        self._schema = schema
        self._most_held = held_bytes
        self._held = 0
        self._full = False
        self._failed = False
        self._useless = False
        self._file = pa.OSFile(str(keep.path), "wb")
        self._stream: Any = None

    def look_at(self, batch: TextBatch, scores: Scores) -> None:
        """Keep the rows of a batch that may still be selected."""
        corpus_row = self._keep.corpus_row
        positions = self._keep.gate.may_be_selected(
            scores, None if corpus_row is None else corpus_row + batch.unit_row
        )
        self._useless = self._useless or positions is None
        if self._full or self._failed or self._useless or positions is None or not len(positions):
            return
        self._hold(batch, positions)
        self._held += int(scores.bytes[positions].sum(dtype=np.int64))
        if self._held > self._most_held:
            self._write()

    def __enter__(self) -> RowKeeper:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and not self._useless:
            self._write()
        for closing in (self._stream, self._file):
            try:
                if closing is not None:
                    closing.close()
            except OSError:  # A full disk: the last rows are missing.
                self._failed = True
        if self._useless:
            self._keep.path.unlink(missing_ok=True)

    @property
    def made(self) -> bool:
        """Tell, once the block has ended, whether there is a file of kept rows.

        A full disk, or columns beside the text that cannot be read, are no error here. There is no
        file then, so the rows are fetched from the input, which reports damage itself.
        """
        return not (self._failed or self._useless or self._stream is None)

    @abc.abstractmethod
    def _hold(self, batch: TextBatch, positions: npt.NDArray[np.int64]) -> None:
        """Copy rows of a batch."""

    @abc.abstractmethod
    def _records(self) -> Iterator[pa.RecordBatch]:
        """Give the rows that are held in memory, and forget them."""

    def _write(self) -> None:
        if self._failed or not self._held:
            return
        try:
            for records in self._records():
                if self._stream is None:
                    self._stream = pa.ipc.new_stream(self._file, self._schema)
                self._stream.write_batch(records)
        except (InputError, OSError, pa.ArrowException):
            self._failed = True
        if not self._keep.gate.takes(self._held):
            self._full = True
        self._held = 0


class RecordKeeper(RowKeeper):
    """Keeps rows with all their columns, for shards that are `kept_as` records."""

    def __init__(self, shard: Shard, schema: pa.Schema, keep: Keep) -> None:
        super().__init__(keep, schema.append(_ROW), shard.limits.batch_bytes or _HELD_BYTES)
        self._shard = shard
        self._rows: list[npt.NDArray[np.int64]] = []
        self._texts: list[pa.Array] = []

    def _hold(self, batch: TextBatch, positions: npt.NDArray[np.int64]) -> None:
        self._rows.append(positions + batch.unit_row)
        self._texts.append(take_values(batch.text, positions))

    def _records(self) -> Iterator[pa.RecordBatch]:
        rows, texts = np.concatenate(self._rows), pa.concat_arrays(self._texts)
        self._rows, self._texts = [], []
        position = self._schema.get_field_index(self._shard.text)
        at = 0
        for others in self._shard.take_beside(rows):
            stop = at + len(others)
            columns = list(others.columns)
            columns.insert(position, texts.slice(at, len(others)))
            columns.append(to_arrow(rows[at:stop]))
            yield pa.RecordBatch.from_arrays(columns, schema=self._schema)
            at = stop


class LineKeeper(RowKeeper):
    """Keeps the text and the line of rows, for shards that are `kept_as` lines."""

    def __init__(self, shard: Shard, keep: Keep) -> None:
        super().__init__(keep, _LINES, shard.limits.batch_bytes or _HELD_BYTES)
        self._batches: list[pa.RecordBatch] = []

    def _hold(self, batch: TextBatch, positions: npt.NDArray[np.int64]) -> None:
        assert batch.lines is not None, "shards kept as lines give the lines with the texts"
        columns = [
            take_values(batch.text, positions).cast(pa.large_string()),
            batch.lines.original_lines(positions),
            to_arrow(positions + batch.unit_row),
        ]
        self._batches.append(pa.RecordBatch.from_arrays(columns, schema=_LINES))

    def _records(self) -> Iterator[pa.RecordBatch]:
        batches, self._batches = self._batches, []
        yield pa.concat_batches(batches)


def open_keeper(shard: Shard, keep: Keep | None) -> RowKeeper | None:
    """Return the keeper for rows of a shard; None if they should not or cannot be kept."""
    if keep is None or shard.kept_as is None:
        return None
    if shard.kept_as == "lines":
        return LineKeeper(shard, keep)
    return RecordKeeper(shard, _schema_of(shard), keep)


def can_keep(shard: Shard) -> bool:
    """Tell whether rows of a shard can be kept, as lines or as records.

    Records can be kept if the text is not nested and no column is a dictionary. All rows of a row
    group share a dictionary, and each batch of a few kept rows would store all of it.

    Raises:
        InputError: the shard cannot be read.
    """
    if shard.kept_as != "records":
        return shard.kept_as == "lines"
    schema = _schema_of(shard)
    nested = shard.text not in schema.names
    if not nested and not is_text(schema.field(shard.text).type):
        return False  # The texts that come are not the bytes that the column holds.
    return not nested and not any(has_dictionary(field.type) for field in schema)


def _schema_of(shard: Shard) -> pa.Schema:
    schema = shard.schema()
    assert schema is not None, "records have a schema"
    return schema
