"""Reading ahead: the next block is decompressed while the last one is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def read_ahead(items: Iterator[T]) -> Iterator[T]:
    """Give the same items, in order; each is made by another thread while the one before is used.

    At most one item waits. What making one raises is raised here, in its place.
    """
    with ThreadPoolExecutor(1, "dsir-read") as pool:
        done = object()
        waiting = pool.submit(next, items, done)
        while (item := waiting.result()) is not done:
            waiting = pool.submit(next, items, done)
            yield item  # type: ignore[misc]
