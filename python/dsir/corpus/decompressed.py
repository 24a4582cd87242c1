"""Opens files of lines for reading, decompressed, by their first bytes rather than their names.

pyarrow decompresses. Python's own modules go on where pyarrow gives up on what other programs read:
zeros behind the end of gzip (tapes and block devices pad so), and empty members of bz2. Frames of
zstd with a window above 128 MB (`zstd --long=31`) need the library zstandard.
"""

from __future__ import annotations

import bz2
import contextlib
import copy
import gzip
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pyarrow as pa

from dsir.corpus.first_bytes import HEAD_BYTES, compression_by, contents_of, head_of
from dsir.errors import ShardError, StoreError
from dsir.formats import Compression
from dsir.remote.reading import open_source
from dsir.remote.remote_file import WINDOW_BYTES
from dsir.remote.store import raise_if_store_failed

if TYPE_CHECKING:
    from types import TracebackType

_SKIP_BYTES = 1 << 20
_COMPRESSED_BYTES = 1 << 16
_FRAME_BYTES = 1 << 12  # Few, since what they decompress to is in memory at once.
_LARGEST_WINDOW = 1 << 31  # Bytes: that of zstd --long=31.
_LARGEST_EMPTY = 1 << 9  # Bytes of a file that holds nothing; gzip has the name of the file.
_WINDOW_TOO_LARGE = "too much memory"


