"""Reads ahead: decompresses the next block while the current one is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from dsir.thread_pool import ThreadPool

T = TypeVar("T")


def read_ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the same items in order; another thread makes the next one while this one is used.

    At most one item waits. If making an item raises, the error is raised here in its place.
    """
    with ThreadPool(1, "dsir-read") as pool:
        done = object()
        waiting = pool.submit(next, items, done)
        while (item := waiting.result()) is not done:
            waiting = pool.submit(next, items, done)
            yield item  # type: ignore[misc]
