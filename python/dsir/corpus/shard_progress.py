"""Reports how far a task is through a shard, in bytes of the shard's size."""

from __future__ import annotations

from dsir.corpus import Shard, TextBatch
from dsir.corpus.batches import text_bytes
from dsir.engine import Progress


class ShardProgress:
    """Turns finished batches into progress.

    If the number of rows is known beforehand, every row counts an equal share of the shard's size.
    Otherwise a byte of text counts as a byte of the file. The texts of a compressed file have more
    bytes than the file, so its progress reaches 100 % early and waits there.

    Args:
        shard: the shard that is read.
        progress: called with the bytes that each batch adds.
    """

    def __init__(self, shard: Shard, progress: Progress) -> None:
        self._size = shard.size
        self._rows = shard.documents.rows_in_metadata()
        self._progress = progress
        self._reported = 0
        self._text_bytes = 0

    def to(self, batch: TextBatch) -> None:
        """Report that a batch is done."""
        self._text_bytes += text_bytes(batch.text)
        if self._rows:
            read = batch.unit_row + len(batch.text)
            if batch.origin is not None:
                read = int(batch.origin.row[-1]) if len(batch.origin.row) else 0
            done = self._size * read // self._rows
        else:
            done = self._text_bytes
        done = min(done, self._size)
        self._progress(max(0, done - self._reported))
        self._reported = max(done, self._reported)

    def arrive(self) -> None:
        """Report that the shard is done."""
        self._progress(self._size - self._reported)
        self._reported = self._size
