"""One row group of an open Parquet file: its batches, and why it cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from dsir.corpus.batches import ReadLimits, rows_per_batch
from dsir.corpus.buffers import check_dictionaries
from dsir.corpus.int96 import CHECKING_UNITS, among, refuse_inexact
from dsir.corpus.open_parquet import OpenParquet
from dsir.corpus.parquet_footer import OpenedFooter
from dsir.errors import ShardError, StoreError
from dsir.remote.read_errors import first_line, translated

if TYPE_CHECKING:
    import pyarrow.parquet as pq

# The size of a dictionary-encoded chunk says nothing about the size of its texts: a million rows
# may share one text of a megabyte. Reading few rows at a time bounds the texts as well.
_MAX_ROWS = 4096

# Rows that are equal take next to nothing, but if they are lost it takes some trust to count them.
_ROWS_OF_A_BYTE = 100


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group of a file that is open.

    Attributes:
        name: the file's name for errors.
        number: the row group's number in the file.
        file: the file.
        footer: its footer.
        limits: how much of the file is in memory at a time.
        open_again: opens the file once more, with another unit of INT96 times.
    """

    name: str
    number: int
    file: OpenParquet
    footer: OpenedFooter
    limits: ReadLimits
    open_again: Callable[[str], OpenParquet]

    @property
    def rows(self) -> int:
        """How many rows the footer says it has."""
        return int(self._metadata.num_rows)

    @property
    def _metadata(self) -> pq.RowGroupMetaData:
        return self.file.metadata.row_group(self.number)

    def batches(
        self, columns: list[str] | None, *, threads: int = 1, batch_bytes: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Read columns (None: all), and check that no row is missing.

        Args:
            columns: names; dots lead into nested columns.
            threads: more than 1 decodes columns on pyarrow's threads.
            batch_bytes: about how many bytes to read at a time; None for that of `limits`.

        Raises:
            ShardError: it cannot be read, or has other rows than its footer says.
        """
        rows_read = 0
        with translated(
            lambda error: ShardError(
                f"{self.name}: row group {self.number} cannot be read after "
                f"{rows_read:,} of its rows: {first_line(error)}",
                path=self.name,
                row_group=self.number,
            )
        ):
            metadata = self._metadata
            expected = metadata.num_rows
            rows = self._batch_size(metadata, batch_bytes)
            places = None if columns is None else _places(self.file.schema_arrow.names, columns)
            pages = self.file.pages_of(self.number, places)
            if pages is not None:
                rows = self.footer.sizes.rows_at_a_time(
                    pages, self.number, expected, places, rows, self.limits
                )
            batches = self.file.iter_batches(self.number, rows, columns, use_threads=threads > 1)
            checked = self._exact_times(rows, columns)
            for batch in batches:
                for array in batch.columns:
                    check_dictionaries(array)
                next(checked, None)
                rows_read += len(batch)
                yield batch
        if rows_read != expected:
            raise ShardError(
                f"{self.name}: row group {self.number} holds {rows_read:,} rows, "
                f"but the footer says {expected:,}; the file is damaged",
                path=self.name,
                row_group=self.number,
            )

    def damage(self, columns: list[str] | None) -> str | None:
        """Return why columns (None: all) cannot be read; None if they can.

        Raises:
            StoreError: the store fails, which says nothing about the file.
        """
        try:
            for _ in self.batches(columns):
                pass
        except StoreError:
            raise
        except ShardError as error:
            cause = error.__cause__
            return "other rows than its footer says" if cause is None else first_line(cause)
        return None

    def damaged_columns(self, names: list[str]) -> str | None:
        """Return why the row group cannot be read, with the column where one is to blame."""
        why = self.damage(None)
        if why is None:
            return None
        by_column = ((name, self.damage([name])) for name in names)
        return next((f"column {name!r}: {found}" for name, found in by_column if found), why)

    def refuse_incredible(self, file_size: int, why: str) -> None:
        """Raise ShardError if, being damaged, it has more rows than its file can be believed.

        Nobody can count the rows of a damaged row group, and every lost row takes a place in the
        results: a few bytes that say 2^31 rows would fill the disk.

        Args:
            file_size: bytes of the whole file.
            why: why the row group cannot be read.
        """
        if self.rows > _ROWS_OF_A_BYTE * file_size:
            raise ShardError(
                f"{self.name}: row group {self.number} cannot be read, and the footer says that "
                f"its {self.rows:,} rows are in a file of {file_size:,} bytes: {why}",
                path=self.name,
            )

    def _exact_times(self, rows: int, columns: list[str] | None) -> Iterator[None]:
        """Check the INT96 times, if there are any: one batch at each step.

        Raises:
            ValueError: a time cannot be read as it is.
        """
        found = among(self.footer.int96, columns)
        if not found:
            return
        with (
            self.open_again(CHECKING_UNITS[0]) as one,
            self.open_again(CHECKING_UNITS[1]) as other,
        ):
            places = _places(one.schema_arrow.names, found)
            for file in (one, other):
                file.pages_of(self.number, places)
            batches = (
                file.iter_batches(self.number, rows, found, use_threads=True)
                for file in (one, other)
            )
            for pair in zip(*batches, strict=True):
                refuse_inexact(*pair)
                yield

    def _batch_size(self, metadata: pq.RowGroupMetaData, batch_bytes: int | None) -> int:
        """Return how many rows to read at a time.

        The size of whole rows decides; it is an upper bound for the size of their texts. The footer
        has the size of each column too, but pyarrow ends the process when that size is damaged.
        """
        limits = self.limits
        if metadata.total_byte_size > limits.row_bytes * max(1, metadata.num_rows):
            raise ShardError(
                f"{self.name}: the rows of row group {self.number} have "
                f"{metadata.total_byte_size // metadata.num_rows:,} bytes on average, more than "
                f"fits in memory ({limits.row_bytes:,}); give more memory, or use fewer threads",
                path=self.name,
                row_group=self.number,
            )
        return rows_per_batch(
            metadata.total_byte_size,
            metadata.num_rows,
            most=_MAX_ROWS,
            batch_bytes=batch_bytes or limits.batch_bytes,
        )


def _places(names: list[str], columns: list[str]) -> list[int]:
    """Return the numbers of the columns that are read; dots lead into nested columns."""
    return [
        place
        for place, name in enumerate(names)
        if any(column == name or column.startswith(f"{name}.") for column in columns)
    ]
