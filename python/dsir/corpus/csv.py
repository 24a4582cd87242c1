"""CSV and TSV shards, plain or compressed: the first line names the columns.

A quoted value may hold newlines, so only reading from the beginning tells where rows begin: a file
is read in order, and is never cut into parts. Every value is a string, as it is in the file; an
empty value without quotes is null. Rows are written out as Parquet, which keeps all of these apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.bad_text import snippet_of
from dsir.corpus.batches import cut_text, within
from dsir.corpus.csv_end import EndedFile, NotUtf8Error, end_of, is_end
from dsir.corpus.decompressed import Decompressed, TextFile, decompresses_to_nothing
from dsir.corpus.file_shard import FileShard
from dsir.corpus.group_values import find_group_column, values_of
from dsir.corpus.shard import OnError, refuse_bad_row, refuse_missing_rows
from dsir.corpus.shard_rows import BadRow, TakenRows, TextBatch
from dsir.corpus.take_rows import take_rows
from dsir.corpus.text_column import find_text_column
from dsir.errors import ShardError
from dsir.formats import Compression, Kind
from dsir.primitive_arrays import to_numpy
from dsir.remote.read_errors import first_line, translated

_BLOCK_BYTES = 4 << 20
_SMALLEST_BLOCK = 1 << 16
_LARGEST_BLOCK = (1 << 31) - 1  # pyarrow counts in 32 bits.
_DELIMITERS = (",", ";", "\t", "|")
_TOO_LONG = "straddling object"
_NO_COLUMNS = "Empty CSV file"


@dataclass(frozen=True, slots=True)
class CsvShard(FileShard):
    """A CSV or TSV file.

    Attributes:
        compression: how the file is compressed by its name, or None.
    """

    compression: Compression | None = field(default=None)
    kind: ClassVar[Kind] = "csv"

    @property
    def is_empty(self) -> bool:
        """Whether the file has no byte, also once it is decompressed."""
        return not self.size or decompresses_to_nothing(
            self.path, self.size, self.name, self.compression
        )

    def rows_in_metadata(self) -> None:
        """Return None: only reading tells how many rows there are."""
        return

    def schema(self) -> pa.Schema:
        """Return the columns, all of them strings."""
        return pa.schema([(name, pa.string()) for name in self._names()])

    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Read every row's text once, in order; see `Shard.text_batches`.

        A row that has more or fewer values than the header names is bad.
        """
        del threads
        schema = self.schema()
        text_column = find_text_column(schema, self.text, self.name)
        group_columns = [find_group_column(schema, name, self.name) for name in groups]
        for unit_row, batch, bad in self._batches(batch_bytes):
            if bad and on_error == "raise":
                raise refuse_bad_row(self, bad[0])
            values = [values_of(column.of(batch)) for column in group_columns]
            left = list(bad)
            for position, text in cut_text(text_column.of(batch)):
                stop = position + len(text)
                here = tuple(one for one in left if one.row < unit_row + stop)
                del left[: len(here)]
                yield TextBatch(
                    unit_row + position,
                    text,
                    here,
                    groups=tuple(one.of(slice(position, stop)) for one in values),
                )

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Fetch rows by their number; all rows before them are read."""
        del threads
        if not len(rows):
            return
        column = find_text_column(self.schema(), self.text, self.name)
        total = 0
        for unit_row, batch, _ in self._batches():
            wanted = within(rows, unit_row, len(batch))
            if len(wanted):
                records = take_rows(batch, wanted - unit_row)
                yield TakenRows(wanted, column.of(records), records=records)
            total = unit_row + len(batch)
            if total > int(rows[-1]):
                return
        raise refuse_missing_rows(self, int(rows[-1]), total)

    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Read all rows with all columns; the types are inferred, as those of JSON Lines are."""
        del threads
        batches = []
        for _, batch, bad in self._batches():
            if bad:
                row = bad[0].row
                raise ShardError(
                    f"{self.name}: row {row}: {bad[0].reason}", path=self.name, row=row
                )
            batches.append(batch)
        table = pa.Table.from_batches(batches, self.schema())
        columns = []
        for name, column in zip(table.column_names, table.columns, strict=True):
            try:
                columns.append(_typed(column))
            except (pa.ArrowInvalid, UnicodeDecodeError) as error:
                raise ShardError(
                    f"{self.name}: column {name!r} cannot be read: {first_line(error)}",
                    path=self.name,
                ) from error
        return pa.Table.from_arrays(columns, names=table.column_names)

    @property
    def _delimiter(self) -> str:
        suffixes = {suffix.lower() for suffix in PurePosixPath(self.path).suffixes[-2:]}
        return "\t" if ".tsv" in suffixes else ","

    def _names(self) -> list[str]:
        """Return the names of the columns."""
        block = _SMALLEST_BLOCK
        while True:
            with self._reading("cannot be read as CSV"):
                try:
                    with (
                        self._open(b"\n") as file,
                        self._reader(file, block, [], _skip) as reader,
                    ):
                        names = [_bytes_of(name).decode("utf-8") for name in reader.schema.names]
                        self._refuse_other_delimiter(names)
                        return names
                except pa.ArrowInvalid as error:
                    if _NO_COLUMNS in str(error):
                        raise ShardError(
                            f"{self.name}: has no line that names the columns", path=self.name
                        ) from None
                    block = self._larger(block, 0, error)

    def _refuse_other_delimiter(self, names: list[str]) -> None:
        """Refuse a file whose columns seem to be separated by something else."""
        if len(names) == 1 and names[0] != self.text:
            found = next((one for one in _DELIMITERS if one in names[0]), None)
            if found is not None:
                raise ShardError(
                    f"{self.name}: the first line has no {self._delimiter!r} but {found!r}; "
                    "columns are separated by commas in .csv and by tabs in .tsv",
                    path=self.name,
                )

    def _batches(
        self, batch_bytes: int | None = None
    ) -> Iterator[tuple[int, pa.RecordBatch, list[BadRow]]]:
        """Yield the rows, the number of the first, and the bad ones, whose values are null."""
        names = self._names()
        block = min(self.limits.batch_bytes or _BLOCK_BYTES, batch_bytes or _BLOCK_BYTES)
        block = max(block, _SMALLEST_BLOCK)
        done = 0
        utf8 = True
        while True:
            try:
                for unit_row, batch, bad in self._read(names, block, utf8=utf8):
                    if unit_row + len(batch) <= done:
                        continue  # Read before.
                    first = max(done, unit_row)
                    done = unit_row + len(batch)
                    left = [one for one in bad if one.row >= first]
                    yield first, batch.slice(first - unit_row), left
            except _RowTooLongError as error:
                block = self._larger(block, done, error.error)
            except NotUtf8Error:
                utf8 = False
            else:
                return

    def _read(
        self, names: list[str], block: int, *, utf8: bool
    ) -> Iterator[tuple[int, pa.RecordBatch, list[BadRow]]]:
        """Yield the batches that blocks of a size give.

        Raises:
            _RowTooLongError: a row does not fit into a block.
            NotUtf8Error: the file is not UTF-8, and `utf8` says that it is.
        """
        schema = pa.schema([(name, pa.string()) for name in names])
        bad: list[BadRow] = []

        def refused(row: Any) -> str:
            # The header is row 1, and blank lines are no rows.
            bad.append(_bad_row(int(row.number) - 2, row, latin=not utf8))
            return "skip"

        unit_row = 0
        held: pa.RecordBatch | None = None
        with (
            self._reading(lambda: f"is damaged or cut off after row {unit_row:,}"),
            self._open(end_of(names, self._delimiter), check=utf8) as file,
        ):
            try:
                with self._reader(file, block, names, refused, utf8=utf8) as reader:
                    for found in reader:
                        if not len(found):
                            continue
                        columns = found.columns if utf8 else [*map(_as_in_file, found.columns)]
                        batch = pa.RecordBatch.from_arrays(columns, schema=schema)
                        if held is not None:
                            whole, here = _with_bad(held, unit_row, bad)
                            yield unit_row, whole, here
                            unit_row += len(whole)
                        held = batch
            except pa.ArrowInvalid as error:
                if _TOO_LONG not in str(error):
                    raise
                if held is not None:
                    whole, here = _with_bad(held, unit_row, bad)
                    yield unit_row, whole, here
                raise _RowTooLongError(error) from error
        if held is None or not is_end(held):
            rows = unit_row + (0 if held is None else len(held) + len(bad) - 1)
            raise ShardError(
                f"{self.name}: row {rows}: a quoted value is not closed before the end of the file",
                path=self.name,
                row=rows,
            )
        whole, here = _with_bad(held.slice(0, len(held) - 1), unit_row, bad, last=True)
        if len(whole):
            yield unit_row, whole, here

    def _reader(
        self, file: EndedFile, block: int, names: list[str], refused: Any, *, utf8: bool = False
    ) -> Any:
        """Return pyarrow's reader; without `utf8`, bytes come as the characters of Latin-1.

        pyarrow cannot hand over a bad row that is not UTF-8.
        """
        import pyarrow.csv as csv  # Here: long to import.

        types = [name if utf8 else name.encode().decode("latin-1") for name in names]
        return csv.open_csv(
            pa.PythonFile(file, mode="r"),
            read_options=csv.ReadOptions(
                block_size=block, use_threads=False, encoding="utf8" if utf8 else "latin-1"
            ),
            parse_options=csv.ParseOptions(
                delimiter=self._delimiter,
                newlines_in_values=True,
                invalid_row_handler=refused,
            ),
            convert_options=csv.ConvertOptions(
                check_utf8=False,  # The core says which texts are not UTF-8.
                column_types=dict.fromkeys(types, pa.string()),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                null_values=[""],
            ),
        )

    def _open(self, end: bytes, *, check: bool = False) -> EndedFile:
        self.refuse_empty_file()
        title = "TSV" if self._delimiter == "\t" else "CSV"
        file = Decompressed(self.path, self.name, TextFile(title, b""), self.compression)
        return EndedFile(file, end, check=check)

    def _larger(self, block: int, rows: int, error: Exception) -> int:
        """Return the next larger block, for a row that does not fit.

        Raises:
            ShardError: the row is longer than any row may be.
            Exception: `error`, if it is about something else.
        """
        try:
            if _TOO_LONG not in str(error):
                raise error
        finally:
            # An error that a frame of its own traceback holds keeps all their memory.
            del error
        most = min(self.limits.row_bytes, _LARGEST_BLOCK)
        if block >= most:
            raise ShardError(
                f"{self.name}: the row after {rows:,} rows is longer than {most:,} bytes, more "
                "than fits in memory; a quote that is not closed makes such rows",
                path=self.name,
            ) from None
        return min(4 * block, most)

    @contextmanager
    def _reading(self, what: Any) -> Iterator[None]:
        def refuse(error: Exception) -> ShardError:
            said = what if isinstance(what, str) else what()
            return ShardError(f"{self.name}: {said}: {first_line(error)}", path=self.name)

        with translated(refuse):
            yield


