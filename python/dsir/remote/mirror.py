"""Work directories in a store: a run works on a copy here, and uploads what it finishes.

Stages read their results several times, so the copy is on this machine's disk, in a temporary
folder. Every file is uploaded as soon as it is whole, and before the marker that names it. What the
store already has is fetched file by file, when the run needs it.

A mirror can be sent to another process: there it stands for that process's own copy.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dsir.errors import WorkdirError
from dsir.remote.location import RemotePath
from dsir.remote.remote_file import RemoteFile
from dsir.remote.store import RemoteError
from dsir.thread_pool import ThreadPool

_AT_ONCE = 8
_PIECE_BYTES = 8 << 20
# A listing is made again after this many times the seconds that it took, and a second at least.
_LISTING_SHARE = 20

# The copies of this process, by the URL of the folder in the store.
_COPIES: dict[str, Path] = {}
_COPYING = threading.Lock()


@dataclass(slots=True)
class _Listing:
    """The names in a folder when it was last listed; None if it never was."""

    names: frozenset[str] | None = None
    again: float = 0.0


@dataclass(frozen=True, slots=True)
class Mirror:
    """A folder in a store and its copy on this machine.

    Attributes:
        local: the copy.
        remote: the folder in the store.
    """

    local: Path
    remote: RemotePath
    _listing: _Listing = field(default_factory=_Listing, compare=False, repr=False)

    def __truediv__(self, name: str) -> Mirror:
        return self if name == "." else Mirror(self.local / name, self.remote / name)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        # No path of this machine travels to another.
        return (_mirror_here, (self.remote,))

    def __str__(self) -> str:
        return str(self.remote)

    def upload(self, local: Path) -> None:
        """Upload a file of the copy to the store.

        Raises:
            WorkdirError: the store does not take the file.
        """
        target = self.remote / local.relative_to(self.local).as_posix()
        try:
            target.upload(local)
        except RemoteError as error:
            raise WorkdirError(f"{error.url}: {error}") from error

    def names(self) -> list[str]:
        """Return the names of files and folders in the store's folder.

        Raises:
            WorkdirError: the store cannot list them.
        """
        try:
            return self.remote.store.names(self.remote.key)
        except RemoteError as error:
            raise WorkdirError(f"{error.url}: {error}") from error

    def look_again(self) -> None:
        """List the folder, unless that was done a moment ago.

        Raises:
            WorkdirError: the store cannot list it.
        """
        begun = time.monotonic()
        if begun < self._listing.again:
            return
        self._listing.names = frozenset(self.names())
        now = time.monotonic()
        self._listing.again = now + max(1.0, _LISTING_SHARE * (now - begun))

    def fetch(self, name: str, *, fresh: bool = False, listed: bool = False) -> Path:
        """Return the path of a file in the copy, fetched first if it is only in the store.

        If the store does not have the file either, there is no file at the path.

        Args:
            name: the file.
            fresh: fetch the file again, because other machines write it too.
            listed: do not ask for a file that was not there when the folder was listed.

        Raises:
            WorkdirError: the store cannot be read.
        """
        path = self.local / name
        if path.exists() and not fresh:
            return path
        if listed and self._listing.names is not None and name not in self._listing.names:
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _download(self.remote / name, path)
        except FileNotFoundError:
            if fresh:
                path.unlink(missing_ok=True)
        except RemoteError as error:
            raise WorkdirError(f"{error.url}: {error}") from error
        return path

    def fetch_all(self, wanted: Callable[[str], bool] = lambda _: True) -> None:
        """Fetch all files of the folder that the copy lacks; subfolders are not fetched.

        Args:
            wanted: tells by its name whether a file is needed.
        """
        self._listing.names = frozenset(self.names())
        # Results have a suffix; folders and the lock have none.
        names = [name for name in sorted(self._listing.names) if "." in name[1:] and name[0] != "."]
        self.local.mkdir(parents=True, exist_ok=True)
        with ThreadPool(_AT_ONCE, "dsir-fetch") as pool:
            list(pool.map(self.fetch, filter(wanted, names)))


Folder = Path | Mirror


@contextmanager
def folder_of(place: Path | RemotePath) -> Iterator[Folder]:
    """Yield a work directory: the folder itself, or a mirror whose copy is removed after the block.

    Raises:
        WorkdirError: the store cannot hold a work directory.
    """
    if isinstance(place, Path):
        yield place
        return
    if not place.store.writes or place.commits:
        what = "a repository of Hugging Face" if place.commits else place.protocol
        raise WorkdirError(
            f"{place}: {what} cannot hold a work directory; give one in s3://, gs:// or "
            "hf://buckets/, or on this machine"
        )
    with tempfile.TemporaryDirectory(prefix="dsir-") as scratch:
        before = _COPIES.get(place.url)
        _COPIES[place.url] = Path(scratch)
        try:
            yield Mirror(Path(scratch), place)
        finally:
            if before is None:
                del _COPIES[place.url]
            else:
                _COPIES[place.url] = before


def _mirror_here(remote: RemotePath) -> Mirror:
    """Return the mirror of a folder in this process, with the copy that the process has of it."""
    with _COPYING:
        for above in (remote, *remote.parents):
            if above.url in _COPIES:
                inside = remote.url[len(above.url) :].strip("/")
                return Mirror(_COPIES[above.url] / inside, remote)
        scratch = Path(tempfile.mkdtemp(prefix="dsir-"))
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
        _COPIES[remote.url] = scratch
        return Mirror(scratch, remote)


def _download(remote: RemotePath, path: Path) -> None:
    unfinished = path.with_name(f".{path.name}.fetched")
    with RemoteFile(remote) as source, unfinished.open("wb") as file:
        while piece := source.read(_PIECE_BYTES):
            file.write(piece)
        changed = source.changed
    if changed:
        os.utime(unfinished, (changed, changed))
    unfinished.replace(path)
