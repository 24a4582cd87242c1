"""JSON Lines shards, plain or compressed."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir._core import line_spans
from dsir.corpus.batches import within
from dsir.corpus.decompressed import TextFile
from dsir.corpus.group_values import LineValues
from dsir.corpus.json_table import JsonColumns
from dsir.corpus.json_text import ReadTexts, choose_field, read_texts
from dsir.corpus.line_blocks import LineBlock
from dsir.corpus.lines_shard import LinesShard
from dsir.corpus.read_ahead import read_ahead
from dsir.corpus.shard import OnError, refuse_bad_row, refuse_missing_rows
from dsir.corpus.shard_rows import BadRow, TakenRows, TextBatch
from dsir.errors import InputError, ShardError, StoreError, TextColumnError
from dsir.formats import Kind

_FIRST_LOOK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class JsonLinesShard(LinesShard):
    """A JSON Lines file, or a run of whole lines of one.

    Attributes:
        text_field: the path of the text field if it is known; None to find it while reading.
    """

    text_field: tuple[str, ...] | None = field(default=None, kw_only=True)
    kind: ClassVar[Kind] = "jsonl"
    kept_as: ClassVar[Literal["lines", "records"] | None] = "lines"
    text_file: ClassVar[TextFile] = TextFile("JSON Lines", b"{")

    def schema(self) -> None:
        """Return None: JSON Lines have no schema; lines are written out as they are."""
        return

    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Read every row's text once, in order; see `Shard.text_batches`.

        Raises TextColumnError if not a single line has the text field.
        """
        field = self.text_field
        field_seen = False
        values = self._values(groups)
        blocks = self._blocks(batch_bytes)
        if threads > 1 and self.compression is not None:
            # One thread must decompress the stream, but it can do so while texts are worked on.
            blocks = read_ahead(blocks)
        for block in blocks:
            field = field or choose_field(block, self.text)
            read = read_texts(block, field or (self.text,))
            if not field_seen and self.text_field is None and read.lacking and not read.having:
                self._require_field(field or (self.text,), read)
            field_seen = field_seen or bool(read.lacking or read.having)
            if read.bad and on_error == "raise":
                index, reason = read.bad[0]
                where = f" (line {self._lines_before() + block.line_number(index)})"
                raise refuse_bad_row(self, BadRow(block.unit_row + index, reason), where)
            bad = tuple(
                BadRow(block.unit_row + index, reason, snippet=block.snippet(index))
                for index, reason in read.bad
            )
            yield TextBatch(
                block.unit_row,
                read.text,
                bad,
                block.lines - block.rows,
                groups=values.of(block),
                lines=block,
            )
        self._refuse_missing(values)

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Fetch rows by their number, as their original lines."""
        del threads
        if not len(rows):
            return
        field = self.text_field
        total = 0
        for block in self._blocks():
            if block.rows:
                field = field or choose_field(block, self.text)
            wanted = within(rows, block.unit_row, block.rows)
            if len(wanted):
                yield _take(block, wanted, field or (self.text,))
            total = block.unit_row + block.rows
            if total > int(rows[-1]):
                return
        raise refuse_missing_rows(self, int(rows[-1]), total)

    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Read all lines into a table with a column for each field; see `JsonColumns`."""
        del threads
        columns = JsonColumns()
        for block in self._blocks():
            for index in range(block.rows):
                try:
                    columns.add(block.row_bytes(index))
                except ValueError as error:
                    row = block.unit_row + index
                    raise ShardError(
                        f"{self.name}: row {row} (line {block.line_number(index)}): the line "
                        f"{_said(error)}",
                        path=self.name,
                        row=row,
                    ) from None
        try:
            return columns.table()
        except ValueError as error:
            raise ShardError(f"{self.name}: {error}", path=self.name) from None

    def _may_be_cut(self) -> bool:
        return self._with_what_parts_need().text_field is not None

    def _with_what_parts_need(self) -> JsonLinesShard:
        """Return the same shard with its text field filled in, if the first lines have the field.

        Otherwise the file is not cut: a part whose lines all lack the field is bad rows or the
        wrong field name, and only the whole file tells which.
        """
        if self.text_field is not None:
            return self
        try:
            for block in self._blocks(_FIRST_LOOK_BYTES):
                if block.rows:
                    found = choose_field(block, self.text)
                    if found is not None and read_texts(block, found).having:
                        return replace(self, text_field=found)
                    break
        except StoreError:
            raise
        except InputError:  # Reading the shard raises it again.
            pass
        return self

    def _values(self, groups: Sequence[str]) -> LineValues:
        """Return the reader of the quota columns' values."""
        values = LineValues(groups, self.name)
        if any("." in column for column in groups):
            # The first object of the file decides what the dots in a name mean.
            for block in self._blocks_before(_FIRST_LOOK_BYTES):
                if values.choose(block):
                    break
        return values

    def _refuse_missing(self, values: LineValues) -> None:
        """Raise ShardError if no line of the file has the field of a quota or group."""
        if not values.missing:
            return
        if self.part is None:
            column = values.find_missing(self._blocks())
        else:
            column = _missing_in(self.whole(), values.missing)
        if column is not None:
            raise ShardError(
                f"{self.name}: no line has a field {column!r}, which the quotas or group_by name",
                path=self.name,
            )

    def _require_field(self, field: tuple[str, ...], first: ReadTexts) -> None:
        """Raise TextColumnError if no line of the shard has the field.

        It is called when the first lines that are objects lack the field. That is rare, and the
        second pass over the file then takes no memory.
        """
        for block in self._blocks():
            if block.rows and read_texts(block, field).having:
                return
        raise TextColumnError(
            f"{self.name}: no line has a field {self.text!r}; fields of the first line: "
            f"{first.fields}; name the right one with text=...",
            path=self.name,
        )


def _said(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error.msg} at character {error.pos}"
    return "is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


@functools.lru_cache(maxsize=64)
def _missing_in(file: JsonLinesShard, columns: tuple[str, ...]) -> str | None:
    """Return a field that no line of a file has; cached, so parts of one file search it once."""
    return LineValues(columns, file.name).find_missing(file._blocks())


def _take(block: LineBlock, rows: npt.NDArray[np.int64], field: tuple[str, ...]) -> TakenRows:
    lines = block.original_lines(rows - block.unit_row)
    data = b"\n".join(lines.to_pylist())
    starts, ends, objects, _ = line_spans(data)
    taken = LineBlock(data, 0, 0, starts, ends, objects, len(rows))
    return TakenRows(rows, read_texts(taken, field).text, lines=lines)
