"""Corpora: anything a user may point dsir at, as shards that are read in bounded batches."""

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
