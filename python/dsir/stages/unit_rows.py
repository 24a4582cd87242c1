"""The selected rows of the units of a corpus, held as columns; see `stages.unit_results`."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from dsir.stages.sample import ShardRows
from dsir.stages.score_table import ScoreForm
from dsir.stages.unit_results import UnitResults
from dsir.storage.place import Place

_UNKNOWN = -1  # Rows that nobody counted.


class UnitRows(UnitResults[ShardRows]):
    """The selected rows of the units of a corpus."""

    def __init__(self, results: Iterable[ShardRows] = ()) -> None:
        self._corpus_rows, self._source_rows = array("q"), array("q")
        self._by_target = array("q")  # Three numbers for each unit and target.
        self._targets = 0
        super().__init__(results)

    def _add(self, result: ShardRows) -> None:
        self._corpus_rows.append(result.corpus_row)
        self._source_rows.append(_UNKNOWN if result.source_rows is None else result.source_rows)
        plain = len(result.by_target) == self._targets
        for numbers in result.by_target if plain else [(0, 0, 0)] * self._targets:
            self._by_target.extend(numbers)

    def _is_plain(self, result: ShardRows) -> bool:
        if not len(self):
            self._targets = len(result.by_target)
        return result.rows is None and len(result.by_target) == self._targets

    def _made(self, at: int, form: ScoreForm, place: Place) -> ShardRows:
        width = 3 * self._targets
        numbers = iter(self._by_target[at * width : (at + 1) * width])
        source_rows = self._source_rows[at]
        return ShardRows(
            self._corpus_rows[at],
            list(zip(numbers, numbers, numbers, strict=True)),
            form,
            place,
            source_rows=None if source_rows == _UNKNOWN else source_rows,
        )
