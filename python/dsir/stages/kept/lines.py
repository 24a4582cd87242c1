"""Stores lines while they are counted, so that scoring need not decompress them again.

If a model is fitted on all rows, every text is read twice. Decompressing gzip or bzip2 costs more
than counting or scoring. So decompressed lines are written to a plain JSON Lines file, which is
removed with the run, and scoring reads that file. Lines that were not stored are decompressed
again. Files in other formats are always read again, which takes no longer than storing them would.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from dsir.corpus import Shard, TextBatch

_MOST_BYTES = 8 << 30
_TEXT_PER_BYTE = 3  # Bytes of text in one byte of a compressed file, roughly.
_NGRAMS_PER_BYTE = 0.5  # N-grams in one byte of text, roughly.


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
        """Write the lines of a batch."""
        if self._given_up:
            return
        assert batch.lines is not None, "a spool stores lines"
        try:
            self._file.write(batch.lines.data)
            self._written = True
        except OSError:  # A full disk: the file is decompressed again.
            self._given_up = True

    def give_up(self) -> None:
        """Note that the file will not hold all lines of the shard."""
        self._given_up = True

    def finished(self) -> Path | None:
        """Return the file if it holds all lines of the shard; otherwise remove it, return None."""
        if self._written and not self._given_up:
            return self._path
        self._path.unlink(missing_ok=True)
        return None

    def __enter__(self) -> LineSpool:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._file.close()
        except OSError:  # A full disk: the last lines are missing.
            self._given_up = True


def plan_spool(shards: Sequence[Shard], limit: int, folder: Path) -> tuple[Path | None, ...]:
    """Return for each shard the file to store its lines in, or None.

    Lines are stored if they take long to decompress, the shard is likely to be counted whole, and
    all shards together take little enough of the disk. (The budget of a fit, "auto", is some 3 GB
    of text for 10,000 buckets.)

    Args:
        shards: the shards of the corpus.
        limit: n-grams after which the count of a shard stops; -1 for no limit.
        folder: where the files go; it exists.
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
    """Tell whether a file is likely to have no more n-grams than the limit.

    Args:
        size: bytes of the file, compressed or not.
        limit: n-grams; -1 for no limit.
    """
    return limit < 0 or size * _TEXT_PER_BYTE * _NGRAMS_PER_BYTE <= limit
