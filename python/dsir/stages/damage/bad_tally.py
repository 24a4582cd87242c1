"""Counts bad rows and shards, and stops a run when a limit is passed.

Results are counted when a stage merges them, in the order of the shards, so that the error is the
same for any number of threads. A limit that is a number applies as soon as it is passed; a limit
that is a share of the rows applies once all rows are read.
"""

from __future__ import annotations

from collections.abc import Sequence

from dsir.errors import BadDataError
from dsir.output.rejects import Rejected
from dsir.settings.bad_data import BadLimits


class BadTally:
    """Counts bad rows and shards of a corpus while the results of a stage are merged.

    Args:
        limits: how many rows and shards may be bad.
        corpus: the name of the corpus, for messages.
        shards: how many files or tables the corpus has.
    """

    def __init__(self, limits: BadLimits, corpus: str, shards: int) -> None:
        self._limits = limits
        self._corpus = corpus
        self._shards = shards
        self._rows_read = 0
        self._bad_rows = 0
        self._bad_shards = 0
        self._first: Rejected | None = None
        self._bad_file: int | None = None

    @property
    def most_bad_rows(self) -> int | None:
        """A single shard with more bad rows than this need not be read on; None for no limit."""
        return None if self._limits.max_bad_rows is None else self._limits.max_bad_rows.count

    def add(self, rows_read: int, skipped: Sequence[Rejected], file: int) -> None:
        """Count the next shard, or the next unit of one.

        Args:
            rows_read: rows read of the shard or unit.
            skipped: its bad rows, in order and with row numbers of the file; or the shard itself.
            file: the number of its file or table.

        Raises:
            BadDataError: a limit that is a number is passed.
        """
        self._rows_read += rows_read
        for entry in skipped:
            if entry.rows == 0:
                if file == self._bad_file:  # Another unit of the same file.
                    continue
                self._bad_file = file
                self._bad_shards += 1
                limit = self._limits.max_bad_shards
                if limit is not None and self._bad_shards > limit.most(self._shards):
                    raise BadDataError(
                        f"{self._corpus}: more of its {self._shards:,} shards cannot be read than "
                        f"max_bad_shards={limit.given} allows; the first above the limit: "
                        f"{entry.reason}",
                        path=entry.path,
                    )
                continue
            self._first = self._first or entry
            self._bad_rows += entry.rows
            limit = self._limits.max_bad_rows
            if limit is not None and limit.count is not None and self._bad_rows > limit.count:
                raise BadDataError(
                    f"{self._corpus}: more rows are bad than max_bad_rows={limit.given} allows; "
                    f"the first above the limit: {_where(entry)}",
                    path=entry.path,
                    row=entry.row,
                )

    def finish(self) -> None:
        """Check the share of bad rows, once all shards have been counted.

        Raises:
            BadDataError: the share of bad rows is too large.
        """
        limit, first = self._limits.max_bad_rows, self._first
        if limit is None or first is None or self._bad_rows <= limit.most(self._rows_read):
            return
        raise BadDataError(
            f"{self._corpus}: {self._bad_rows:,} of {self._rows_read:,} rows are bad, more than "
            f"max_bad_rows={limit.given} allows; the first: {_where(first)}",
            path=first.path,
            row=first.row,
        )


def _where(entry: Rejected) -> str:
    row = "" if entry.row is None else f"row {entry.row} of "
    return f"{row}{entry.path}: {entry.reason}"
