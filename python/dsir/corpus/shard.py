"""What a shard is: the contract that every kind of input fulfils.

A shard is a small, frozen, picklable description. Files are opened inside the methods and never
held, so that a shard can be handed to another thread, process or machine.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.batches import READ_LIMITS, ReadLimits
from dsir.corpus.group_values import GroupValues
from dsir.corpus.line_blocks import LineBlock
from dsir.errors import InputError, RowError, ShardError
from dsir.formats import Kind
from dsir.remote import Location

OnError = Literal["raise", "skip"]
DamagedGroups = tuple[tuple[int, str], ...]
"""Row groups by their number in the file, and why each cannot be read."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read, or several that cannot for one reason.

    Attributes:
        row: 0-based row in the shard, of the first.
        reason: what is wrong with it, in a few words.
        rows: how many rows these are, one after the other.
        snippet: the beginning of the text or line; None where it cannot be read at all.
    """

    row: int
    reason: str
    rows: int = 1
    snippet: str | None = field(default=None, compare=False)


class ChunkOrigin(NamedTuple):
    """Where the rows of a batch come from, where they are windows of documents.

    Attributes:
        row: int64, the document's row in the shard, ascending.
        start: uint32, bytes of the document before the window.
        documents: how many documents have their first window in the batch.
    """

    row: npt.NDArray[np.int64]
    start: npt.NDArray[np.uint32]
    documents: int


@dataclass(frozen=True, slots=True)
class TextBatch:
    """The texts of consecutive rows.

    Attributes:
        unit_row: the row in the shard of the first text.
        text: string, large_string, string_view, or a dictionary of one of these; null where the
            text is null or the row is bad.
        bad: the rows of this batch that cannot be read.
        blank_lines: lines of JSON Lines that hold nothing and are not rows, met since the batch
            before.
        origin: for windows of documents, where they come from. `unit_row` then is the number of
            the first window in the shard, but the rows in `bad` are those of documents.
        groups: the values of the columns that were asked for, in their order.
        lines: the lines that the rows are; None for everything but JSON Lines.
    """

    unit_row: int
    text: pa.Array
    bad: tuple[BadRow, ...] = ()
    blank_lines: int = 0
    origin: ChunkOrigin | None = None
    groups: tuple[GroupValues, ...] = ()
    lines: LineBlock | None = None


@dataclass(frozen=True, slots=True)
class TakenRows:
    """Rows fetched by their number.

    Attributes:
        rows: the row numbers in the shard, ascending.
        text: their texts.
        records: all columns, in the order and types of the input; None for JSON Lines.
        lines: the original lines without their newline; None for everything but JSON Lines.
    """

    rows: npt.NDArray[np.int64]
    text: pa.Array
    records: pa.RecordBatch | None = None
    lines: pa.LargeBinaryArray | None = None


@dataclass(frozen=True, slots=True)
class FilePart:
    """The part of a file that a shard is, where it is not the whole.

    Attributes:
        start: row group (Parquet) or byte (JSON Lines) of the file at which it begins.
        stop: the one behind its last.
        file_size: bytes of the file.
        rows_before: rows of the file before it; None where only reading tells.
        rows: its rows; None where only reading tells.
    """

    start: int
    stop: int
    file_size: int
    rows_before: int | None = None
    rows: int | None = None


class Shard(abc.ABC):
    """One file, a part of one, or one table in memory, of a corpus.

    A file is cut into parts (units of work) by `surveyed`, `bounds` and `parts`. Row numbers are
    those in the part, wherever a shard gives or takes them; messages name the row in the file.

    Nobody asks a shard for its type. What only some shards can do is a method with a default here,
    which says that there is nothing to do, or a capability to ask for before a method is called.

    Attributes:
        name: what messages call it: the path as the user gave it.
        size: bytes on disk, or in memory.
        text: the text column; dots lead into nested columns.
        is_windows: whether rows are windows of documents. They are then taken by document and
            place (`take_windows`), else by their number (`take`).
        kept_as: what there is to keep of a row while its text passes, so that it need not be read
            again: "lines", which come with the texts (`TextBatch.lines`), or "records", of which
            `take_beside` fetches the other columns; None for nothing.
    """

    __slots__ = ()

    name: str
    size: int
    text: str
    is_windows: ClassVar[bool] = False
    kept_as: ClassVar[Literal["lines", "records"] | None] = None

    @property
    @abc.abstractmethod
    def kind(self) -> Kind:
        """The format."""

    @property
    def file(self) -> Location | None:
        """Where it lies; None in memory."""
        return None

    @property
    def part(self) -> FilePart | None:
        """Which part of its file it is; None for all of it."""
        return None

    @property
    def documents(self) -> Shard:
        """The shard of the documents that the rows are windows of; itself without windows."""
        return self

    @property
    def limits(self) -> ReadLimits:
        """How much of it is in memory at a time; what is read does not depend on it."""
        return READ_LIMITS

    def limited(self, limits: ReadLimits) -> Shard:
        """Return the same with other `limits`; itself if all of it is in memory anyway."""
        del limits
        return self

    def surveyed(self) -> Shard:
        """Return the same with what can be known of it by a short look.

        Raises:
            StoreError: the store does not answer; what else goes wrong is for its reader to tell.
        """
        return self

    def bounds(self, unit_bytes: int) -> tuple[int, ...]:
        """Say where to cut it into parts of about so many bytes; a function of the file alone.

        Returns:
            Where each part begins, and the end of the last; nothing where it is not to be cut.
        """
        del unit_bytes
        return ()

    def parts(self, bounds: tuple[int, ...]) -> tuple[Shard, ...]:
        """Cut it at what `bounds` gave.

        Raises:
            ShardError: it cannot be cut there.
        """
        if bounds:
            raise ShardError(f"{self.name}: cannot be cut into parts", path=self.name)
        return (self,)

    def whole(self) -> Shard:
        """Return the shard of all of its file."""
        return self

    def placed(self, rows_before: int) -> Shard:
        """Return the same, knowing how many rows of the file are before it."""
        del rows_before
        return self

    def rows_before(self) -> int:
        """Return the rows of the file before it, which may take reading them.

        Raises:
            ShardError: they cannot be read.
        """
        return 0

    @abc.abstractmethod
    def identity(self) -> dict[str, int | str]:
        """Return what tells this shard from another: compared when a work directory is reused."""

    @abc.abstractmethod
    def check_unchanged(self) -> None:
        """Raise ShardError if the input is no longer what it was when the corpus was resolved."""

    @abc.abstractmethod
    def rows_in_metadata(self) -> int | None:
        """Return the number of rows where that is known without reading the rows, else None."""

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
            batch_bytes: about how many bytes of text to read at a time, where only the first rows
                are wanted; a reader may have reasons to read more.
            groups: columns whose values come along, in `TextBatch.groups`.

        Raises:
            ShardError: the shard cannot be read, or has no such column beside the text.
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

        Only of shards that are windows.

        Args:
            source_rows: the documents' rows in the shard, ascending.
            starts: where each window begins in its document, in bytes; ascending in a document.
            lengths: bytes of each, at least 1.
            threads: how many threads the reader may use.

        Raises:
            ShardError: the shard cannot be read, or is no longer what it was.
            OutputError: the input has a column or field of the name of one to be added.
            ValueError: the windows are not in order, or have no text.
        """
        raise NotImplementedError("rows that are no windows are taken by their number: take()")

    def take_beside(self, rows: npt.NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
        """Fetch all columns but the text, which must not be nested, of rows by their number.

        Only of shards of which rows are kept as records.

        Args:
            rows: ascending row numbers in the shard.

        Raises:
            ShardError: the shard cannot be read.
        """
        raise NotImplementedError(f"rows of {self.kind} are not kept as records")

    @abc.abstractmethod
    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Read all rows with all columns into memory, whatever their types.

        The text column need not be there. The types of JSON Lines are found from the lines.

        Args:
            threads: how many threads the reader may use.

        Raises:
            ShardError: the shard cannot be read.
        """

    def without_damage(self) -> Shard | None:
        """Return the same shard with the row groups passed over whose texts cannot be read.

        Their rows keep their numbers and are listed as bad. Reads all texts, to find them.

        Returns:
            The shard; None if there is nothing to pass over.

        Raises:
            ShardError: all of the shard is damaged.
        """
        return None

    def damaged_of(self, rows: npt.NDArray[np.int64]) -> DamagedGroups:
        """Find the row groups that hold some rows and of which any column cannot be read.

        Args:
            rows: ascending row numbers in the shard; of windows, those of their documents.

        Returns:
            The row groups, and why each cannot be read, with the name of the column; none for a
            format without row groups.
        """
        del rows
        return ()

    def without(self, damaged: DamagedGroups) -> Shard:
        """Return the same shard with row groups passed over, as `damaged_of` gave them.

        Their rows keep their numbers and are listed as bad.
        """
        if damaged:
            raise NotImplementedError(f"{self.kind} has no row groups to pass over")
        return self

    @property
    def worth_spooling(self) -> bool:
        """Whether its lines take longer to decompress than to be put aside and read from there."""
        return False

    def spooled(self, path: Path) -> Shard:
        """Return the same shard, read from a file where its lines were put aside.

        Only of shards that are `worth_spooling`. Its rows and what is said of them stay the same.
        """
        del path
        raise NotImplementedError(f"lines of {self.kind} are not put aside")

    @abc.abstractmethod
    def schema(self) -> pa.Schema | None:
        """Return the schema of `TakenRows.records`, or None for JSON Lines."""


def refuse_bad_row(shard: Shard, bad: BadRow, where: str = "") -> RowError:
    """Make the error for a bad row under `on_error="raise"`.

    Args:
        shard: the shard the row is in.
        bad: the row and what is wrong with it.
        where: a further way to find the row, such as " (line 3)".
    """
    row = shard.rows_before() + bad.row
    return RowError(
        f'{shard.name}: row {row}{where}: {bad.reason}; on_error="skip" passes over such rows',
        path=shard.name,
        row=row,
    )


def refuse_missing_rows(shard: Shard, wanted: int, total: int) -> InputError:
    """Make the error for a row number beyond the end of the shard."""
    of_part = "" if shard.part is None else " in this part of it"
    return ShardError(
        f"{shard.name}: row {wanted} was asked for, but the shard has {total:,} rows{of_part}; "
        "it changed since it was scored",
        path=shard.name,
    )
