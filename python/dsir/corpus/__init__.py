"""Corpora: whatever a user names as input, as shards that are read in batches of bounded size."""

from __future__ import annotations

from dsir.corpus.listing import LeftOut
from dsir.corpus.names_or_texts import Paths, Texts, files, texts
from dsir.corpus.resolve import Corpus, resolve
from dsir.corpus.shard import OnError, Shard
from dsir.corpus.shard_rows import BadRow, ChunkOrigin, TakenRows, TextBatch

__all__ = [
    "BadRow",
    "ChunkOrigin",
    "Corpus",
    "LeftOut",
    "OnError",
    "Paths",
    "Shard",
    "TakenRows",
    "TextBatch",
    "Texts",
    "files",
    "resolve",
    "texts",
]
