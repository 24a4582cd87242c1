"""Texts put aside while they are counted, to be scored without being decoded again.

Where a model is fitted on all rows, every text is read twice. Decompressing gzip or bzip2 costs
more than either counting or scoring, so texts that were decoded once are written as they lie in
memory, to a file that goes with the run. What is read from there is what was written; whatever was
not put aside is decoded again. So are Parquet and other JSON Lines: decoding them takes no longer
than writing and reading such a file.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from dsir.corpus import BadRow, Shard, TextBatch
from dsir.corpus.jsonl import JsonLinesShard

_SLOW = ("gzip", "bz2")  # To decompress, beside writing and reading.
_MOST_BYTES = 8 << 30
_TEXT_PER_BYTE = 3  # Of a compressed file, about.
_NGRAMS_PER_BYTE = 0.5  # Of text, about.


@dataclass(slots=True)
class SpooledText:
    """The texts of a shard in a file.

    Attributes:
        path: Arrow IPC stream of one column, a record batch a batch.
        marks: of each batch what is not in the file: first row, bad rows, blank lines.
    """

    path: Path
    marks: list[tuple[int, tuple[BadRow, ...], int]] = field(default_factory=list)

    def batches(self) -> Iterator[TextBatch]:
        """Read the batches again, in order."""
        if not self.marks:
            return
        # Not memory-mapped: mapped pages count as this process's memory.
        with pa.OSFile(str(self.path)) as file, pa.ipc.open_stream(file) as stream:
            for (first_row, bad, blank_lines), batch in zip(self.marks, stream, strict=True):
                yield TextBatch(first_row, batch.column(0), bad, blank_lines)


class TextSpool:
    """Writes the texts of a shard; a context manager.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._text = SpooledText(path)
        self._file = pa.OSFile(str(path), "wb")
        self._schema = pa.schema([])
        self._stream: Any = None
        self._given_up = False

    def add(self, batch: TextBatch) -> None:
        """Put a batch aside."""
        kind = batch.text.type
        if self._given_up or (self._stream is not None and self._schema.types != [kind]):
            self._given_up = True
            return
        try:
            if self._stream is None:
                self._schema = pa.schema([pa.field("text", kind)])
                self._stream = pa.ipc.new_stream(self._file, self._schema)
            self._stream.write_batch(pa.RecordBatch.from_arrays([batch.text], schema=self._schema))
        except OSError:  # A full disk: the texts are decoded again.
            self._given_up = True
            return
        self._text.marks.append((batch.first_row, batch.bad, batch.blank_lines))

    def give_up(self) -> None:
        """Say that not all of the shard is put aside."""
        self._given_up = True

    def finished(self) -> SpooledText | None:
        """Return what was written, where that is all there is."""
        return None if self._given_up else self._text

    def __enter__(self) -> TextSpool:
        return self

    def __exit__(self, *_: object) -> None:
        for closing in (self._stream, self._file):
            try:
                if closing is not None:
                    closing.close()
            except OSError:  # The end of what could not be written whole.
                self._given_up = True


def plan_spool(shards: Sequence[Shard], limit: int, folder: Path) -> tuple[Path | None, ...]:
    """Say of which shards the texts are put aside, and where.

    Of those that take long to decode and are likely to be counted whole, where all of them take
    little enough of the disk:
    the budget of a fit ("auto") is some 3 GB of text for 10,000 buckets.

    Args:
        shards: of the corpus.
        limit: n-grams after which the count of a shard stops; -1 for none.
        folder: for the files; it exists.
    """
    likely = [shard.size * _TEXT_PER_BYTE for shard in shards]
    room = min(shutil.disk_usage(folder).free // 4, _MOST_BYTES)
    if sum(likely) > room:
        return (None,) * len(shards)
    return tuple(
        folder / f"{number:05d}.texts"
        if _is_slow(shard) and likely_whole(shard.size, limit)
        else None
        for number, shard in enumerate(shards)
    )


def likely_whole(size: int, limit: int) -> bool:
    """Tell whether a file of so many bytes is likely to have no more n-grams than the limit.

    Args:
        size: of the file, compressed or not.
        limit: n-grams; -1 for none.
    """
    return limit < 0 or size * _TEXT_PER_BYTE * _NGRAMS_PER_BYTE <= limit


def _is_slow(shard: Shard) -> bool:
    return isinstance(shard, JsonLinesShard) and shard.compression in _SLOW
