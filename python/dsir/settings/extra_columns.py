"""Which columns a table of scores has beside the log-weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsir import _core
from dsir.settings.quotas import Dedup


@dataclass(frozen=True, slots=True)
class ExtraColumns:
    """The columns that some draws need beside the log-weights.

    Attributes:
        content: whether to store the content hash of each text, to find exact duplicates.
        groups: columns whose values are stored, for quotas.
        bands: whether to store the keys of each text's bands, to find near duplicates.
    """

    content: bool = False
    groups: tuple[str, ...] = ()
    bands: bool = False

    @classmethod
    def of(cls, dedup: Dedup, groups: tuple[str, ...]) -> ExtraColumns:
        """Return the columns that a draw needs.

        Args:
            dedup: which duplicates it leaves out.
            groups: the columns of its quotas.
        """
        return cls(dedup == "exact", groups, dedup == "near")

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> ExtraColumns:
        """Return what `describe` described, by settings that hold it among others.

        Raises:
            KeyError: they do not.
        """
        return cls(
            described["content_hash"] == _core.CONTENT_HASH,
            tuple(described["groups"]),
            described.get("near_duplicates") == _core.MINHASH,
        )

    def with_more(self, other: ExtraColumns) -> ExtraColumns:
        """Return these columns and then those of others."""
        more = tuple(column for column in other.groups if column not in self.groups)
        return ExtraColumns(
            self.content or other.content, self.groups + more, self.bands or other.bands
        )

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON values; near duplicates only if they are looked for."""
        return {
            "content_hash": _core.CONTENT_HASH if self.content else None,
            "groups": list(self.groups),
            **({"near_duplicates": _core.MINHASH} if self.bands else {}),
        }


NO_EXTRA = ExtraColumns()
