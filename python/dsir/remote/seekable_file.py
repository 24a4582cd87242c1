"""Files of which any range can be read: the position, which is the same for all of them."""

from __future__ import annotations

import io


class SeekableFile(io.RawIOBase):
    """A file whose position moves without a request; a subclass reads at the position.

    Attributes:
        size: bytes of the file.
    """

    size: int

    def __init__(self) -> None:
        super().__init__()
        self._at = 0

    def readable(self) -> bool:
        """Return True; pyarrow checks it."""
        return True

    def seekable(self) -> bool:
        """Return True; pyarrow checks it."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a position."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = start + offset
        return self._at
