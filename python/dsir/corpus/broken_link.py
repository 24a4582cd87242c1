"""Links that lead nowhere: listed as files that cannot be read when such files are skipped."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.file_shard import FileShard
from dsir.corpus.shard import OnError
from dsir.corpus.shard_rows import TakenRows, TextBatch
from dsir.errors import ShardError
from dsir.formats import Kind, how_read
from dsir.storage.links import is_broken_link, why_broken

_SUFFIX = re.compile(r"\.[A-Za-z]\w{0,9}", re.ASCII)


def may_be_folder(path: Path) -> bool:
    """Tell whether the name of a broken link may be that of a folder: it has no suffix of a file.

    A folder is often named 2024 or v1.1, but a link named notes.txt leads to no folder of data.
    """
    return _SUFFIX.fullmatch(path.suffix) is None


def broken_link(path: Path, text: str) -> BrokenLink:
    """Return a broken link as a shard.

    Args:
        path: the link, as the user gave it or as it was found.
        text: the text column.
    """
    size, mtime_ns = _state(path)
    return BrokenLink(str(path), os.path.normpath(path.absolute()), size, mtime_ns, text)


@dataclass(frozen=True, slots=True)
class BrokenLink(FileShard):
    """A link that leads nowhere. Everything that reads raises ShardError.

    Size and time of last change are those of the link itself, so that a run does not go on with
    earlier results once the link has been repaired.
    """

    @property
    def kind(self) -> Kind:
        """The format that the file would have by its name."""
        found = how_read(Path(self.path))
        return "parquet" if found is None else found.format.kind

    def check_unchanged(self) -> None:
        """Raise ShardError if the link was changed, or leads somewhere by now."""
        path = Path(self.path)
        if not is_broken_link(path) or _state(path) != (self.size, self.mtime_ns):
            raise ShardError(
                f"{self.name}: the link was broken and has changed while the run was going on; "
                "start again",
                path=self.name,
            )

    def rows_in_metadata(self) -> int | None:
        """Raise ShardError."""
        self._refuse()

    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Raise ShardError."""
        del on_error, threads, batch_bytes, groups
        self._refuse()

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Raise ShardError."""
        del rows, threads
        self._refuse()

    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Raise ShardError."""
        del threads
        self._refuse()

    def schema(self) -> pa.Schema | None:
        """Raise ShardError."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ShardError(why_broken(Path(self.name)), path=self.name)


def _state(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_size, status.st_mtime_ns
