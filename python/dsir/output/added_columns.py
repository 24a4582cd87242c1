"""The columns that a selection adds to those of the input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.errors import OutputError, SettingError
from dsir.primitive_arrays import to_arrow


@dataclass(frozen=True, slots=True)
class AddedColumns:
    """What is written beside the rows: their log-weights, and which target took them.

    Attributes:
        weight: name of the column of log-weights, float64.
        target: name of the column of targets, string; it is there where there are names.
        target_names: of separate targets.
        arguments: what the two names are called where they are given, for messages.

    Raises:
        SettingError: a column has no name, or both have the same.
    """

    weight: str = "log_weight"
    target: str = "target"
    target_names: Sequence[str] = ()
    arguments: tuple[str, str] = ("weight_column", "target_column")

    def __post_init__(self) -> None:
        """Check the names."""
        names = (self.weight, self.target) if self.target_names else (self.weight,)
        for argument, name in zip(self.arguments, names, strict=False):
            if not name or not _is_utf8(name):
                raise SettingError(f"{argument}: the column must have a name, which is a text")
        if self.target_names and self.weight == self.target:
            raise SettingError(f"{' and '.join(self.arguments)}: are both {self.weight!r}")

    @property
    def fields(self) -> list[pa.Field]:
        """The columns."""
        fields = [pa.field(self.weight, pa.float64(), nullable=False)]
        if self.target_names:
            fields.append(pa.field(self.target, pa.string(), nullable=False))
        return fields

    def values(
        self, log_weight: npt.NDArray[np.float64], target: npt.NDArray[np.uint16] | None
    ) -> list[pa.Array]:
        """Return what stands in the columns for some rows.

        Args:
            log_weight: of each.
            target: the number of the target that took it; None where there are no names.
        """
        values = [to_arrow(log_weight)]
        if target is not None:
            values.append(pa.array(self.target_names, pa.string()).take(to_arrow(target)))
        return values

    def refuse_taken_names(self, schema: pa.Schema | None) -> None:
        """Make sure that the columns are not there already.

        Args:
            schema: of the input; None for JSON Lines, which have the columns beside them.

        Raises:
            OutputError: one is; the message gives the way out.
        """
        if schema is None:
            return
        for argument, field in zip(self.arguments, self.fields, strict=False):
            if field.name in schema.names:
                raise OutputError(
                    f"the input has a column {field.name!r} already; "
                    f"give the one that is added another name with {argument}=..."
                )


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # Half of a surrogate pair.
        return False
    return True


LOG_WEIGHT = AddedColumns()
"""The default: a column `log_weight`."""
