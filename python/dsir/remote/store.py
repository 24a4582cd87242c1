"""The contract of a store: the few things that dsir asks of an object store or a web server."""

from __future__ import annotations

import abc
from pathlib import Path
from typing import NamedTuple

from dsir.errors import StoreError

WEB = ("http", "https")  # Protocols of web servers, which cannot list or write files.


class ObjectState(NamedTuple):
    """What tells a file in a store from a later file of the same name.

    Attributes:
        size: bytes of the file.
        version: its etag, generation or time of the last change, whichever the store has.
        changed: time of the last change, in seconds since 1970; 0 if it is not known.
    """

    size: int
    version: str
    changed: float = 0.0


class RemoteError(OSError):
    """A store does not answer, refuses, or sends something other than was asked for.

    Attributes:
        url: the URL of the file; the message has only the reason.
    """

    url: str = ""


class TryAgainError(RemoteError):
    """The same call may well succeed in a moment."""


class StoreFailedError(RemoteError):
    """The store refused, or failed in all attempts."""


def raise_if_store_failed(error: BaseException) -> None:
    """Raise StoreError if an error comes from a store that failed.

    The files of a store that is down must not be skipped as unreadable.

    Args:
        error: the error that a reader got; the store's own error may be its cause.
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
    """A file in a store, opened for reading at any position."""

    state: ObjectState

    @abc.abstractmethod
    def read_at(self, start: int, length: int) -> bytes:
        """Read a range within the file, with one request; fewer bytes may come back."""

    @abc.abstractmethod
    def close(self) -> None:
        """Close the file."""


class Store(abc.ABC):
    """An object store or web server. A key is the part of a URL after "://". Thread-safe.

    If a call fails, the methods try again if that may help, and then raise `RemoteError`. They
    raise `FileNotFoundError` if there is no file of that key.

    Attributes:
        protocol: the protocol of its URLs.
        lists: whether it can list the files in a folder.
        writes: whether files can be written.
    """

    protocol: str
    lists = True
    writes = True

    @abc.abstractmethod
    def state(self, key: str) -> ObjectState | None:
        """Return the state of a file; None if there is no such file."""

    @abc.abstractmethod
    def open(self, key: str) -> OpenObject:
        """Open a file."""

    @abc.abstractmethod
    def files(self, key: str) -> list[str]:
        """Return the keys of all files below a folder, in any order; none if it is empty."""

    @abc.abstractmethod
    def names(self, key: str) -> list[str]:
        """Return the names of the files and folders in a folder; none if it does not exist."""

    @abc.abstractmethod
    def upload(self, local: Path, key: str) -> None:
        """Upload a file of this machine; it appears whole, or not at all."""

    @abc.abstractmethod
    def delete(self, key: str) -> None:
        """Delete a file."""

    def refuse_missing_bucket(self, key: str) -> None:
        """Raise RemoteError if not only the file of a key is missing, but also its bucket."""
        del key

    def create(self, local: Path, key: str) -> bool | None:
        """Upload a file unless there is one of that key, in one step.

        Returns:
            True if the file was uploaded, False if there is one, and None if the store cannot do
            this in one step; then nothing is done.
        """
        del local, key
        return None
