"""Results of stages by unit, held as columns.

A corpus of 44 TB has 700,000 units, and what a stage tells of each is an object of 400 to 800
bytes. Nearly all of these objects differ in a few whole numbers only, which are held in columns
here; an object is made when somebody asks for it. The few results that have more to tell, such as
rows that could not be read, are held as they are.
"""

from __future__ import annotations

import abc
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar, overload

from dsir.stages.kept.named import KeptFiles
from dsir.stages.score_table import ScoreForm
from dsir.storage.place import Place

_NO_NUMBER = -1  # Of a result that is held as it is.


class UnitResult(Protocol):
    """What the results of a unit have in common."""

    form: ScoreForm
    place: Place | None
    kept: Path | None


Result = TypeVar("Result", bound=UnitResult)


class UnitResults(Sequence[Result], abc.ABC, Generic[Result]):
    """The results of the units of a corpus, in order.

    To change a result, put another one in its place: `results[7] = replace(results[7], ...)`. A
    result that was taken out is a copy.

    Args:
        results: the results.
    """

    def __init__(self, results: Iterable[Result] = ()) -> None:
        self._numbers = array("q")  # In the name of the place.
        self._as_is: dict[int, Result] = {}
        self._form: ScoreForm | None = None
        self._place: Place | None = None  # Of some unit; all others are beside it.
        self._kept = KeptFiles()
        for result in results:
            self.append(result)

    @abc.abstractmethod
    def _add(self, result: Result) -> None:
        """Add the numbers of a result to the columns."""

    @abc.abstractmethod
    def _is_plain(self, result: Result) -> bool:
        """Tell whether `_made` can make this result again."""

    @abc.abstractmethod
    def _made(self, at: int, form: ScoreForm, place: Place) -> Result:
        """Make a result from the columns."""

    def append(self, result: Result) -> None:
        """Add the result of the next unit."""
        number = self._number_of(result)
        if number == _NO_NUMBER:
            self._as_is[len(self)] = result
        elif result.kept is not None:
            self._kept.set(number, result.kept)
        self._numbers.append(number)
        self._add(result)

    def _number_of(self, result: Result) -> int:
        """Return the number of a result that can be held in columns; -1 for others."""
        place = result.place
        if not self._is_plain(result) or place is None or not place.name.isdecimal():
            return _NO_NUMBER
        number = int(place.name)
        if self._place is None:
            self._place, self._form = place, result.form
        same = self._form == result.form and self._place.beside(place.name) == place
        return number if same and f"{number:05d}" == place.name else _NO_NUMBER

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> Result: ...
    @overload
    def __getitem__(self, at: slice) -> list[Result]: ...
    def __getitem__(self, at: int | slice) -> Result | list[Result]:
        if isinstance(at, slice):
            return [self._result(one) for one in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        return self._result(at % len(self))

    def __iter__(self) -> Iterator[Result]:
        return map(self._result, range(len(self)))

    def __setitem__(self, at: int, result: Result) -> None:
        """Put a result in place of another."""
        if not 0 <= at < len(self):
            raise IndexError(at)
        self._as_is[at] = result

    def _result(self, at: int) -> Result:
        found = self._as_is.get(at)
        if found is not None:
            return found
        assert self._place is not None
        assert self._form is not None
        number = self._numbers[at]
        result = self._made(at, self._form, self._place.beside(f"{number:05d}"))
        result.kept = self._kept.path(number)
        return result
