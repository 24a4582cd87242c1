"""Says which whole files a command passed over with `on_error="skip"`."""

from __future__ import annotations

from collections.abc import Iterable

from dsir.corpus.skipped import Skipped
from dsir.errors import warn
from dsir.plural import counted

_NAMED_FILES = 5


def warn_of_passed_over(skipped: Iterable[Skipped]) -> None:
    """Warn of files that could not be read at all; their number, some names, the first reason.

    For stages whose results have no list of what was skipped.

    Args:
        skipped: what was skipped; rows do not matter here.
    """
    reasons = {entry.path: entry.reason for entry in skipped if entry.rows == 0}
    if not reasons:
        return
    names = [*reasons][:_NAMED_FILES]
    more = f", and {len(reasons) - len(names):,} more" if len(reasons) > len(names) else ""
    warn(
        f"passed over {counted(len(reasons), 'file')} that cannot be read: {', '.join(names)}"
        f"{more}; the first: {reasons[names[0]]}"
    )
