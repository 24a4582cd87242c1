"""Sentences to rank: the different sentences of 5 to 60 words in the documents of the data."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import corpus

_END = re.compile(r"(?<=[.!?])\s+|\n+")


def unique_sentences(data: Path) -> pa.Array:
    """Return all of them, in the order of the data (about a million)."""
    seen: dict[str, None] = {}
    for path in corpus.shards(data):
        for text in pq.read_table(path, columns=["text"]).column("text").to_pylist():
            for sentence in _END.split(text or ""):
                if 5 <= len(sentence.split()) <= 60:
                    seen.setdefault(sentence)
    return pa.array(list(seen), pa.large_string())


def sample(sentences: pa.Array, count: int, seed: int = 0) -> pa.Array:
    """Draw sentences without replacement, in their order; all if there are no more than `count`."""
    if count >= len(sentences):
        return sentences
    drawn = np.random.default_rng(seed).choice(len(sentences), count, replace=False)
    return sentences.take(pa.array(np.sort(drawn)))
