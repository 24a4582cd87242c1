"""A file in a store, read in ranges; each range is tried again if the connection breaks."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Protocol

from dsir.remote.retries import trying
from dsir.remote.seekable_file import SeekableFile
from dsir.remote.store import ObjectState, OpenObject, RemoteError, Store, TryAgainError

if TYPE_CHECKING:
    from types import TracebackType


class StoredFile(Protocol):
    """The name of a file in a store, such as a `RemotePath`."""

    @property
    def url(self) -> str:
        """The whole URL."""

    @property
    def key(self) -> str:
        """The name of the file in its store."""

    @property
    def store(self) -> Store:
        """The store that the file is in."""


# A request takes tens of milliseconds whatever its length, so small reads share one of this length.
WINDOW_BYTES = 8 << 20
# The end of a Parquet file, which every stage asks for.
_TAIL_BYTES = 256 << 10
_MOST_TAILS = 64


class RemoteFile(SeekableFile):
    """A file in a store that can be read at any position; `pa.PythonFile` makes it an Arrow file.

    A read of at least a window goes to the store as it is. A smaller read is served from the last
    window, or from the end of the file, which stays in memory for the next time that the file is
    opened. A read that fails or returns too few bytes is tried again. If the file has changed in
    the meantime, the read is refused.

    Args:
        path: the file.
        window: the bytes to request if a read asks for less; 0 to request what the read asks for.
        tail: the bytes at the end of the file that are read together and held; 0 for none, and
            None for as many as a footer of Parquet usually has.

    Attributes:
        size: bytes of the file.
        changed: time of its last change, in seconds since 1970; 0 if it is not known.

    Raises:
        FileNotFoundError: there is no such file.
        RemoteError: the file cannot be read.
    """

    def __init__(
        self, path: StoredFile, window: int = WINDOW_BYTES, tail: int | None = None
    ) -> None:
        super().__init__()
        self.path = path
        self._store = path.store
        # Before anything can fail: a file that was not opened is closed too when it is collected.
        self._object: OpenObject | None = None
        self._object = self._store.open(path.key)
        self._state: ObjectState = self._object.state
        self.size = self._state.size
        self.changed = self._state.changed
        self._window = window
        self._tail_from = max(0, self.size - (_TAIL_BYTES if tail is None else tail))
        self._held_from = 0
        self._held = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read `size` bytes, or up to the end of the file if it comes first."""
        left = max(0, self.size - self._at)
        length = left if size is None or size < 0 else min(size, left)
        data = self._range(self._at, length) if length else b""
        self._at += len(data)
        return data

    def readall(self) -> bytes:
        """Read up to the end of the file."""
        return self.read()

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file."""
        if self._object is not None:
            self._object.close()
            self._object = None
        self._held = b""
        super().close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _range(self, start: int, length: int) -> bytes:
        at = start - self._held_from
        if not (at >= 0 and at + length <= len(self._held)):
            if start >= self._tail_from:
                self._held_from = self._tail_from
                self._held = self._tail(self._held_from)
            elif length >= self._window:
                return self._fetch(start, length)
            else:
                self._held = b""  # Free the last window first, so that only one is in memory.
                self._held = self._fetch(start, min(self._window, self.size - start))
                self._held_from = start
            at = start - self._held_from
        return self._held[at : at + length]

    def _tail(self, start: int) -> bytes:
        key = (self.path.url, self._state)
        found = _tails.get(key)
        if found is None:
            found = self._fetch(start, self.size - start)
            if self._state.version:
                _tails.put(key, found)
        return found

    def _fetch(self, start: int, length: int) -> bytes:
        def fetch() -> bytes:
            opened = self._opened()
            try:
                data = opened.read_at(start, length)
            except BaseException:
                self._let_go()
                raise
            if len(data) != length:
                self._let_go()
                raise TryAgainError(
                    f"only {len(data):,} of {length:,} bytes came from {start:,} on"
                )
            return data

        return trying(str(self.path), fetch)

    def _opened(self) -> OpenObject:
        if self._object is None:
            opened = self._store.open(self.path.key)
            if opened.state != self._state:
                raise RemoteError("changed while it was being read")
            self._object = opened
        return self._object

    def _let_go(self) -> None:
        self._object = None


class _Tails:
    """The ends of the last files that were opened, for the next reader of each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[str, ObjectState], bytes] = OrderedDict()

    def get(self, key: tuple[str, ObjectState]) -> bytes | None:
        with self._lock:
            return self._found.get(key)

    def put(self, key: tuple[str, ObjectState], tail: bytes) -> None:
        with self._lock:
            self._found[key] = tail
            if len(self._found) > _MOST_TAILS:
                self._found.popitem(last=False)


_tails = _Tails()
