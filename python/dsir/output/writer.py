"""What a writer is: rows in, whole files out."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.shard import TakenRows
from dsir.errors import OutputError


class Writer(abc.ABC):
    """Writes rows into one output file, which appears under its name only when it is whole.

    As a context manager it aborts where an exception leaves the block, and closes otherwise.
    """

    _paths: list[Path] | None = None

    @abc.abstractmethod
    def write(
        self,
        taken: TakenRows,
        log_weights: npt.NDArray[np.float64],
        global_rows: npt.NDArray[np.int64],
    ) -> None:
        """Add rows.

        Args:
            taken: the rows.
            log_weights: the log-weight of each.
            global_rows: the row number in the corpus of each.

        Raises:
            OutputError: the rows cannot be written.
        """

    def close(self) -> list[Path]:
        """Finish: put the files under their names and return them, the rows' own first.

        Closing again returns the same; after `abort` there are none.

        Raises:
            OutputError: they cannot be written; nothing is left of them.
        """
        if self._paths is None:
            try:
                self._paths = self._finish()
            except BaseException:
                self.abort()
                raise
        return list(self._paths)

    def abort(self) -> None:
        """Give up: remove whatever was written. Does nothing after `close`."""
        if self._paths is None:
            self._paths = []
            self._discard()

    @abc.abstractmethod
    def _finish(self) -> list[Path]:
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


def check_weight_column(schema: pa.Schema | None, weight_column: str) -> None:
    """Make sure that the column to be added is not there already.

    Args:
        schema: of the input; None for JSON Lines, which have the weights beside them.
        weight_column: the name of the column of log-weights.

    Raises:
        OutputError: it is; the message gives the way out.
    """
    if schema is not None and weight_column in schema.names:
        raise OutputError(
            f"the input has a column {weight_column!r} already; "
            "give the log-weights another name with weight_column=..."
        )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what pyarrow and the system raise in a block into an OutputError naming the file."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path}: cannot be written: {reason}") from error
    except pa.ArrowException as error:
        raise OutputError(f"{path}: the rows cannot be written: {error}") from error
