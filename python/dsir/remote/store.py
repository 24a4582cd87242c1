"""What a store is: the few things that dsir asks of an object store or a web server."""

from __future__ import annotations

import abc
from pathlib import Path
from typing import NamedTuple

from dsir.errors import StoreError

WEB = ("http", "https")  # Protocols of web servers: files can be read there, not listed or written.


class ObjectState(NamedTuple):
    """What tells a file of a store from another, or from a later one of the same name.

    Attributes:
        size: bytes.
        version: its etag, generation or time of the last change, whichever the store has.
        changed: time of the last change, seconds since 1970; 0 where that is not known.
    """

    size: int
    version: str
    changed: float = 0.0


class RemoteError(OSError):
    """A store does not answer, refuses, or sends something else than was asked for.

    Attributes:
        url: of the file; the message gives the reason alone.
    """

    url: str = ""


class TryAgainError(RemoteError):
    """The same call may well succeed in a moment."""


class StoreFailedError(RemoteError):
    """The store failed, or refused, for good: after all attempts where there is use in several."""


def raise_if_store_failed(error: BaseException) -> None:
    """Raise StoreError where what went wrong is that a store failed.

    A store that is down must not make its files ones that are passed over as unreadable.

    Args:
        error: what a reader came upon; the store's own error may be behind it.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, StoreError):
            raise cause
        if isinstance(cause, StoreFailedError):
            message = f"{cause.url}: cannot be read: {cause}"
            raise StoreError(message, path=cause.url) from error
        cause = cause.__cause__


class OpenObject(abc.ABC):
    """A file of a store, opened for reading at any position."""

    state: ObjectState

    @abc.abstractmethod
    def read_at(self, start: int, length: int) -> bytes:
        """Read bytes that are in the file; what comes back may be short. One request."""

    @abc.abstractmethod
    def close(self) -> None:
        """Give up what is held."""


class Store(abc.ABC):
    """A store. Keys are what stands behind "://" in the URL. Thread-safe.

    The methods raise `RemoteError` for what goes wrong, after they have tried again where that is
    of use, and `FileNotFoundError` where a key is not there.

    Attributes:
        protocol: of its URLs.
        lists: whether it can say what is in a folder.
        writes: whether files can be written.
    """

    protocol: str
    lists = True
    writes = True

    @abc.abstractmethod
    def state(self, key: str) -> ObjectState | None:
        """Return the state of a file; None where there is none."""

    @abc.abstractmethod
    def open(self, key: str) -> OpenObject:
        """Open a file."""

    @abc.abstractmethod
    def files(self, key: str) -> list[str]:
        """Return the keys of all files below a folder, in no order; none where it is empty."""

    @abc.abstractmethod
    def names(self, key: str) -> list[str]:
        """Return the names of the files and folders in a folder; none where it does not exist."""

    @abc.abstractmethod
    def upload(self, local: Path, key: str) -> None:
        """Put a file there, whole or not at all."""

    @abc.abstractmethod
    def delete(self, key: str) -> None:
        """Remove a file."""

    def refuse_missing_bucket(self, key: str) -> None:
        """Raise RemoteError where not only the file is missing, but all that it could be in."""
        del key

    def create(self, local: Path, key: str) -> bool | None:
        """Put a file there unless there is one; False where there is.

        None where the store cannot do that in one step; nothing is done then.
        """
        del local, key
        return None
