"""Counts and scores a shard with damaged row groups by leaving the damaged ones out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dsir.corpus import OnError, Shard
from dsir.corpus.skipped import Skipped, skipped_shard
from dsir.engine import Progress
from dsir.errors import ShardError, StoreError, TextColumnError

Result = TypeVar("Result")


def despite_damage(
    shard: Shard,
    on_error: OnError,
    progress: Progress,
    run: Callable[[Shard, Progress], Result],
) -> Result:
    """Run a function over a shard, and again without damaged row groups if it meets one.

    A damaged row group is lost whole, but `run` may already have worked on some of its rows. So the
    whole shard is done again. That costs time only if something is damaged.

    Args:
        shard: the shard.
        on_error: with "raise", the first error is raised and nothing runs again.
        progress: called for every byte once, even if the shard is read twice.
        run: the function; its first result is dropped if it meets a damaged row group.

    Raises:
        InputError: `run` failed, and not because of a damaged row group.
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


def or_skipped(
    shard: Shard,
    on_error: OnError,
    progress: Progress,
    run: Callable[[Shard, Progress], Result],
    skipped: Callable[[Skipped], Result],
) -> Result:
    """Run a function as `despite_damage` does; a shard that cannot be read at all is skipped.

    Args:
        shard: the shard.
        on_error: with "raise", nothing is skipped.
        progress: called for every byte once, even if the shard is read twice.
        run: the function.
        skipped: makes the result for a shard that cannot be read, of the entry that says why.

    Raises:
        InputError: the shard cannot be read, and must not be skipped, or it has changed.
    """
    try:
        return despite_damage(shard, on_error, progress, run)
    except StoreError:
        raise
    except (ShardError, TextColumnError) as error:
        if on_error == "raise":
            raise
        # A file that somebody writes to is not bad data: the run ends.
        shard.check_unchanged()
        return skipped(skipped_shard(error, shard.name))


def passing_over(
    shard: Shard,
    on_error: OnError,
    progress: Progress,
    run: Callable[[Shard, Progress], Result],
    nothing: Result,
) -> Result:
    """Run a function over a shard that was counted before, and may have been passed over then.

    What could not be read was reported as it was counted, so it is passed over in silence.

    Args:
        shard: the shard.
        on_error: with "raise", nothing is passed over.
        progress: called for every byte once, even if the shard is read twice.
        run: the function.
        nothing: its result for a shard that cannot be read.

    Raises:
        InputError: the shard cannot be read, and must not be passed over, or it has changed.
    """
    return or_skipped(shard, on_error, progress, run, lambda _: nothing)


class _Once:
    """Reports progress once for work that is done twice."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._reported = 0
        self._done = 0

    def __call__(self, amount: int, /) -> None:
        self._done += amount
        more = max(0, self._done - self._reported)
        self._reported += more
        self._progress(more)

    def again(self) -> None:
        """Note that the work begins again from the start."""
        self._done = 0
