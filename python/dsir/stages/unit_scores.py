"""The scores of the units of a corpus, held as columns; see `stages.unit_results`."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.stages.score import ShardScores
from dsir.stages.score_table import ScoreForm
from dsir.stages.unit_results import UnitResults
from dsir.storage.place import Place

_COUNTS = ("rows", "documents", "empty", "bad", "blank_lines", "text_bytes", "kept_bytes")


class UnitScores(UnitResults[ShardScores]):
    """The scores of the units of a corpus."""

    def __init__(self, results: Iterable[ShardScores] = ()) -> None:
        self._columns = {name: array("q") for name in _COUNTS}
        super().__init__(results)

    def _add(self, result: ShardScores) -> None:
        for name, column in self._columns.items():
            column.append(getattr(result, name))

    def _is_plain(self, result: ShardScores) -> bool:
        told = (result.scores, result.weights, result.columns, result.codes, result.repeated)
        return (
            not result.skipped
            and not result.names
            and not result.duplicates
            and not result.given_up
            and all(one is None for one in told)
        )

    def _made(self, at: int, form: ScoreForm, place: Place) -> ShardScores:
        counts: dict[str, Any] = {name: column[at] for name, column in self._columns.items()}
        return ShardScores(**counts, form=form, place=place)

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
