"""A file of CSV with one more row behind its last, which tells that it was read to its end."""

from __future__ import annotations

import atexit
import codecs
import time
import weakref

import pyarrow as pa

from dsir.corpus.decompressed import Decompressed

# One more row behind the last. It is not found if a quoted value before it is never closed: the
# reader of pyarrow takes the rest of the file for that value.
_END = b"dsir: end of file"
_LONGEST_WAIT = 0.5  # Seconds at the end of the process.
_read_by_pyarrow: weakref.WeakSet[EndedFile] = weakref.WeakSet()


class NotUtf8Error(Exception):
    """A file is not UTF-8."""


class EndedFile:
    """A file, and more bytes behind its end; `pa.PythonFile` makes it an Arrow file.

    Args:
        file: the file; a byte order mark of UTF-8 is left out.
        end: the bytes to put behind its end.
        check: whether to raise NotUtf8Error when the file is not UTF-8.
    """

    def __init__(self, file: Decompressed, end: bytes, *, check: bool) -> None:
        self._file = file
        self._end = end
        self._begun = False
        self._decoder = codecs.getincrementaldecoder("utf-8")() if check else None
        _read_by_pyarrow.add(self)

    def __enter__(self) -> EndedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether the file is closed; pyarrow asks."""
        return self._file.closed

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def readable(self) -> bool:
        """Tell pyarrow that it can read."""
        return True

    def seekable(self) -> bool:
        """Tell pyarrow that it cannot go back."""
        return False

    def read(self, size: int = -1, /) -> bytes:
        """Return `size` bytes, fewer at the end alone.

        Raises:
            NotUtf8Error: see `check`.
        """
        # Full reads: pyarrow takes each for a block, and a block has to end a row at least.
        pieces: list[bytes] = []
        left = size
        while left > 0 and (piece := self._file.read(left)):
            left -= len(piece)
            pieces.append(piece)
        if not self._begun and pieces:
            self._begun = True
            pieces[0] = pieces[0].removeprefix(codecs.BOM_UTF8)
        pieces.append(self._end[:left])
        self._end = self._end[left:] if left > 0 else self._end
        data = b"".join(pieces)
        if self._decoder is not None:
            try:
                self._decoder.decode(data)
            except UnicodeDecodeError:
                raise NotUtf8Error from None
        return data


def end_of(names: list[str], delimiter: str) -> bytes:
    """Return the row that is put behind a file with these columns."""
    return b"\n" + _END + delimiter.encode() * (len(names) - 1) + b"\n"


def is_end(batch: pa.RecordBatch) -> bool:
    """Tell whether the last row of a batch is the one that was put behind the file."""
    value = batch.column(0)[len(batch) - 1].as_buffer()
    return value is not None and value.to_pybytes() == _END


@atexit.register
def wait_for_readers() -> None:
    """Wait until no thread of pyarrow reads from a file that is closed.

    A reader of pyarrow reads ahead in a thread of its own, which goes on for a moment after the
    reader is gone, and holds the file as long. A thread that asks for the interpreter when that
    is ending would abort the process.
    """
    end = time.monotonic() + _LONGEST_WAIT
    while any(file.closed for file in list(_read_by_pyarrow)) and time.monotonic() < end:
        time.sleep(0.001)  # Lets go of the interpreter.
