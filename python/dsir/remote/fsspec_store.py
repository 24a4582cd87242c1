"""All other stores, through fsspec: Hugging Face, web servers, memory, and registered ones."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path
from typing import Any

from dsir.errors import SettingError
from dsir.remote.retries import trying
from dsir.remote.store import WEB, ObjectState, OpenObject, RemoteError, Store

_CONNECT_SECONDS = 10
_READ_SECONDS = 60
# What stores call the value that changes with a file's content, the strictest first.
_VERSIONS = (
    *("ETag", "etag", "generation", "blob_id", "xet_hash", "sha256", "checksum", "version_id"),
    *("Last-Modified", "LastModified", "last_modified", "mtime", "updated", "created"),
)


class FsspecStore(Store):
    """A store behind a file system of fsspec.

    Args:
        protocol: the protocol of its URLs.

    Raises:
        SettingError: fsspec, or a package that it needs for the protocol, is not installed.
    """

    def __init__(self, protocol: str) -> None:
        self.protocol = protocol
        self._web = protocol in WEB
        self._filesystem = _filesystem(protocol)
        self.lists = self.writes = not self._web
        self._looks_first = _looks_first(self._filesystem)

    def state(self, key: str) -> ObjectState | None:
        """Return the state of a file; see `Store.state`."""
        try:
            return trying(self._url(key), lambda: self._state(key))
        except FileNotFoundError:
            return None

    def open(self, key: str) -> OpenObject:
        """Open a file, with one request for its size and version."""
        state = trying(self._url(key), lambda: self._state(key))
        return _FsspecObject(self, key, state)

    def read(self, key: str, start: int, length: int) -> bytes:
        """Read a range, with one request."""
        # File systems that are not async open a file for it, which by default reads ahead.
        how = {} if self._filesystem.async_impl else {"cache_type": "none"}
        path = self._path(key)
        data: bytes = self._filesystem.cat_file(path, start=start, end=start + length, **how)
        if len(data) > length:
            raise RemoteError(
                "the server sends only whole files, not ranges; copy the file to this machine"
            )
        return data

    def files(self, key: str) -> list[str]:
        """Return the keys of all files below a folder."""

        def find() -> list[str]:
            self._filesystem.invalidate_cache()
            return [self._key(path) for path in self._filesystem.find(self._path(key))]

        try:
            return trying(self._url(key), find)
        except FileNotFoundError:
            return []

    def names(self, key: str) -> list[str]:
        """Return the names in a folder."""

        def look() -> list[str]:
            self._filesystem.invalidate_cache()
            found = self._filesystem.ls(self._path(key), detail=True)
            own = self._key(self._path(key)).strip("/")
            keys = [self._key(entry["name"]).strip("/") for entry in found]
            return [name.rpartition("/")[2] for name in keys if name != own]

        try:
            return trying(self._url(key), look)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def upload(self, local: Path, key: str) -> None:
        """Upload a file; see `Store.upload`."""
        path = self._path(key)

        def put() -> None:
            with contextlib.suppress(NotImplementedError):
                self._filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._filesystem.put_file(str(local), path)

        trying(self._url(key), put)

    def create(self, local: Path, key: str) -> bool | None:
        """Upload a file unless it exists; see `Store.create`."""
        path = self._path(key)
        if self._looks_first:
            return None
        try:
            self._filesystem.pipe_file(path, local.read_bytes(), mode="create")
        except FileExistsError:
            return False
        except (TypeError, NotImplementedError, ValueError):
            return None  # An older version of fsspec, or a store that cannot do it.
        return True

    def delete(self, key: str) -> None:
        """Delete a file."""
        trying(self._url(key), lambda: self._filesystem.rm_file(self._path(key)))

    def _state(self, key: str) -> ObjectState:
        self._filesystem.invalidate_cache()
        try:
            info = self._filesystem.info(self._path(key))
        except FileNotFoundError as error:
            # For web servers, fsspec raises FileNotFoundError whatever went wrong.
            cause = error.__cause__
            if cause is None or getattr(cause, "status", None) in (404, 410):
                raise
            raise cause from None
        if info.get("type") == "directory":
            raise FileNotFoundError(key)
        if info.get("size") is None:
            raise RemoteError(
                "the server does not say how long the file is; copy the file to this machine"
            )
        found = next((info[name] for name in _VERSIONS if info.get(name)), "")
        # The store's own time first: `mtime` may be what the machine said that sent the file.
        times = (info.get("uploaded_at"), *info.values())
        changed = next((v for v in times if isinstance(v, datetime)), None)
        seconds = changed.timestamp() if changed is not None else 0.0
        return ObjectState(int(info["size"]), str(found).strip('"'), seconds)

    def _path(self, key: str) -> str:
        return self._url(key) if self._web else key

    def _key(self, path: str) -> str:
        return path.removeprefix(f"{self.protocol}://").lstrip("/")

    def _url(self, key: str) -> str:
        return f"{self.protocol}://{key}"


class _FsspecObject(OpenObject):
    def __init__(self, store: FsspecStore, key: str, state: ObjectState) -> None:
        self._store = store
        self._key = key
        self.state = state

    def read_at(self, start: int, length: int) -> bytes:
        """Read a range."""
        return self._store.read(self._key, start, length)

    def close(self) -> None:
        """Do nothing: nothing is held between requests."""


def _looks_first(filesystem: Any) -> bool:
    """Tell whether a file system creates a file by looking for it and then writing it."""
    from fsspec import AbstractFileSystem

    return getattr(type(filesystem), "pipe_file", None) is AbstractFileSystem.pipe_file


def _filesystem(protocol: str) -> Any:
    try:
        import fsspec
    except ImportError as error:
        raise SettingError(f"{protocol}:// needs fsspec: pip install 'dsir[remote]'") from error
    settings: dict[str, Any] = {}
    try:
        if protocol in WEB:
            import aiohttp

            timeout = aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS)
            settings = {"client_kwargs": {"timeout": timeout, "trust_env": True}}
        return fsspec.filesystem(protocol, **settings)
    except ImportError as error:
        raise SettingError(
            f"{protocol}:// needs a package that is not installed ({error}): "
            "pip install 'dsir[remote]'"
        ) from error
    except ValueError as error:
        raise SettingError(
            f"{protocol}://: unknown protocol; dsir reads s3, gs, hf, http, https, file, and "
            f"protocols registered with fsspec ({error})"
        ) from error