class _RowTooLongError(Exception):
    """A row does not fit into a block."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def _skip(_: object) -> str:
    return "skip"


def _bytes_of(latin: str) -> bytes:
    """Return the bytes that were read as the characters of Latin-1."""
    return latin.encode("latin-1")


def _as_in_file(column: pa.StringArray) -> pa.StringArray:
    """Return strings with the bytes that were read as the characters of Latin-1."""
    import pyarrow.compute as pc  # Here: long to import.

    lengths = to_numpy(pc.utf8_length(column).fill_null(0))
    offsets = np.zeros(len(column) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    text = "".join(value for value in column.to_pylist() if value is not None)
    valid = column.is_valid() if column.null_count else None
    bitmap = None if valid is None else valid.buffers()[1]
    return pa.StringArray.from_buffers(
        len(column), pa.py_buffer(offsets), pa.py_buffer(_bytes_of(text)), bitmap
    )


def _bad_row(row: int, found: Any, *, latin: bool) -> BadRow:
    values = f"{found.actual_columns:,} value" + ("" if found.actual_columns == 1 else "s")
    snippet = snippet_of(_bytes_of(found.text) if latin else found.text.encode())
    return BadRow(
        row, f"has {values}, but the first line names {found.expected_columns:,}", snippet=snippet
    )


def _with_bad(
    batch: pa.RecordBatch, unit_row: int, bad: list[BadRow], *, last: bool = False
) -> tuple[pa.RecordBatch, list[BadRow]]:
    """Put rows of nulls in the places of bad rows, and take these off the list of bad rows.

    Args:
        batch: the good rows.
        unit_row: the number of the first row.
        bad: the bad rows found so far, ascending.
        last: whether no good row comes behind these.
    """
    here: list[BadRow] = []
    while bad and (bad[0].row < unit_row + len(batch) + len(here) or last):
        here.append(bad.pop(0))
    if not here:
        return batch, here
    order = np.arange(len(batch), dtype=np.int64)
    places = np.array([one.row - unit_row for one in here], dtype=np.int64)
    # The place of the i-th bad row among the good ones.
    order = np.insert(order, places - np.arange(len(places)), -1)
    positions = pa.array(order, mask=order < 0)
    columns = [column.take(positions) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema), here


def _typed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of strings as numbers or truth values if all of them are."""
    for kind in (pa.int64(), pa.float64(), pa.bool_()):
        try:
            return column.cast(kind)
        except pa.ArrowInvalid:
            continue
    column.validate(full=True)  # Strings are UTF-8.
    return column
