"""Shards that are files, or parts of files, on this machine or in a store."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path

from dsir.corpus.batches import READ_LIMITS, ReadLimits
from dsir.corpus.shard import FilePart, Shard
from dsir.errors import ShardError
from dsir.remote import Location, RemotePath, is_url
from dsir.remote.read_errors import translated
from dsir.remote.store import ObjectState


@dataclass(frozen=True, slots=True)
class FileShard(Shard):
    """A file, or a part of one.

    Attributes:
        path: absolute path, or URL.
        size: bytes of the file, or of the part.
        mtime_ns: time of the last change, when the corpus was resolved; 0 in a store.
        version: in a store, the etag or what the store has in its place; else empty.
        part: which part of the file this shard is; None for the whole file.
        encoding: the encoding of a text column of bytes; None if such a column holds no texts.
        piped: SHA-256 of the file, if it is a temporary copy of what came through a pipe; else "".
        limits: how much of the file is in memory at a time. What is read does not depend on it.
    """

    name: str
    path: str
    size: int
    mtime_ns: int
    text: str
    version: str = ""
    part: FilePart | None = field(default=None, kw_only=True)
    encoding: str | None = field(default=None, kw_only=True)
    piped: str = field(default="", kw_only=True)
    limits: ReadLimits = field(default=READ_LIMITS, kw_only=True, compare=False, repr=False)

    @property
    def file(self) -> Location:
        """The path or URL of the file."""
        return RemotePath(self.path) if self.is_remote else Path(self.path)

    @property
    def is_remote(self) -> bool:
        """Whether the file is in a store."""
        return is_url(self.path)

    def identity(self) -> dict[str, int | str]:
        """Return path, size and last change (or version) of the file, as they were at resolve time.

        A part returns those of its whole file; a copy of a pipe those of its content.
        """
        text: dict[str, int | str] = {}
        if self.encoding is not None:
            text = {"text_encoding": self.encoding}
        if self.piped:
            return {"name": self.name, "size": self.file_size, "sha256": self.piped, **text}
        if self.is_remote:
            return {"path": self.path, "size": self.file_size, "version": self.version, **text}
        return {"path": self.path, "size": self.file_size, "mtime_ns": self.mtime_ns, **text}

    @property
    def is_empty(self) -> bool:
        """Whether the file has 0 bytes."""
        return not self.size

    @property
    def file_size(self) -> int:
        """Bytes of the file."""
        return self.size if self.part is None else self.part.file_size

    def limited(self, limits: ReadLimits) -> FileShard:
        """Return the same shard with other `limits`."""
        return replace(self, limits=limits)

    def as_part(self, part: FilePart, size: int) -> FileShard:
        """Return a part of the file; see `Shard.as_part`."""
        return replace(self, size=size, part=part)

    def whole(self) -> FileShard:
        """Return the shard of the whole file."""
        return self if self.part is None else replace(self, size=self.file_size, part=None)

    def placed(self, rows_before: int) -> FileShard:
        """Return the same shard, knowing how many rows of the file are before it."""
        if self.part is None:
            return self
        return replace(self, part=replace(self.part, rows_before=rows_before))

    def rows_before(self) -> int:
        """Return how many rows of the file are before this part; they may have to be read."""
        if self.part is None:
            return 0
        known = self.part.rows_before
        return self._count_rows_before() if known is None else known

    def _count_rows_before(self) -> int:
        raise NotImplementedError(f"parts of {type(self).__name__} know the rows before them")

    def check_unchanged(self) -> None:
        """Raise ShardError if size, last change or version differ from those at resolve time."""
        size, mtime_ns, version = file_state(self.name, self.path)
        if (size, mtime_ns, version) != (self.file_size, self.mtime_ns, self.version):
            raise ShardError(
                f"{self.name}: changed while the run was going on "
                f"(was {self.file_size:,} bytes, is {size:,}); start again once it is finished",
                path=self.name,
            )

    def refuse_empty_file(self) -> None:
        """Raise ShardError for a file that has 0 bytes by now; `resolve` leaves empty files out."""
        # The size in a store is the one at resolve time: asking again takes a request.
        size = self.size if self.is_remote else file_state(self.name, self.path)[0]
        if size == 0:
            raise ShardError(f"{self.name}: is empty (0 bytes)", path=self.name)


def file_state(name: str, path: str) -> tuple[int, int, str]:
    """Return size, time of the last change and version of a file, as in `FileShard`.

    Args:
        name: what messages call the file.
        path: the path or URL.

    Raises:
        ShardError: the file is missing, cannot be reached, or is not a regular file.
    """
    if is_url(path):
        state = remote_state(name, RemotePath(path))
        return state.size, 0, state.version
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path costs more than the call.
    except FileNotFoundError:
        raise ShardError(f"{name}: no such file", path=name) from None
    except OSError as error:
        raise ShardError(f"{name}: cannot be read: {error.strerror}", path=name) from error
    if not stat.S_ISREG(status.st_mode):
        what = "folder" if stat.S_ISDIR(status.st_mode) else "pipe or a device"
        raise ShardError(
            f"{name}: is not a regular file but a {what}, which cannot be read several times; "
            "save it to a file",
            path=name,
        )
    return status.st_size, status.st_mtime_ns, ""


def remote_state(name: str, path: RemotePath) -> ObjectState:
    """Return size and version of a file in a store.

    Raises:
        ShardError: the file is missing.
        StoreError: the store does not answer.
    """
    with translated(lambda error: ShardError(f"{name}: cannot be read: {error}", path=name)):
        state = path.state()
        if state is None:
            path.store.refuse_missing_bucket(path.key)
            raise ShardError(f"{name}: no such file", path=name)
    return state
