"""Corpora: whatever a user names as input, as shards that are read in batches of bounded size."""

from __future__ import annotations

from dsir.corpus.resolve import Corpus, Paths, resolve
from dsir.corpus.shard import BadRow, ChunkOrigin, OnError, Shard, TakenRows, TextBatch

__all__ = [
    "BadRow",
    "ChunkOrigin",
    "Corpus",
    "OnError",
    "Paths",
    "Shard",
    "TakenRows",
    "TextBatch",
    "resolve",
]
