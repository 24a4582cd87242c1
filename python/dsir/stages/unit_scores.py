"""The scores of the units of a corpus, held as columns; see `stages.unit_results`."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.stages.duplicates.marks import Marks
from dsir.stages.score_table import ScoreForm
from dsir.stages.shard_scores import ShardScores
from dsir.stages.unit_results import UnitResults
from dsir.storage.place import Place

_COUNTS = ("rows", "documents", "empty", "bad", "blank_lines", "text_bytes", "kept_bytes")


class UnitScores(UnitResults[ShardScores]):
    """The scores of the units of a corpus."""

    def __init__(self, results: Iterable[ShardScores] = ()) -> None:
        self._columns = {name: array("q") for name in _COUNTS}
        self._marks: Marks | None = None
        self._first_rows = self._duplicates = np.zeros(0, dtype=np.int64)  # With marks only.
        super().__init__(results)

    def _add(self, result: ShardScores) -> None:
        for name, column in self._columns.items():
            column.append(getattr(result, name))

    def _is_plain(self, result: ShardScores) -> bool:
        told = (
            *(result.scores, result.weights, result.columns, result.codes),
            *(result.repeated, result.marks),
        )
        return (
            not result.skipped
            and not result.names
            and not result.duplicates
            and not result.given_up
            and all(one is None for one in told)
        )

    def _made(self, at: int, form: ScoreForm, place: Place) -> ShardScores:
        counts: dict[str, Any] = {name: column[at] for name, column in self._columns.items()}
        made = ShardScores(**counts, form=form, place=place)
        if self._marks is not None:
            made.marks = self._marks.of_rows_from(int(self._first_rows[at]))
            made.duplicates = int(self._duplicates[at])
        return made

    def mark(self, marks: Marks, duplicates: npt.NDArray[np.int64]) -> None:
        """Set which rows are duplicates, once all units are there.

        Args:
            marks: of all rows.
            duplicates: int64[units], how many each unit has.
        """
        rows = self.column("rows")
        self._marks, self._duplicates = marks, duplicates
        self._first_rows = np.cumsum(rows) - rows
        for at, result in self._as_is.items():
            self._as_is[at] = replace(
                result,
                repeated=None,
                marks=marks.of_rows_from(int(self._first_rows[at])),
                duplicates=int(duplicates[at]),
            )

    def column(self, name: str) -> npt.NDArray[np.int64]:
        """Return a count of every unit, such as "rows"."""
        found = np.array(self._columns[name], dtype=np.int64)
        for at, result in self._as_is.items():
            found[at] = getattr(result, name)
        return found


ChangeableScores = list[ShardScores] | UnitScores


def rows_of(scores: Sequence[ShardScores]) -> npt.NDArray[np.int64]:
    """Return how many rows each unit has."""
    if isinstance(scores, UnitScores):
        return scores.column("rows")
    return np.fromiter((unit.rows for unit in scores), dtype=np.int64, count=len(scores))
