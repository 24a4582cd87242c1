"""Lines put aside while they are counted, to be scored without being decompressed again.

Where a model is fitted on all rows, every text is read twice. Decompressing gzip or bzip2 costs
more than either counting or scoring, so lines that were decompressed once are written to a file
that goes with the run: JSON Lines, and read as such. Whatever was not put aside is decompressed
again. So are other files: that takes no longer than writing and reading such a file.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from dsir.corpus import Shard, TextBatch

_MOST_BYTES = 8 << 30
_TEXT_PER_BYTE = 3  # Of a compressed file, about.
_NGRAMS_PER_BYTE = 0.5  # Of text, about.


class LineSpool:
    """Writes the lines of a shard; a context manager.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = pa.OSFile(str(path), "wb")
        self._written = False
        self._given_up = False

    def add(self, batch: TextBatch) -> None:
        """Put a batch aside."""
        if self._given_up:
            return
        assert batch.lines is not None, "only lines are put aside"
        try:
            self._file.write(batch.lines.data)
            self._written = True
        except OSError:  # A full disk: the file is decompressed again.
            self._given_up = True

    def give_up(self) -> None:
        """Say that not all of the shard is put aside."""
        self._given_up = True

    def finished(self) -> Path | None:
        """Return the file, where that is all there is; else None, and the file is removed."""
        if self._written and not self._given_up:
            return self._path
        self._path.unlink(missing_ok=True)
        return None

    def __enter__(self) -> LineSpool:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._file.close()
        except OSError:  # The end of what could not be written whole.
            self._given_up = True


def plan_spool(shards: Sequence[Shard], limit: int, folder: Path) -> tuple[Path | None, ...]:
    """Say of which shards the lines are put aside, and where.

    Of those that take long to decompress and are likely to be counted whole, where all of them take
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
        folder / f"{number:05d}.lines"
        if shard.worth_spooling and likely_whole(shard.size, limit)
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
