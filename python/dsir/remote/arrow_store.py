"""S3 and Google Cloud Storage, through the clients built into pyarrow."""

from __future__ import annotations

import contextlib
import errno
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dsir.errors import SettingError
from dsir.remote.conditional_put import put_if_none
from dsir.remote.retries import trying
from dsir.remote.store import ObjectState, OpenObject, RemoteError, Store, TryAgainError

_CONNECT_SECONDS = 10
CLIENT_ATTEMPTS = 3  # By the client itself, within each attempt of `retries`; its default.
_REQUEST_SECONDS = 60
_COPY_BYTES = 8 << 20
_YES = ("1", "true", "yes")


class ArrowStore(Store):
    """A store behind a file system of `pyarrow.fs`.

    Args:
        protocol: the protocol of its URLs, "s3" or "gs".
        filesystem: the `pyarrow.fs.FileSystem`.
        etags: whether opening a file tells its etag. Otherwise the time of the last change is the
            version: asking Google for an etag would download the whole file.
    """

    def __init__(self, protocol: str, filesystem: Any, *, etags: bool) -> None:
        self.protocol = protocol
        self._filesystem = filesystem
        self._etags = etags

    def state(self, key: str) -> ObjectState | None:
        """Return the state of a file; see `Store.state`."""
        try:
            if self._etags:
                return self.open(key).state
            return trying(self._url(key), lambda: self.known_state(key))
        except FileNotFoundError:
            return None

    def open(self, key: str) -> OpenObject:
        """Open a file, with one request for its size and etag."""
        self._refuse_odd_parts(key)
        if "/" not in key:  # pyarrow takes a bucket for a broken file.
            raise FileNotFoundError(errno.ENOENT, "no such file", key)
        return trying(self._url(key), lambda: _ArrowObject(self, key))

    def files(self, key: str) -> list[str]:
        """Return the keys of all files below a folder."""
        return [info.path for info in self._infos(key, recursive=True) if info.is_file]

    def names(self, key: str) -> list[str]:
        """Return the names in a folder."""
        if self.protocol == "gs":
            # It lists only folders that are objects of their own, and most folders are not.
            inside = [path[len(key) :].strip("/") for path in self.files(key)]
            return sorted({path.partition("/")[0] for path in inside if path})
        # An emptied folder may remain as an object that has its name and a slash.
        found = [info.path.rstrip("/") for info in self._infos(key, recursive=False)]
        return [path.rpartition("/")[2] for path in found if path != key]

    def upload(self, local: Path, key: str) -> None:
        """Upload a file; see `Store.upload`. The object appears once its last part is there."""
        from pyarrow import fs

        self._refuse_odd_parts(key)
        size = local.stat().st_size

        def copy() -> None:
            # In one call: pyarrow would finish a stream that Python drops halfway, and half an
            # object would appear. When a part fails inside this call, no object appears.
            fs.copy_files(
                str(local),
                key,
                source_filesystem=fs.LocalFileSystem(),
                destination_filesystem=self._filesystem,
                chunk_size=_COPY_BYTES,
                use_threads=False,
            )
            there = self._filesystem.get_file_info(key).size
            if there != size:
                raise TryAgainError(f"only {there or 0:,} of {size:,} bytes arrived")

        trying(self._url(key), copy)

    def create(self, local: Path, key: str) -> bool | None:
        """Upload a file unless it exists; see `Store.create`. pyarrow's own clients cannot."""
        if self.protocol != "s3":
            return None
        self._refuse_odd_parts(key)
        return trying(self._url(key), lambda: put_if_none(local, key))

    def delete(self, key: str) -> None:
        """Delete a file."""
        self._refuse_odd_parts(key)
        trying(self._url(key), lambda: self._filesystem.delete_file(key))

    def refuse_missing_bucket(self, key: str) -> None:
        """Raise RemoteError if the bucket of a key does not exist."""
        bucket = key.split("/", 1)[0]

        def look() -> bool:
            from pyarrow import fs

            info = self._filesystem.get_file_info(bucket)
            return bool(info.type == fs.FileType.NotFound)

        if trying(self._url(key), look):
            raise RemoteError(f"there is no bucket {bucket}")

    def _infos(self, key: str, *, recursive: bool) -> list[Any]:
        from pyarrow import fs

        self._refuse_odd_parts(key)

        def find() -> list[Any]:
            selector = fs.FileSelector(key, recursive=recursive, allow_not_found=True)
            found: list[Any] = self._filesystem.get_file_info(selector)
            if not found:
                # The listing of a missing bucket is empty too.
                self.refuse_missing_bucket(key)
            return found

        return trying(self._url(key), find)

    def _url(self, key: str) -> str:
        return f"{self.protocol}://{key}"

    def _refuse_odd_parts(self, key: str) -> None:
        """Raise RemoteError for a key that pyarrow's clients cannot read or write."""
        parts = key.split("/")
        if "" in parts[:-1]:
            reason = (
                "nothing is between two of its slashes, and pyarrow cannot use such names; write "
                "one slash, or copy the object to another name"
            )
        elif "." in parts or ".." in parts:
            reason = (
                "a name in it is '.' or '..', which some servers take for a folder and others for "
                "a name; write the path without it, or copy the object to another name"
            )
        else:
            return
        error = RemoteError(reason)
        error.url = self._url(key)
        raise error

    def open_stream(self, key: str) -> tuple[Any, ObjectState]:
        """Open a file of the file system, and return its state."""
        if not self._etags:
            state = self.known_state(key)
            return self._filesystem.open_input_file(key), state
        file = self._filesystem.open_input_file(key)
        told = {_text(k).lower(): _text(v) for k, v in (file.metadata() or {}).items()}
        changed = told.get("last-modified", "")
        version = told.get("etag", "").strip('"') or changed
        return file, ObjectState(file.size(), version, _seconds(changed))

    def known_state(self, key: str) -> ObjectState:
        """Return the state of a file, with the time of its last change as version."""
        info = self._filesystem.get_file_info(key)
        if not info.is_file:
            raise FileNotFoundError(errno.ENOENT, "no such file", key)
        nanoseconds = info.mtime_ns or 0
        return ObjectState(info.size, str(nanoseconds), nanoseconds / 1e9)


