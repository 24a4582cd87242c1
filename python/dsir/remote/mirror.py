"""Work directories in a store: a run works on a copy here, and uploads what it finishes.

Stages read their results several times, so the copy is on this machine's disk, in a temporary
folder. Every file is uploaded as soon as it is whole, and before the marker that names it. What the
store already has is fetched folder by folder, when the run needs it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dsir.errors import WorkdirError
from dsir.remote.location import RemotePath
from dsir.remote.remote_file import RemoteFile
from dsir.remote.store import RemoteError
from dsir.thread_pool import ThreadPool

_AT_ONCE = 8
_PIECE_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Mirror:
    """A folder in a store and its copy on this machine.

    Attributes:
        local: the copy.
        remote: the folder in the store.
    """

    local: Path
    remote: RemotePath

    def __truediv__(self, name: str) -> Mirror:
        return self if name == "." else Mirror(self.local / name, self.remote / name)

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

    def fetch(self, name: str) -> Path:
        """Return the path of a file in the copy, fetched first if it is only in the store.

        If the store does not have the file either, there is no file at the path.

        Raises:
            WorkdirError: the store cannot be read.
        """
        path = self.local / name
        if path.exists():
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _download(self.remote / name, path)
        except FileNotFoundError:
            pass
        except RemoteError as error:
            raise WorkdirError(f"{error.url}: {error}") from error
        return path

    def fetch_all(self, wanted: Callable[[str], bool] = lambda _: True) -> None:
        """Fetch all files of the folder that the copy lacks; subfolders are not fetched.

        Args:
            wanted: tells by its name whether a file is needed.
        """
        # Results have a suffix; folders and the lock have none.
        names = [name for name in self.names() if "." in name[1:] and name[0] != "."]
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
    if not place.store.writes or place.protocol == "hf":
        raise WorkdirError(
            f"{place}: {place.protocol} cannot hold a work directory; give one in s3:// or gs://, "
            "or on this machine"
        )
    with tempfile.TemporaryDirectory(prefix="dsir-") as scratch:
        yield Mirror(Path(scratch), place)


def _download(remote: RemotePath, path: Path) -> None:
    unfinished = path.with_name(f".{path.name}.fetched")
    with RemoteFile(remote) as source, unfinished.open("wb") as file:
        while piece := source.read(_PIECE_BYTES):
            file.write(piece)
        changed = source.changed
    if changed:
        os.utime(unfinished, (changed, changed))
    unfinished.replace(path)
