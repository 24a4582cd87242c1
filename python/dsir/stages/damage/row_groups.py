"""A shard with damaged row groups: what is sound in it is counted and scored all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dsir.corpus import OnError, Shard
from dsir.engine import Progress
from dsir.errors import ShardError, StoreError

Result = TypeVar("Result")


def despite_damage(
    shard: Shard,
    on_error: OnError,
    progress: Progress,
    run: Callable[[Shard, Progress], Result],
) -> Result:
    """Run something over a shard; where a row group cannot be read, again without it.

    The sound rows of a damaged group may have been worked on by then, and a group is lost whole, so
    all of the shard is done again. That costs time only where something is damaged.

    Args:
        shard: the shard.
        on_error: with "raise", nothing is done again.
        progress: told of every byte once.
        run: what to do; its first result is dropped where it ends in a damaged row group.

    Raises:
        InputError: what `run` raises, where that is not for a row group.
    """
    once = _Once(progress)
    try:
        return run(shard, once)
    except StoreError:
        raise
    except ShardError as error:
        if on_error == "raise" or error.row_group is None:
            raise
        readable = shard.without_damage()
        if readable is None:
            raise
    once.again()
    return run(readable, once)


class _Once:
    """Progress that is not told twice of what is done twice."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._told = 0
        self._done = 0

    def __call__(self, amount: int, /) -> None:
        self._done += amount
        more = max(0, self._done - self._told)
        self._told += more
        self._progress(more)

    def again(self) -> None:
        """Begin from the start."""
        self._done = 0
