"""How much may be bad before a run stops: `max_bad_rows`, `max_bad_shards`.

Judged as the results of a stage are merged, in the order of the shards, so that the error is the
same for any number of threads: a count as soon as it is passed, a share of rows once all are read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from dsir.arguments import whole_number
from dsir.errors import BadDataError, SettingError
from dsir.output.rejects import Rejected

Most = int | str | None


@dataclass(frozen=True, slots=True)
class Limit:
    """A number, or a share.

    Attributes:
        given: as the user gave it, for messages.
        count: or None.
        share: 0 to 1, or None.
    """

    given: int | str
    count: int | None = None
    share: Fraction | None = None

    def most(self, total: int) -> int:
        """Return how many of a total are allowed."""
        return int((self.share or 0) * total) if self.count is None else self.count


@dataclass(frozen=True, slots=True)
class BadLimits:
    """How many bad rows and shards a corpus may have; None for any number.

    Attributes:
        rows: bad rows, of the rows read. What is lost with a shard is not among them.
        shards: shards that cannot be read, of all.
    """

    rows: Limit | None = None
    shards: Limit | None = None

    def describe(self) -> dict[str, int | str | None]:
        """Return the limits as they were given."""
        return {
            "max_bad_rows": None if self.rows is None else self.rows.given,
            "max_bad_shards": None if self.shards is None else self.shards.given,
        }


NO_LIMITS = BadLimits()


def check_bad_limits(max_bad_rows: Most, max_bad_shards: Most, on_error: str) -> BadLimits:
    """Read how much may be bad.

    Args:
        max_bad_rows: a number, a share such as "1%", or None for any number.
        max_bad_shards: the same.
        on_error: they go with "skip".

    Raises:
        SettingError: one is neither, or nothing is skipped.
    """
    limits = BadLimits(
        _limit("max_bad_rows", max_bad_rows), _limit("max_bad_shards", max_bad_shards)
    )
    if on_error != "skip" and limits != NO_LIMITS:
        name = "max_bad_rows" if limits.rows is not None else "max_bad_shards"
        raise SettingError(f'{name}: goes with on_error="skip"; otherwise nothing may be bad')
    return limits


def _limit(name: str, given: Most) -> Limit | None:
    if given is None:
        return None
    if not isinstance(given, str):
        return Limit(whole_number(name, given, 0), count=whole_number(name, given, 0))
    match = re.fullmatch(r"\s*([0-9]{1,18}(?:\.[0-9]{1,18})?)\s*(%?)\s*", given)
    if match and match[2]:
        share = Fraction(Decimal(match[1])) / 100
        if share <= 1:
            return Limit(given, share=share)
    elif match and "." not in match[1]:
        return Limit(int(match[1]), count=int(match[1]))
    raise SettingError(
        f"{name}={given!r}: expected a number, or a share from 0% to 100% such as '1%'"
    )


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
        return None if self._limits.rows is None else self._limits.rows.count

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
                limit = self._limits.shards
                if limit is not None and self._bad_shards > limit.most(self._shards):
                    raise BadDataError(
                        f"{self._corpus}: more of its {self._shards:,} shards cannot be read than "
                        f"max_bad_shards={limit.given}; the one too many: {entry.reason}",
                        path=entry.path,
                    )
                continue
            self._first = self._first or entry
            self._bad_rows += entry.rows
            limit = self._limits.rows
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
        limit, first = self._limits.rows, self._first
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
