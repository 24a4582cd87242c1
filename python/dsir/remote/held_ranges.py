"""Ranges of a file in a store, fetched together and read several times."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence

from dsir.remote.remote_file import RemoteFile
from dsir.remote.seekable_file import SeekableFile

# Ranges this near to each other come in one request, and no request is longer: the figures with
# which pyarrow itself puts ranges together.
_HOLE_BYTES = 8 << 10
_MOST_BYTES = 32 << 20


class HeldRanges(SeekableFile):
    """A file in a store of which some ranges are in memory; `pa.PythonFile` makes it an Arrow file.

    A read inside one of these ranges makes no request, and no copy where pyarrow reads. Any other
    read goes to the store.

    Args:
        file: the file.
    """

    def __init__(self, file: RemoteFile) -> None:
        super().__init__()
        self._file = file
        self.size = file.size
        self._starts: list[int] = []
        self._contents: list[bytes] = []

    def hold(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Fetch ranges, each an offset and a number of bytes, in place of those held before.

        Raises:
            OSError: they cannot be read.
        """
        # Free the last ranges first, so that only these are in memory.
        self._starts, self._contents = [], []
        starts, contents = [], []
        for start, stop in _joined(ranges):
            self._file.seek(start)
            starts.append(start)
            contents.append(self._file.read(stop - start))
        self._starts, self._contents = starts, contents

    def read_at(self, offset: int, count: int) -> memoryview:
        """Return up to `count` bytes from `offset` on."""
        place = bisect.bisect_right(self._starts, offset) - 1
        if place >= 0:
            content, at = self._contents[place], offset - self._starts[place]
            if at + count <= len(content):
                return memoryview(content)[at : at + count]
        self._file.seek(offset)
        return memoryview(self._file.read(count))

    def read_buffer(self, size: int) -> memoryview:
        """Read `size` bytes without a copy; pyarrow prefers it to `read`."""
        data = self.read_at(self._at, min(size, max(0, self.size - self._at)))
        self._at += len(data)
        return data

    def read(self, size: int | None = -1, /) -> bytes:
        """Read `size` bytes, or up to the end of the file if it comes first."""
        return bytes(self.read_buffer(self.size if size is None or size < 0 else size))

    def close(self) -> None:
        """Close the file, and free what is held."""
        self._starts, self._contents = [], []
        self._file.close()
        super().close()


def _joined(ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join near ranges; yield where each begins and ends."""
    begin = end = -1
    for start, count in sorted(ranges):
        stop = start + count
        if begin >= 0 and start - end <= _HOLE_BYTES and stop - begin <= _MOST_BYTES:
            end = max(end, stop)
            continue
        if begin >= 0:
            yield begin, end
        begin, end = start, stop
    if begin >= 0:
        yield begin, end
