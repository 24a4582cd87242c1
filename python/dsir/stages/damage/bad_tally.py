"""Counts what is bad, and stops a run when a limit is passed.

Results are counted as a stage merges them, in the order of the shards, so that the error is the
same for any number of threads: a limit that is a number applies as soon as it is passed, a share of
the rows once all rows are read.
"""

from __future__ import annotations

from collections.abc import Sequence

from dsir.errors import BadDataError
from dsir.output.rejects import Rejected
from dsir.settings.bad_data import BadLimits


class BadTally:
    """Counts what is bad in a corpus while the results of a stage are merged.

    Args:
        limits: how much may be.
        corpus: the name of the corpus, for messages.
        shards: how many files or tables it has.
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
        """Bad rows after which a single shard need not be read on; None for no limit."""
        return None if self._limits.max_bad_rows is None else self._limits.max_bad_rows.count

    def add(self, rows_read: int, skipped: Sequence[Rejected], file: int) -> None:
        """Take the next shard, or the next unit of one.

        Args:
            rows_read: of it.
            skipped: its bad rows, in order and by rows of the file, or itself.
            file: the number of the file or table that it is of.

        Raises:
            BadDataError: a count is passed.
        """
        self._rows_read += rows_read
        for entry in skipped:
            if entry.rows == 0:
                if file == self._bad_file:  # Another unit of it.
                    continue
                self._bad_file = file
                self._bad_shards += 1
                limit = self._limits.max_bad_shards
                if limit is not None and self._bad_shards > limit.most(self._shards):
                    raise BadDataError(
                        f"{self._corpus}: more of its {self._shards:,} shards cannot be read than "
                        f"max_bad_shards={limit.given}; the one too many: {entry.reason}",
                        path=entry.path,
                    )
                continue
            self._first = self._first or entry
            self._bad_rows += entry.rows
            limit = self._limits.max_bad_rows
            if limit is not None and limit.count is not None and self._bad_rows > limit.count:
                raise BadDataError(
                    f"{self._corpus}: more rows are bad than max_bad_rows={limit.given}; "
                    f"the one too many: {_where(entry)}",
                    path=entry.path,
                    row=entry.row,
                )

    def finish(self) -> None:
        """Say that all shards were taken, and read whole.

        Raises:
            BadDataError: the share of bad rows is too large.
        """
        limit, first = self._limits.max_bad_rows, self._first
        if limit is None or first is None or self._bad_rows <= limit.most(self._rows_read):
            return
        raise BadDataError(
            f"{self._corpus}: {self._bad_rows:,} of {self._rows_read:,} rows are bad, more than "
            f"max_bad_rows={limit.given}; the first: {_where(first)}",
            path=first.path,
            row=first.row,
        )


def _where(entry: Rejected) -> str:
    row = "" if entry.row is None else f"row {entry.row} of "
    return f"{row}{entry.path}: {entry.reason}"
