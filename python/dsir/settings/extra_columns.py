"""Which columns a table of scores has beside the log-weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dsir import _core


@dataclass(frozen=True, slots=True)
class ExtraColumns:
    """The columns that some draws need beside the log-weights.

    Attributes:
        content: whether to store the content hash of each text, to find duplicates.
        groups: columns whose values are stored, for quotas.
    """

    content: bool = False
    groups: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return {
            "content_hash": _core.CONTENT_HASH if self.content else None,
            "groups": list(self.groups),
        }


NO_EXTRA = ExtraColumns()
