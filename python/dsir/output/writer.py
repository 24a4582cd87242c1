"""What a writer is: rows in, whole files out."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.shard import TakenRows
from dsir.errors import OutputError
from dsir.remote import Location


class FileAccount(NamedTuple):
    """What a file of the output holds, as it was written.

    Attributes:
        path: the file.
        bytes: its size.
        rows: rows in it; lines, where it has lines.
        sha256: of its bytes, hexadecimal digits.
    """

    path: Location
    bytes: int
    rows: int
    sha256: str


class Writer(abc.ABC):
    """Writes rows into one output file, which appears under its name only when it is whole.

    As a context manager it aborts where an exception leaves the block, and closes otherwise.
    """

    _accounts: list[FileAccount] | None = None

    @abc.abstractmethod
    def write(
        self,
        taken: TakenRows,
        added: list[pa.Array],
        global_rows: npt.NDArray[np.int64],
    ) -> None:
        """Add rows.

        Args:
            taken: the rows.
            added: what stands in the added columns.
            global_rows: the row number in the corpus of each.

        Raises:
            OutputError: the rows cannot be written.
        """

    def close(self) -> list[Location]:
        """Finish: put the files under their names and return them, the rows' own first.

        Closing again returns the same; after `abort` there are none.

        Raises:
            OutputError: they cannot be written; nothing is left of them.
        """
        if self._accounts is None:
            try:
                self._accounts = self._finish()
            except BaseException:
                self.abort()
                raise
        return [account.path for account in self._accounts]

    @property
    def accounts(self) -> list[FileAccount]:
        """What is in the files that `close` returned."""
        return list(self._accounts or [])

    def abort(self) -> None:
        """Give up: remove whatever was written. Does nothing after `close`."""
        if self._accounts is None:
            self._accounts = []
            self._discard()

    @abc.abstractmethod
    def _finish(self) -> list[FileAccount]:
        """Write what is held back and put the files under their names."""

    @abc.abstractmethod
    def _discard(self) -> None:
        """Remove the unfinished files."""

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


@contextmanager
def writing(path: Location) -> Iterator[None]:
    """Turn what pyarrow and the system raise in a block into an OutputError naming the file."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path}: cannot be written: {reason}") from error
    except pa.ArrowException as error:
        raise OutputError(f"{path}: the rows cannot be written: {error}") from error
