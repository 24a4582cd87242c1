"""The columns that a selection adds to the input's columns."""

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
    """The columns added to the rows: their log-weights, and the target that each was drawn for.

    Attributes:
        weight: name of the column of log-weights, float64.
        target: name of the column of targets, string; it is added if there are `target_names`.
        target_names: the names of separate targets; empty otherwise.
        arguments: the arguments that set the two names, for messages.
        in_lines: whether JSON Lines get them as fields too, and not only in a file beside them.

    Raises:
        SettingError: a column has no name, or both have the same name.
    """

    weight: str = "log_weight"
    target: str = "target"
    target_names: Sequence[str] = ()
    arguments: tuple[str, str] = ("weight_column", "target_column")
    in_lines: bool = False

    def __post_init__(self) -> None:
        """Check the names."""
        names = (self.weight, self.target) if self.target_names else (self.weight,)
        for argument, name in zip(self.arguments, names, strict=False):
            if not name or not _is_utf8(name):
                raise SettingError(f"{argument}: the column needs a name that is valid UTF-8")
        if self.target_names and self.weight == self.target:
            raise SettingError(
                f"{' and '.join(self.arguments)}: are both {self.weight!r}; "
                "give the columns two different names"
            )

    @property
    def fields(self) -> list[pa.Field]:
        """The added columns."""
        fields = [pa.field(self.weight, pa.float64(), nullable=False)]
        if self.target_names:
            fields.append(pa.field(self.target, pa.string(), nullable=False))
        return fields

    def values(
        self, log_weight: npt.NDArray[np.float64], target: npt.NDArray[np.uint16] | None
    ) -> list[pa.Array]:
        """Return the values of the added columns for some rows.

        Args:
            log_weight: the log-weight of each row.
            target: the number of the target that each row was drawn for; None without names.
        """
        values = [to_arrow(log_weight)]
        if target is not None:
            values.append(pa.array(self.target_names, pa.string()).take(to_arrow(target)))
        return values

    def refuse_taken_names(self, schema: pa.Schema | None) -> None:
        """Raise OutputError if the input already has an added column.

        Args:
            schema: the columns of the input; None for JSON Lines, whose added columns are written
                to a file of their own.

        Raises:
            OutputError: the input has such a column; the message says which argument renames it.
        """
        if schema is None:
            return
        for argument, field in zip(self.arguments, self.fields, strict=False):
            if field.name in schema.names:
                raise OutputError(
                    f"the input already has a column {field.name!r}; "
                    f"give the added column another name with {argument}=..."
                )


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # Half a surrogate pair.
        return False
    return True


LOG_WEIGHT = AddedColumns()
"""The default: a column `log_weight`."""