class _ArrowObject(OpenObject):
    def __init__(self, store: ArrowStore, key: str) -> None:
        self._file, self.state = store.open_stream(key)

    def read_at(self, start: int, length: int) -> bytes:
        """Read a range."""
        data: bytes = self._file.read_at(length, start)
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def s3_filesystem(bucket: str) -> Any:
    """Return S3 as the environment configures it: region, endpoint, profile and credentials.

    The variables are AWS_REGION, AWS_ENDPOINT_URL, AWS_PROFILE and the client's own.

    Raises:
        SettingError: AWS_ENDPOINT_URL is not a URL.
    """
    from pyarrow import fs

    settings: dict[str, Any] = {}
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise SettingError(
                f"AWS_ENDPOINT_URL={endpoint}: expected a URL such as http://localhost:9000"
            )
        settings["endpoint_override"] = parts.netloc + parts.path.rstrip("/")
        settings["scheme"] = parts.scheme
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region:
        settings["region"] = region
    elif endpoint:
        settings["region"] = "us-east-1"
    else:
        # If this fails, the client finds the region itself, or says what is wrong with the bucket.
        with contextlib.suppress(OSError, ValueError):
            settings["region"] = fs.resolve_s3_region(bucket)
    if os.environ.get("AWS_NO_SIGN_REQUEST", "").lower() in _YES:
        settings["anonymous"] = True
    return fs.S3FileSystem(
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_REQUEST_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=CLIENT_ATTEMPTS),
        # Not allow_delayed_open: it saves requests, but a failing upload then ends the process.
        **settings,
    )


def gcs_filesystem() -> Any:
    """Return Google Cloud Storage with the application's default credentials."""
    from pyarrow import fs

    settings: dict[str, Any] = {}
    if os.environ.get("GS_NO_SIGN_REQUEST", "").lower() in _YES:
        settings["anonymous"] = True
    endpoint = os.environ.get("STORAGE_EMULATOR_HOST")
    if endpoint:
        parts = urlsplit(endpoint if "://" in endpoint else f"http://{endpoint}")
        settings |= {"endpoint_override": parts.netloc, "scheme": parts.scheme, "anonymous": True}
    # The client's own policy would try again for 15 minutes.
    return fs.GcsFileSystem(retry_time_limit=timedelta(seconds=_REQUEST_SECONDS), **settings)


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _seconds(time: str) -> float:
    try:
        return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
