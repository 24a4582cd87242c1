"""Where a file is: a path on this machine, or a URL of a store.

`RemotePath` has the methods of `pathlib.Path` that outputs and models need, so code that writes
files need not ask which of the two it has.
"""

from __future__ import annotations

import contextlib
import errno
import os
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
    """A file or folder in a store.

    Attributes:
        url: the URL, such as "s3://bucket/folder/file.parquet", without a slash at the end.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def protocol(self) -> str:
        """The part before "://", in lower case."""
        return self.url.partition("://")[0].lower()

    @property
    def key(self) -> str:
        """The part after "://": for S3, the bucket and the key in it."""
        return self.url.partition("://")[2]

    @property
    def _path(self) -> PurePosixPath:
        """The path in the URL; for web servers, without the query and the fragment."""
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
        """The folder that the file or folder is in."""
        start, slash, rest = self.url.partition("://")
        return RemotePath(start + slash + rest.rpartition("/")[0]) if "/" in rest else self

    @property
    def parents(self) -> list[RemotePath]:
        """All folders above, the nearest first."""
        found, at = [], self
        while at.parent != at:
            at = at.parent
            found.append(at)
        return found

    def with_name(self, name: str) -> RemotePath:
        """Return the path of another name in the same folder."""
        return self.parent / name

    def __truediv__(self, name: str | Path) -> RemotePath:
        return RemotePath(f"{self.url}/{Path(name).as_posix()}")

    def relative_to(self, folder: object) -> PurePosixPath:
        """Return the path relative to a folder above."""
        start = f"{folder}/"
        if not self.url.startswith(start):
            raise ValueError(f"{self} is not in {folder}")
        return PurePosixPath(self.url[len(start) :])

    @property
    def store(self) -> Store:
        """The store that the file or folder is in.

        Raises:
            SettingError: the protocol is unknown, or needs a package that is not installed.
        """
        # Imported here because most runs have no remote files.
        from dsir.remote.open_store import store_of

        return store_of(self.protocol, self.key)

    @property
    def commits(self) -> bool:
        """Whether each file that is written is a commit: so in repositories of Hugging Face."""
        return self.protocol == "hf" and not self.key.startswith("buckets/")

    def state(self) -> ObjectState | None:
        """Return size and version of the file; None if there is no such file.

        Raises:
            RemoteError: the store does not answer, or refuses.
        """
        return self.store.state(self.key)

    def exists(self) -> bool:
        """Tell whether there is such a file, or such a folder with files in it."""
        return self.is_file() or self.is_dir()

    def is_file(self) -> bool:
        """Tell whether there is such a file."""
        return self.state() is not None

    def is_dir(self) -> bool:
        """Tell whether there is such a folder with files in it."""
        return any(True for _ in self.iterdir())

    def iterdir(self) -> Iterator[RemotePath]:
        """Yield the files and folders in the folder; none if it does not exist."""
        yield from (self / name for name in self.store.names(self.key))

    def mkdir(self, *, parents: bool = True, exist_ok: bool = True) -> None:
        """Do nothing: a folder exists as soon as a file is in it."""
        del parents, exist_ok

    def rmdir(self) -> None:
        """Do nothing: a folder disappears with its last file."""

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
        """Upload a file of this machine to this path. The file appears whole, or not at all."""
        self.store.upload(local, self.key)


Location = Path | RemotePath


def within(path: Location, folder: Location) -> str:
    """Return the path of a file relative to a folder that it is in, with slashes."""
    if isinstance(path, RemotePath):
        return path.relative_to(folder).as_posix()
    return path.relative_to(str(folder)).as_posix()


def is_url(text: object) -> bool:
    """Tell whether `text` is the URL of a store; "file://" is a path on this machine."""
    if not isinstance(text, str):
        return False
    match = _URL.match(text)
    return match is not None and match[1].lower() != "file"


def location_of(place: str | Path | RemotePath) -> Location:
    """Return a path or URL as a location; paths are made absolute.

    Raises:
        SettingError: it is neither, or a "file://" URL names another machine.
    """
    if isinstance(place, RemotePath):
        return place
    if not isinstance(place, str | Path) or not may_be_a_name(str(place)):
        raise SettingError(f"{place!r:.80}: expected a path or URL")
    if isinstance(place, str):
        if is_url(place):
            return RemotePath(place.rstrip("/"))
        place = path_of_file_url(place)
    return place.expanduser().absolute()


def may_be_a_name(text: str) -> bool:
    """Tell whether a text may be the name of a file; one that is not UTF-8 may."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:  # Half a surrogate pair that stands for no byte.
        return False
    return "\0" not in text


def path_of_file_url(text: str) -> Path:
    """Return the path on this machine that is given plainly or as "file:///..."."""
    if not text.lower().startswith("file://"):
        return Path(text)
    parts = urlsplit(text)
    if parts.netloc not in ("", "localhost"):
        raise SettingError(f"{text}: names a file of another machine; write file:///folder/file")
    return Path(unquote(parts.path))
