"""Opens files on this machine and in stores in the same way."""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa

from dsir.remote.location import Location, RemotePath, is_url
from dsir.remote.remote_file import WINDOW_BYTES, RemoteFile


def open_bytes(path: Location) -> BinaryIO | RemoteFile:
    """Open a file on this machine or in a store, to read its bytes from beginning to end.

    Raises:
        OSError: the file cannot be opened.
    """
    return RemoteFile(path) if isinstance(path, RemotePath) else path.open("rb")


def open_source(path: str | Location, window: int = WINDOW_BYTES) -> pa.NativeFile:
    """Open a file on this machine or in a store as an Arrow file.

    Args:
        path: the file.
        window: the window for a file in a store; see `RemoteFile`.

    Raises:
        OSError: the file cannot be opened.
    """
    if isinstance(path, str) and is_url(path):
        path = RemotePath(path)
    if isinstance(path, RemotePath):
        return pa.PythonFile(RemoteFile(path, window), mode="r")
    return pa.OSFile(str(path))
