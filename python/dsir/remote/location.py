"""Where a file is: a path on this machine, or a URL of a store.

`RemotePath` has those methods of `pathlib.Path` that outputs and models need, so that what writes
files need not ask which of the two it has.
"""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from dsir.errors import SettingError
from dsir.remote.store import WEB

if TYPE_CHECKING:
    from dsir.remote.store import ObjectState, Store

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


@dataclass(frozen=True, slots=True, order=True)
class RemotePath:
    """A file or folder of a store.

    Attributes:
        url: such as "s3://bucket/folder/file.parquet", without a slash at the end.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def protocol(self) -> str:
        """What stands before the colon, in lower case."""
        return self.url.partition("://")[0].lower()

    @property
    def key(self) -> str:
        """What stands behind the two slashes: of s3, bucket and key."""
        return self.url.partition("://")[2]

    @property
    def _path(self) -> PurePosixPath:
        """The path in the URL; of web servers without what follows a question mark."""
        key = re.split(r"[?#]", self.key, maxsplit=1)[0] if self.protocol in WEB else self.key
        return PurePosixPath(key)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self._path.name

    @property
    def suffixes(self) -> list[str]:
        """The suffixes of the name."""
        return self._path.suffixes

    @property
    def parent(self) -> RemotePath:
        """The folder that it is in."""
        start, slash, rest = self.url.partition("://")
        return RemotePath(start + slash + rest.rpartition("/")[0]) if "/" in rest else self

    @property
    def parents(self) -> list[RemotePath]:
        """All folders that it is in, the nearest first."""
        found, at = [], self
        while at.parent != at:
            at = at.parent
            found.append(at)
        return found

    def with_name(self, name: str) -> RemotePath:
        """Return the neighbour of that name."""
        return self.parent / name

    def __truediv__(self, name: str | Path) -> RemotePath:
        return RemotePath(f"{self.url}/{Path(name).as_posix()}")

    def relative_to(self, folder: object) -> PurePosixPath:
        """Return the path from a folder that it is in."""
        start = f"{folder}/"
        if not self.url.startswith(start):
            raise ValueError(f"{self} is not in {folder}")
        return PurePosixPath(self.url[len(start) :])

    @property
    def store(self) -> Store:
        """The store that it is in.

        Raises:
            SettingError: there is none of that protocol, or what it needs is not installed.
        """
        # Imported here because most runs have no remote files.
        from dsir.remote.open_store import store_of

        return store_of(self.protocol, self.key)

    def state(self) -> ObjectState | None:
        """Return size and version of the file; None where there is none.

        Raises:
            RemoteError: the store does not answer, or refuses.
        """
        return self.store.state(self.key)

    def exists(self) -> bool:
        """Tell whether there is a file, or a folder that holds something."""
        return self.is_file() or self.is_dir()

    def is_file(self) -> bool:
        """Tell whether there is a file."""
        return self.state() is not None

    def is_dir(self) -> bool:
        """Tell whether there is something in the folder."""
        return any(True for _ in self.iterdir())

    def iterdir(self) -> Iterator[RemotePath]:
        """Give files and folders of the folder; nothing where it does not exist."""
        yield from (self / name for name in self.store.names(self.key))

    def mkdir(self, *, parents: bool = True, exist_ok: bool = True) -> None:
        """Do nothing: a folder is there as soon as there is a file in it."""
        del parents, exist_ok

    def rmdir(self) -> None:
        """Do nothing: a folder goes with its last file."""

    def unlink(self, *, missing_ok: bool = False) -> None:
        """Remove the file."""
        with contextlib.suppress(*([FileNotFoundError] if missing_ok else [])):
            self.store.delete(self.key)

    def read_bytes(self) -> bytes:
        """Read the whole file."""
        from dsir.remote.remote_file import RemoteFile

        try:
            with RemoteFile(self) as file:
                return file.read(file.size)
        except FileNotFoundError:
            raise FileNotFoundError(errno.ENOENT, "no such file", self.url) from None

    def upload(self, local: Path) -> None:
        """Put a file of this machine here. It appears when all of it is there, or not at all."""
        self.store.upload(local, self.key)


Location = Path | RemotePath


def within(path: Location, folder: Location) -> str:
    """Return the path of a file from a folder that it is in, with slashes."""
    if isinstance(path, RemotePath):
        return path.relative_to(folder).as_posix()
    return path.relative_to(str(folder)).as_posix()


def is_url(text: object) -> bool:
    """Tell whether something is the URL of a store; "file://" is a path of this machine."""
    if not isinstance(text, str):
        return False
    match = _URL.match(text)
    return match is not None and match[1].lower() != "file"


def location_of(place: str | Path | RemotePath) -> Location:
    """Return the path or the URL that was given; paths are made absolute.

    Raises:
        SettingError: a "file://" URL that is none of this machine.
    """
    if isinstance(place, RemotePath):
        return place
    if isinstance(place, str):
        if is_url(place):
            return RemotePath(place.rstrip("/"))
        place = path_of_file_url(place)
    return place.expanduser().absolute()


def path_of_file_url(text: str) -> Path:
    """Return a path that was given as such or as "file:///..."."""
    if not text.lower().startswith("file://"):
        return Path(text)
    parts = urlsplit(text)
    if parts.netloc not in ("", "localhost"):
        raise SettingError(f"{text}: is a file of another machine; write file:///folder/file")
    return Path(unquote(parts.path))
