"""Tasks that are made when they are asked for, so that a million of them take no memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, overload

Task = TypeVar("Task")


class Tasks(Sequence[Task]):
    """A sequence of tasks.

    Args:
        count: how many there are.
        make: makes the task of a number, equal at every call.
    """

    def __init__(self, count: int, make: Callable[[int], Task]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, number: int) -> Task: ...
    @overload
    def __getitem__(self, number: slice) -> list[Task]: ...
    def __getitem__(self, number: int | slice) -> Task | list[Task]:
        if isinstance(number, slice):
            return [self._make(one) for one in range(*number.indices(self._count))]
        if not -self._count <= number < self._count:
            raise IndexError(number)
        return self._make(number % self._count)

    def __iter__(self) -> Iterator[Task]:
        return map(self._make, range(self._count))
