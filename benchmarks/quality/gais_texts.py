"""Labelled texts cut from the documents of the benchmarks' data: which source is a passage from?

On these, with `dslabs/trump_tweets`, the constants of column coverage were chosen; nothing is
reported on them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

_SKIPPED_WORDS = 20  # Titles and headers give the source away.


class Passages(NamedTuple):
    """A set of passages.

    Attributes:
        sources: the classes; the first has twice as many passages as the others.
        words: how long passages are in the mean; from half to one and a half times as long.
        most: most passages of a class.
    """

    sources: tuple[str, ...]
    words: int
    most: int


SETS = {
    "data/manuals": Passages(
        ("html_rust", "html_python3", "linux_rst", "html_postgresql", "man_en"), 30, 900
    ),
    "data/prose": Passages(("imdb", "webtext", "fortunes", "shakespeare"), 16, 1200),
}


def read_passages(data: Path, what: Passages) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Return the passages of a set, and their class codes.

    Args:
        data: the folder with `raw/*.parquet`, which has columns `text` and `source`.
        what: which passages.
    """
    random = np.random.default_rng(0)
    tables = [
        pq.read_table(path, columns=["text", "source"])
        for path in sorted((data / "raw").glob("*.parquet"))
    ]
    texts: list[str] = []
    labels: list[int] = []
    for label, source in enumerate(what.sources):
        own = []
        for table in tables:
            for row in table.to_pylist():
                words = (row["text"] or "").split() if row["source"] == source else []
                if len(words) > 3 * _SKIPPED_WORDS:
                    length = int(random.integers(what.words // 2, what.words * 3 // 2))
                    own.append(" ".join(words[_SKIPPED_WORDS : _SKIPPED_WORDS + length]))
        random.shuffle(own)
        own = own[: what.most * (2 if label == 0 else 1)]
        texts += own
        labels += [label] * len(own)
    order = random.permutation(len(texts))
    return [texts[row] for row in order.tolist()], np.array(labels)[order]


def passage_sets(data: Path) -> dict[str, Callable[[], Any]]:
    """Return functions that read the sets, by name."""
    return {name: partial(read_passages, data, what) for name, what in SETS.items()}
