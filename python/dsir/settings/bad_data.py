"""How many rows and shards may be bad before a run stops: `max_bad_rows`, `max_bad_shards`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from dsir.arguments import panels
from dsir.arguments.declared import argument
from dsir.arguments.values import Amount, amount, exact_share, is_percent, shown
from dsir.errors import SettingError

Most = Amount | None


@dataclass(frozen=True, slots=True)
class Limit:
    """A number, or a share.

    Attributes:
        given: the limit as the user gave it, for messages.
        count: the number; None if the limit is a share.
        share: the share, 0 to 1; None if the limit is a number.
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
        max_bad_rows: bad rows among the rows read. Rows lost with a whole shard do not count.
        max_bad_shards: shards that cannot be read, among all shards.
    """

    max_bad_rows: Limit | None = argument(
        None,
        "With on_error='skip': how many bad rows raw, and each target, may have: a number, e.g. "
        "100 (the run stops at the 101st), or a share of the rows, e.g. 1% (checked once all rows "
        "are read). By default any number may be bad.",
        panel=panels.RUN,
        metavar="N|SHARE%",
    )
    max_bad_shards: Limit | None = argument(
        None,
        "With on_error='skip': how many unreadable files raw, and each target, may have: a number, "
        "e.g. 3, or a share, e.g. 5%. By default any number may be unreadable.",
        panel=panels.RUN,
        metavar="N|SHARE%",
    )

    def describe(self) -> dict[str, int | str | None]:
        """Return the limits as they were given."""
        return {
            "max_bad_rows": None if self.max_bad_rows is None else self.max_bad_rows.given,
            "max_bad_shards": None if self.max_bad_shards is None else self.max_bad_shards.given,
        }


NO_LIMITS = BadLimits()


def check_bad_limits(max_bad_rows: Most, max_bad_shards: Most, on_error: str) -> BadLimits:
    """Return checked limits of bad data.

    Args:
        max_bad_rows: a number, a share such as "1%", or None for any number.
        max_bad_shards: the same.
        on_error: must be "skip" if a limit is given.

    Raises:
        SettingError: a limit is neither a number nor a share, or nothing is skipped.
    """
    limits = BadLimits(
        _limit("max_bad_rows", max_bad_rows), _limit("max_bad_shards", max_bad_shards)
    )
    if on_error != "skip" and limits != NO_LIMITS:
        name = "max_bad_rows" if limits.max_bad_rows is not None else "max_bad_shards"
        raise SettingError(
            f'{name}: goes with on_error="skip"; without it the first bad row stops the run'
        )
    return limits


def _limit(name: str, given: Most) -> Limit | None:
    if given is None:
        return None
    if not is_percent(given):
        count = amount(name, given, 0)
        return Limit(count, count=count)
    if (share := exact_share(given)) is not None and share <= 1:
        return Limit(given, share=share)
    raise SettingError(
        f"{name}={shown(given)}: expected a number, or a share from 0% to 100% such as '1%'"
    )
