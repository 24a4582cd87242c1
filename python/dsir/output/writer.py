"""The contract of a writer: it takes rows, and its files appear only when they are whole."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.shard_rows import TakenRows
from dsir.errors import OutputError
from dsir.remote import Location


class FileAccount(NamedTuple):
    """Size, rows and checksum of an output file, as it was written.

    Attributes:
        path: the file.
        bytes: its size.
        rows: its rows, or its lines if it is JSON Lines.
        sha256: the SHA-256 of its bytes, in hexadecimal digits.
    """

    path: Location
    bytes: int
    rows: int
    sha256: str


class Writer(abc.ABC):
    """Writes rows to one output file, which gets its name only when it is whole.

    As a context manager it aborts if an exception leaves the block, and closes otherwise.
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
            added: the values of the added columns.
            global_rows: the row number of each row in the corpus.

        Raises:
            OutputError: the rows cannot be written.
        """

    def close(self) -> list[Location]:
        """Give the finished files their names and return them, the file of the rows first.

        Closing again returns the same files; after `abort` it returns none.

        Raises:
            OutputError: the files cannot be written; none of them is left.
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
        """The accounts of the files that `close` returned."""
        return list(self._accounts or [])

    def abort(self) -> None:
        """Remove everything that was written. Does nothing after `close`."""
        if self._accounts is None:
            self._accounts = []
            self._discard()

    @abc.abstractmethod
    def _finish(self) -> list[FileAccount]:
        """Write the rows that still wait, and give the files their names."""

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
    """Turn errors of pyarrow and the system in a block into an OutputError that names the file."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path}: cannot be written: {reason}") from error
    except pa.ArrowException as error:
        raise OutputError(f"{path}: the rows cannot be written: {error}") from error
