"""The contract of a shard, which every kind of input fulfils.

A shard is a small, frozen, picklable description. Methods open files and close them again, so that
a shard can be handed to another thread, process or machine.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.batches import READ_LIMITS, ReadLimits
from dsir.corpus.shard_rows import BadRow, TakenRows, TextBatch
from dsir.corpus.text_column import TextColumn, find_text_column
from dsir.errors import InputError, RowError, ShardError
from dsir.formats import Kind
from dsir.remote import Location

OnError = Literal["raise", "skip"]
DamagedGroups = tuple[tuple[int, str], ...]
"""Row groups by their number in the file, and why each cannot be read."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """Which part of its file a shard is, if it is not the whole file.

    Attributes:
        start: the first row group (Parquet) or byte (JSON Lines) of the part.
        stop: the row group or byte after its last.
        file_size: bytes of the file.
        rows_before: rows of the file before the part; None if only reading can tell.
        rows: rows of the part; None if only reading can tell.
    """

    start: int
    stop: int
    file_size: int
    rows_before: int | None = None
    rows: int | None = None


class Shard(abc.ABC):
    """One file, one part of a file, or one table in memory.

    `surveyed`, `bounds` and `parts` cut a file into parts (units of work). A shard gives and takes
    row numbers within its part; messages name the row in the file.

    Callers do not ask a shard for its type. If only some shards can do a thing, the method has a
    default here that says that there is nothing to do, or an attribute says beforehand whether the
    method may be called.

    Attributes:
        name: what messages call the shard: the path as the user gave it.
        size: bytes on disk, or in memory.
        text: the text column; dots lead into nested columns.
        is_windows: whether rows are windows of documents. Windows are taken by document and place
            (`take_windows`), other rows by their number (`take`).
    """

    __slots__ = ()

    name: str
    size: int
    text: str
    is_windows: ClassVar[bool] = False

    @property
    @abc.abstractmethod
    def kind(self) -> Kind:
        """The format."""

    @property
    def kept_as(self) -> Literal["lines", "records"] | None:
        """The form in which rows can be kept while texts are scored.

        Writing them then need not read the shard again: "lines" come with the texts
        (`TextBatch.lines`), the other columns of "records" by `take_beside`. None: not at all.
        """
        return None

    @property
    def file(self) -> Location | None:
        """The path or URL of the file; None in memory."""
        return None

    @property
    def part(self) -> FilePart | None:
        """Which part of its file the shard is; None for the whole file."""
        return None

    @property
    def is_empty(self) -> bool:
        """Whether the shard is a file without a byte, also once it is decompressed."""
        return False

    @property
    def folder_columns(self) -> Mapping[str, str | None]:
        """Columns that the names of folders give to all rows of a file of lines, by name."""
        return {}

    @property
    def made_columns(self) -> tuple[str, ...]:
        """Columns that are made of the texts where they are read, and that no file has."""
        return ()

    @property
    def as_stored(self) -> Shard:
        """The shard without columns that are made where it is read; itself without these."""
        return self

    @property
    def documents(self) -> Shard:
        """The shard of the documents that the windows are cut from; itself without windows."""
        return self

    @property
    def limits(self) -> ReadLimits:
        """How much of the shard is in memory at a time; what is read does not depend on it."""
        return READ_LIMITS

    def limited(self, limits: ReadLimits) -> Shard:
        """Return the same shard with other `limits`; itself if it is a table in memory."""
        del limits
        return self

    @property
    def encoding(self) -> str | None:
        """The encoding of a text column of bytes; None if such a column holds no texts."""
        return None

    def text_column(self, schema: pa.Schema) -> TextColumn:
        """Return the text column in the shard's schema.

        Raises:
            TextColumnError: there is none, or it does not hold text.
        """
        return find_text_column(schema, self.text, self.name, self.encoding)

    def texts_of(
        self, column: TextColumn, batch: pa.RecordBatch, unit_row: int, on_error: OnError
    ) -> tuple[pa.Array, tuple[BadRow, ...]]:
        """Return the texts of a batch, and the rows whose texts cannot be decoded.

        Args:
            column: the text column.
            batch: the rows.
            unit_row: the number of the first row in the shard.
            on_error: "raise" refuses such rows.

        Raises:
            RowError: a text cannot be decoded, and `on_error` is "raise".
        """
        text = column.of(batch)
        reason = f"the text is not {column.encoding}"
        bad = tuple(
            BadRow(unit_row + place, reason, snippet=snippet)
            for place, snippet in column.undecodable(batch, text)
        )
        if bad and on_error == "raise":
            raise refuse_bad_row(self, bad[0])
        return text, bad

    def surveyed(self) -> Shard:
        """Return the same shard, knowing what a short look at the file tells, such as its footer.

        Raises:
            StoreError: the store does not answer. Other errors are left to the methods that read.
        """
        return self

    def bounds(self, unit_bytes: int) -> tuple[int, ...]:
        """Return where to cut the shard into parts of about `unit_bytes`.

        The bounds depend on the file and `unit_bytes` alone.

        Returns:
            Where each part begins, and the end of the last part; empty if the shard is not cut.
        """
        del unit_bytes
        return ()

    def parts(self, bounds: tuple[int, ...]) -> tuple[Shard, ...]:
        """Return the parts between the bounds that `bounds` gave.

        Raises:
            ShardError: the shard cannot be cut there.
        """
        if bounds:
            raise ShardError(f"{self.name}: cannot be cut into parts", path=self.name)
        return (self,)

    def as_part(self, part: FilePart, size: int) -> Shard:
        """Return a part of this shard, which is a whole file, as `parts` gave it.

        Args:
            part: the part.
            size: its bytes.
        """
        raise NotImplementedError(f"{self.name}: is not cut into parts")

    def whole(self) -> Shard:
        """Return the shard of the whole file."""
        return self

    def placed(self, rows_before: int) -> Shard:
        """Return the same shard, knowing how many rows of the file are before it."""
        del rows_before
        return self

    def rows_before(self) -> int:
        """Return how many rows of the file are before this part; they may have to be read.

        Raises:
            ShardError: these rows cannot be read.
        """
        return 0

    def between(self, first: int, stop: int) -> Shard:
        """Return some rows of a table in memory as a shard of their own.

        Only for shards without a `file`.

        Args:
            first: the first row; with windows, the first document.
            stop: the row after the last.
        """
        raise NotImplementedError(f"{self.name}: is no table in memory")

    def copied(self, most: int) -> Shard | None:
        """Return the same rows of a table in memory, so that the table need not stay there.

        Only for shards without a `file`. Columns of dictionaries and views are plain in the copy.

        Args:
            most: how many bytes the copy may have.

        Returns:
            The copy; None if it would be larger.
        """
        raise NotImplementedError(f"{self.name}: is no table in memory")

    @abc.abstractmethod
    def identity(self) -> dict[str, int | str]:
        """Return what identifies this shard; a reused work directory compares it."""

    @abc.abstractmethod
    def check_unchanged(self) -> None:
        """Raise ShardError if the input has changed since the corpus was resolved."""

    @abc.abstractmethod
    def rows_in_metadata(self) -> int | None:
        """Return the number of rows if it is known without reading the rows, else None."""

    @abc.abstractmethod
    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Read every row's text once, in order, without a gap in the row numbers.

        Args:
            on_error: "raise" stops at the first bad row with a RowError; "skip" lists bad rows in
                `TextBatch.bad`. A shard that cannot be read raises in both modes.
            threads: how many threads the reader may use.
            batch_bytes: about how many bytes of text to read at a time, if only the first rows are
                wanted; a reader may have to read more.
            groups: quota columns, whose values come in `TextBatch.groups`.

        Raises:
            ShardError: the shard cannot be read, or lacks a quota column.
            TextColumnError: the text column is missing or not text.
            RowError: a row is bad and `on_error` is "raise".
        """

    @abc.abstractmethod
    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Fetch rows by their number, in bounded batches.

        Args:
            rows: ascending row numbers in the shard.
            threads: how many threads the reader may use.

        Raises:
            ShardError: the shard cannot be read, or has fewer rows than were asked for.
        """

    def take_windows(
        self,
        source_rows: npt.NDArray[np.int64],
        starts: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
        *,
        threads: int = 1,
    ) -> Iterator[TakenRows]:
        """Fetch windows by their document and their bytes in it, in bounded batches.

        Only for shards with `is_windows`.

        Args:
            source_rows: the documents' rows in the shard, ascending.
            starts: where each window begins in its document, in bytes; ascending in a document.
            lengths: bytes of each window, at least 1.
            threads: how many threads the reader may use.

        Raises:
            ShardError: the shard cannot be read, or has changed.
            OutputError: the input has a column or field with the name of an added column.
            ValueError: the windows are not in order, or have no text.
        """
        raise NotImplementedError("rows that are not windows are taken by their number: take()")

    def take_beside(self, rows: npt.NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
        """Fetch all columns but the text of rows by their number. The text must not be nested.

        Only for shards with `kept_as` "records".

        Args:
            rows: ascending row numbers in the shard.

        Raises:
            ShardError: the shard cannot be read.
        """
        raise NotImplementedError(f"rows of {self.kind} are not kept as records")

    @abc.abstractmethod
    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Read all rows with all columns into memory, whatever their types.

        The text column may be missing. The types of JSON Lines and CSV are inferred.

        Args:
            threads: how many threads the reader may use.

        Raises:
            ShardError: the shard cannot be read.
        """

    def without_damage(self) -> Shard | None:
        """Return the same shard without the row groups whose texts cannot be read.

        Their rows keep their numbers and are listed as bad. Finding them takes reading all texts.

        Returns:
            The shard; None if there is nothing to skip.

        Raises:
            ShardError: the whole shard is damaged.
        """
        return None

    def damaged_of(self, rows: npt.NDArray[np.int64]) -> DamagedGroups:
        """Find the row groups that hold given rows and have a column that cannot be read.

        Args:
            rows: ascending row numbers in the shard; for windows, the rows of their documents.

        Returns:
            The row groups, and why each cannot be read, with the name of the column; empty for a
            format without row groups.
        """
        del rows
        return ()

    def without(self, damaged: DamagedGroups) -> Shard:
        """Return the same shard without the row groups that `damaged_of` gave.

        Their rows keep their numbers and are listed as bad.
        """
        if damaged:
            raise NotImplementedError(f"{self.kind} has no row groups to skip")
        return self

    @property
    def worth_spooling(self) -> bool:
        """Whether decompressing the lines again takes longer than writing and reading a copy."""
        return False

    def spooled(self, path: Path) -> Shard:
        """Return the same shard, read from an uncompressed copy of its lines.

        Only for shards that are `worth_spooling`. Rows, name and messages stay the same.
        """
        del path
        raise NotImplementedError(f"lines of {self.kind} are not put aside")

    @abc.abstractmethod
    def schema(self) -> pa.Schema | None:
        """Return the schema of `TakenRows.records`, or None for JSON Lines."""


def refuse_bad_row(shard: Shard, bad: BadRow, where: str = "") -> RowError:
    """Return the error for a bad row, for `on_error="raise"`.

    Args:
        shard: the shard that the row is in.
        bad: the row and what is wrong with it.
        where: another way to find the row, such as " (line 3)".
    """
    row = shard.rows_before() + bad.row
    return RowError(
        f'{shard.name}: row {row}{where}: {bad.reason}; on_error="skip" passes over such rows',
        path=shard.name,
        row=row,
    )


def refuse_missing_rows(shard: Shard, wanted: int, total: int) -> InputError:
    """Return the error for a row number beyond the end of the shard."""
    of_part = "" if shard.part is None else " in this part of it"
    return ShardError(
        f"{shard.name}: row {wanted} was asked for, but the shard has {total:,} rows{of_part}; "
        "it changed since it was scored",
        path=shard.name,
    )
