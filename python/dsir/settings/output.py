"""How the selected rows are written: the size of the parts, the names of added columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from dsir.arguments.declared import argument, chosen, described
from dsir.arguments.values import Amount, amount, flag, name_of_column
from dsir.output import AddedColumns


class OutputArguments(TypedDict, total=False):
    """Arguments that say how rows are written; see `OutputSettings`."""

    shard_size: Amount
    keep_types: bool
    weight_column: str
    target_column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSettings:
    """How the selected rows are written.

    Attributes:
        shard_size: bytes of text in an output shard.
        keep_types: write every column in the type that it came in.
        weight_column: name of the column of log-weights.
        target_column: name of the column that says which of separate targets took a row.

    Raises:
        SettingError: a setting is out of range.
    """

    shard_size: int = argument(
        "256MB",
        "Size of an output file, in bytes of text: a number, or a size such as 256MB.",
    )
    keep_types: bool = argument(
        False,
        "Write every column in the type that it came in, in parts of their own where the types of "
        "the inputs differ. By default types that hold the same values become one, e.g. string and "
        "large_string, or int32 and int64, so that the output folder opens as one table.",
        kind=bool,
    )
    weight_column: str = argument(
        "log_weight", "Name of the column of log-weights in the output, e.g. dsir_weight."
    )
    target_column: str = argument(
        "target",
        "Name of the output column that says which of separate targets took a row, e.g. domain.",
    )

    def __post_init__(self) -> None:
        """Check the settings."""
        object.__setattr__(self, "shard_size", amount("shard_size", self.shard_size, 1, sizes=True))
        flag("keep_types", self.keep_types)
        name_of_column("weight_column", self.weight_column)
        name_of_column("target_column", self.target_column)
        self.added(())  # Checks that the name of the column of log-weights is UTF-8.

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> OutputSettings:
        """Check the arguments of a call.

        Raises:
            SettingError: an argument is out of range.
        """
        return cls(**chosen(cls, given))

    def added(self, target_names: Sequence[str]) -> AddedColumns:
        """Return the columns that are added to the rows.

        Args:
            target_names: names of separate targets; none if targets are not separate.
        """
        return AddedColumns(self.weight_column, self.target_column, target_names)

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return described(self)
