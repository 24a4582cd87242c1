"""How far through a shard a task is, in bytes of the shard's size."""

from __future__ import annotations

from dsir.corpus import Shard, TextBatch
from dsir.engine import Progress


class ShardProgress:
    """Turns batches into progress.

    Where the number of rows is known beforehand a row is its share of the shard's size; else a
    byte of text counts as a byte of the file, which compressed files exceed: they wait at the end.

    Args:
        shard: what is read.
        progress: told of the bytes.
    """

    def __init__(self, shard: Shard, progress: Progress) -> None:
        self._size = shard.size
        self._rows = shard.documents.rows_in_metadata()
        self._progress = progress
        self._told = 0
        self._text_bytes = 0

    def to(self, batch: TextBatch) -> None:
        """Say that the batch is done."""
        self._text_bytes += batch.text.nbytes
        if self._rows:
            read = batch.unit_row + len(batch.text)
            if batch.origin is not None:
                read = int(batch.origin.row[-1]) if len(batch.origin.row) else 0
            done = self._size * read // self._rows
        else:
            done = self._text_bytes
        done = min(done, self._size)
        self._progress(max(0, done - self._told))
        self._told = max(done, self._told)

    def arrive(self) -> None:
        """Say that the shard is done."""
        self._progress(self._size - self._told)
        self._told = self._size