class _Reads(Protocol):
    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end."""


class TextFile(NamedTuple):
    """A kind of text file.

    Attributes:
        title: its name in messages.
        begins: the bytes that such a file begins with, after white space.
    """

    title: str
    begins: bytes


def decompresses_to_nothing(path: str, size: int, name: str, named: Compression | None) -> bool:
    """Tell whether a compressed file has no byte once it is decompressed.

    Args:
        path: the file, or its URL.
        size: its bytes; only a small file is opened.
        name: what messages call the file.
        named: how the file is compressed by its name.

    Returns:
        False also for a file that cannot be read; its reader says what is wrong.

    Raises:
        StoreError: the file's store does not answer.
    """
    if not 0 < size <= _LARGEST_EMPTY:
        return False
    try:
        with Decompressed(path, name, TextFile("text", b""), named) as file:
            return file.compression is not None and not file.read(1)
    except StoreError:
        raise
    except (ShardError, OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise_if_store_failed(error)
        return False


class Decompressed:
    """The bytes of a file of lines, decompressed.

    Args:
        path: the file, or its URL.
        name: what messages call the file.
        kind: what the file should hold.
        named: how the file is compressed by its name.
        window: the window for a file in a store; see `RemoteFile`.
        start: the byte to begin at; above 0 only for a file that is not compressed.

    Raises:
        ShardError: the first bytes are those of another kind of file.
        OSError: the file cannot be opened.
    """

    def __init__(
        self,
        path: str,
        name: str,
        kind: TextFile,
        named: Compression | None,
        window: int = WINDOW_BYTES,
        start: int = 0,
    ) -> None:
        self._path = path
        self._name = name
        self._kind = kind
        self._at = start
        self._other: _Reads | None = None
        self._file = open_source(path, window)
        self.compression: Compression | None = None
        try:
            if start:
                self._file.seek(start)
            else:
                head = head_of(self._file)
                self.compression = compression_by(head, named, kind.begins)
                self._refuse_other(head)
        except BaseException:
            self._file.close()
            raise
        self._stream: Any = self._file
        if self.compression is not None:
            self._stream = pa.CompressedInputStream(self._file, self.compression)

    def __enter__(self) -> Decompressed:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether the file is closed; pyarrow asks."""
        return bool(self._file.closed)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def readinto(self, memory: memoryview) -> int:
        """Read up to as many bytes as `memory` has; return how many, 0 at the end.

        Raises:
            ShardError: what was compressed is another kind of file, or takes a library to read.
            OSError: the file cannot be read or decompressed.
            ArrowException: likewise.
        """
        if self._other is None:
            try:
                count = int(self._stream.readinto(memory))
            except (OSError, pa.ArrowException) as error:
                raise_if_store_failed(error)
                self._go_on_after(error)
            else:
                self._check(memory[:count])
                self._at += count
                return count
        assert self._other is not None
        data = self._other.read(len(memory))
        memory.cast("B")[: len(data)] = data
        self._check(memory[: len(data)])
        self._at += len(data)
        return len(data)

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes; none at the end. Errors are those of `readinto`."""
        memory = bytearray(size)
        return bytes(memory[: self.readinto(memoryview(memory))])

    def _check(self, data: memoryview) -> None:
        """Refuse what was compressed if it is no text."""
        if self._at or self.compression is None:
            return
        found = contents_of(bytes(data[:HEAD_BYTES]))
        if found is not None:
            again = " once more" if found.compression is not None else ""
            raise ShardError(
                f"{self._name}: holds {found.title}{again}, not {self._kind.title}, compressed by "
                f"{self.compression}; decompress it",
                path=self._name,
            )

    def _refuse_other(self, head: bytes) -> None:
        """Refuse a file that is neither text nor compressed."""
        found = contents_of(head)
        if found is not None and found.compression is None:
            raise ShardError(
                f"{self._name}: is {found.title}, not {self._kind.title}; {found.advice}",
                path=self._name,
            )

    def _go_on_after(self, error: Exception) -> None:
        """Have another library read on where pyarrow failed.

        Raises:
            Exception: `error`, if that library cannot read on either.
        """
        left = self._at
        try:
            other = self._open_other(error)
            if other is None:
                raise error
            while left:
                passed = len(other.read(min(left, _SKIP_BYTES)))
                if not passed:
                    raise error
                left -= passed
            self._other = _Checked(other, error)
        except (OSError, EOFError, ValueError, zlib.error):
            raise error from None
        finally:
            # An error that a frame of its own traceback holds keeps all their memory.
            del error

    def _open_other(self, error: Exception) -> _Reads | None:
        """Return what may read what pyarrow cannot; None if nothing can."""
        if self.compression not in ("gzip", "bz2", "zstd"):
            return None
        if self.compression == "zstd" and _WINDOW_TOO_LARGE not in str(error):
            return None
        file = self._reopened()
        if self.compression == "gzip":
            return gzip.GzipFile(fileobj=file, mode="rb")
        if self.compression == "bz2":
            return _Bz2Members(file)
        try:
            import zstandard  # noqa: F401
        except ImportError:
            raise ShardError(
                f"{self._name}: was compressed by zstd with a window above 128 MB, as with "
                "--long=31; reading it takes the library zstandard (pip install zstandard), or "
                "write it again: zstd -d --long=31 -c FILE | zstd -o NEW.zst",
                path=self._name,
            ) from error
        return _LargeWindows(file)

    def _reopened(self) -> pa.NativeFile:
        with contextlib.suppress(OSError, pa.ArrowException):
            self._file.close()
        self._file = open_source(self._path)
        return self._file


class _LargeWindows:
    """Decompresses zstd with windows of up to 2 GB, which take as much memory."""

    def __init__(self, file: pa.NativeFile) -> None:
        import zstandard

        self._failure = zstandard.ZstdError
        self._file = file
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
        self._frame: Any = None  # Between frames.
        self._held = b""  # Compressed bytes that no frame has taken.
        self._ready = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        # Not `stream_reader` of zstandard: it takes a frame that is cut off for a whole one.
        while not self._ready:
            if not self._held:
                self._held = self._file.read(_FRAME_BYTES)
                if not self._held:
                    if self._frame is not None:
                        raise EOFError("the last frame is cut off")
                    return b""
            if self._frame is None:
                self._frame = self._decompressor.decompressobj()
            try:
                self._ready = memoryview(self._frame.decompress(self._held))
            except self._failure as error:
                raise OSError(str(error)) from error
            self._held = b""
            if self._frame.eof:
                self._held, self._frame = self._frame.unused_data, None
        data, self._ready = self._ready[:size], self._ready[size:]
        return bytes(data)


class _Checked:
    """Reads on in the other library; its errors are the one that pyarrow raised."""

    def __init__(self, other: _Reads, error: Exception) -> None:
        self._other = other
        # Without its traceback, whose frames hold this object.
        self._error = error.with_traceback(None)

    def read(self, size: int, /) -> bytes:
        try:
            return self._other.read(size)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise_if_store_failed(error)
            raise copy.copy(self._error) from None


class _Bz2Members:
    """Decompresses bz2 member by member, each of which may be empty; zeros may follow the last."""

    def __init__(self, file: pa.NativeFile) -> None:
        self._file = file
        self._member = bz2.BZ2Decompressor()
        self._held = b""  # Compressed bytes that no member has taken.

    def read(self, size: int, /) -> bytes:
        while True:
            if self._member.eof:
                self._held = self._member.unused_data or self._held
                if not self._held.strip(b"\0"):
                    self._held = self._file.read(_COMPRESSED_BYTES)
                    if not self._held:
                        return b""
                    if not self._held.strip(b"\0"):
                        continue
                self._member = bz2.BZ2Decompressor()
            if self._member.needs_input and not self._held:
                self._held = self._file.read(_COMPRESSED_BYTES)
                if not self._held:
                    raise EOFError("the last member is cut off")
            taken, self._held = self._held, b""
            data = self._member.decompress(taken, size)
            if data:
                return data
