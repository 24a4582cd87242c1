"""What a shard is: the contract that every kind of input fulfils.

A shard is a small, frozen, picklable description. Files are opened inside the methods and never
held, so that a shard can be handed to another thread, process or machine.
"""

from __future__ import annotations

import abc
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.batches import READ_LIMITS, ReadLimits
from dsir.corpus.group_values import GroupValues
from dsir.corpus.line_blocks import LineBlock
from dsir.errors import InputError, RowError, ShardError
from dsir.remote import Location, RemotePath, is_url
from dsir.remote.read_errors import translated
from dsir.remote.store import ObjectState

Kind = Literal["parquet", "jsonl", "arrow", "memory"]
OnError = Literal["raise", "skip"]


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
        first_row: the row in the shard of the first text.
        text: string, large_string, string_view, or a dictionary of one of these; null where the
            text is null or the row is bad.
        bad: the rows of this batch that cannot be read.
        blank_lines: lines of JSON Lines that hold nothing and are not rows, met since the batch
            before.
        origin: for windows of documents, where they come from. `first_row` then is the number of
            the first window in the shard, but the rows in `bad` are those of documents.
        groups: the values of the columns that were asked for, in their order.
        lines: the lines that the rows are; None for everything but JSON Lines.
    """

    first_row: int
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

    Attributes:
        name: what messages call it: the path as the user gave it.
        size: bytes on disk, or in memory.
        text: the text column; dots lead into nested columns.
    """

    __slots__ = ()

    name: str
    size: int
    text: str

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

    def readable_part(self) -> Shard | None:
        """Return the same shard with the row groups passed over that cannot be read.

        Their rows keep their numbers and are listed as bad. Reads all texts, to find them.

        Returns:
            The shard; None where there is nothing to pass over.

        Raises:
            ShardError: all of the shard is damaged.
        """
        return None

    @abc.abstractmethod
    def schema(self) -> pa.Schema | None:
        """Return the schema of `TakenRows.records`, or None for JSON Lines."""


@dataclass(frozen=True, slots=True)
class FileShard(Shard):
    """A shard on disk.

    Attributes:
        path: absolute path, or URL.
        size: bytes; of a part, its own.
        mtime_ns: time of the last change, when the corpus was resolved; 0 in a store.
        version: in a store, the etag or what it has in its place; else empty.
        part: which part of the file it is; None for all of it.
        limits: how much of it is in memory at a time. What is read does not depend on it.
    """

    name: str
    path: str
    size: int
    mtime_ns: int
    text: str
    version: str = ""
    part: FilePart | None = field(default=None, kw_only=True)
    limits: ReadLimits = field(default=READ_LIMITS, kw_only=True, compare=False, repr=False)

    @property
    def file(self) -> Location:
        """Where it lies."""
        return RemotePath(self.path) if self.is_remote else Path(self.path)

    @property
    def is_remote(self) -> bool:
        """Whether it lies in a store."""
        return is_url(self.path)

    def identity(self) -> dict[str, int | str]:
        """Return path, size and last change (or version), as they were at resolve time.

        Those of the file, also for a part of it.
        """
        if self.is_remote:
            return {"path": self.path, "size": self.file_size, "version": self.version}
        return {"path": self.path, "size": self.file_size, "mtime_ns": self.mtime_ns}

    @property
    def file_size(self) -> int:
        """Bytes of the file."""
        return self.size if self.part is None else self.part.file_size

    def whole(self) -> FileShard:
        """Return the shard of all of its file."""
        return self if self.part is None else replace(self, size=self.file_size, part=None)

    def placed(self, rows_before: int) -> FileShard:
        """Return the same, knowing how many rows of the file are before it."""
        if self.part is None:
            return self
        return replace(self, part=replace(self.part, rows_before=rows_before))

    def rows_before(self) -> int:
        """Return the rows of the file before it, which may take reading them."""
        if self.part is None:
            return 0
        known = self.part.rows_before
        return self._count_rows_before() if known is None else known

    def _count_rows_before(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} is not cut by what has to be read")

    def check_unchanged(self) -> None:
        """Raise ShardError if size or time of the last change differ from those at resolve time."""
        size, mtime_ns, version = file_state(self.name, self.path)
        if (size, mtime_ns, version) != (self.file_size, self.mtime_ns, self.version):
            raise ShardError(
                f"{self.name}: changed while the run was going on "
                f"(was {self.file_size:,} bytes, is {size:,}); start again once it is finished",
                path=self.name,
            )

    def refuse_empty_file(self) -> None:
        """Raise ShardError for a file without a single byte, which is no file of any kind."""
        # A store is not asked again: that is a request.
        size = self.size if self.is_remote else file_state(self.name, self.path)[0]
        if size == 0:
            raise ShardError(f"{self.name}: is empty (0 bytes)", path=self.name)


def file_state(name: str, path: str) -> tuple[int, int, str]:
    """Return size, time of the last change and version of a file, as in `FileShard`.

    Args:
        name: what messages call the file.
        path: where it is.

    Raises:
        ShardError: the file is missing, out of reach, or not a regular file.
    """
    if is_url(path):
        state = remote_state(name, RemotePath(path))
        return state.size, 0, state.version
    try:
        status = Path(path).stat()
    except FileNotFoundError:
        raise ShardError(f"{name}: no such file", path=name) from None
    except OSError as error:
        raise ShardError(f"{name}: cannot be read: {error.strerror}", path=name) from error
    if not stat.S_ISREG(status.st_mode):
        raise ShardError(f"{name}: is not a regular file", path=name)
    return status.st_size, status.st_mtime_ns, ""


def remote_state(name: str, path: RemotePath) -> ObjectState:
    """Return size and version of a file of a store.

    Raises:
        ShardError: the file is missing.
        StoreError: it is out of reach.
    """
    with translated(lambda error: ShardError(f"{name}: cannot be read: {error}", path=name)):
        state = path.state()
        if state is None:
            path.store.refuse_missing_bucket(path.key)
            raise ShardError(f"{name}: no such file", path=name)
    return state


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
