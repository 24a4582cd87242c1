"""Where the rows of an output part come from: a small table beside the part, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.errors import OutputError
from dsir.output.folder import ORIGINS_FOLDER, beside
from dsir.output.side_table import SideTable, read_side_table
from dsir.output.writer import FileAccount
from dsir.primitive_arrays import to_arrow, to_numpy
from dsir.remote import Location


class Origins(NamedTuple):
    """Where consecutive rows of the output come from, in the order of the output.

    Attributes:
        source: uint32, the number of the input in the manifest's `inputs.raw`.
        source_row: int64, the row in that input; with windows, the row of the document.
        start: uint32, where the window begins in its document's text, in bytes; None unless rows
            are windows.
        window: int64, the number of the window in the corpus; None unless rows are windows.
        log_weight: float64, the log-weights of the rows.
        target: an Arrow array of strings, the names of the targets that the rows were drawn for;
            None unless targets are separate.
    """

    source: npt.NDArray[np.uint32]
    source_row: npt.NDArray[np.int64]
    start: npt.NDArray[np.uint32] | None
    window: npt.NDArray[np.int64] | None
    log_weight: npt.NDArray[np.float64]
    target: pa.Array | None

    def part(self, where: slice) -> Origins:
        """Return some of the rows, without a copy."""
        return Origins._make(None if column is None else column[where] for column in self)


def joined_origins(parts: Sequence[Origins]) -> Origins:
    """Return one or more runs of rows as one run, in their order."""
    if len(parts) == 1:
        return parts[0]
    return Origins._make(
        None
        if column[0] is None
        else pa.concat_arrays(column)
        if isinstance(column[0], pa.Array)
        else np.concatenate(column)
        for column in zip(*parts, strict=True)
    )


class OriginsWriter:
    """Writes `_dsir/rows/<name>.arrow` beside the part `data/<name>`.

    The file is opened with the first rows, so a run that fails earlier leaves neither file nor
    folder.

    Args:
        path_stem: the path of the output part without its suffix.
        windows: whether rows are windows of documents.
        targets: whether targets are separate.
    """

    def __init__(self, path_stem: Location, *, windows: bool, targets: bool) -> None:
        self._path = beside(path_stem, ORIGINS_FOLDER)
        self._schema = _schema(windows, targets)
        self._table: SideTable | None = None

    def write(self, origins: Origins) -> None:
        """Add rows.

        Raises:
            OutputError: the rows cannot be written.
        """
        self._begun().write(
            [
                column if isinstance(column, pa.Array) else to_arrow(column)
                for column in origins
                if column is not None
            ]
        )

    def close(self) -> FileAccount:
        """Give the finished file its name, and return its account.

        Raises:
            OutputError: the file cannot be written.
        """
        table = self._begun()
        table.finish()
        table.commit()
        return table.account

    def abort(self) -> None:
        """Remove the file, finished or not: origins without their rows are half an output."""
        if self._table is not None:
            self._table.discard()
            self._path.unlink(missing_ok=True)

    def _begun(self) -> SideTable:
        if self._table is None:
            self._table = SideTable(self._path, self._schema)
        return self._table


def read_origins(path: Location) -> Iterator[Origins]:
    """Yield where the rows of a part come from, in runs of a bounded number of rows.

    Args:
        path: the file in the folder `_dsir/rows`.

    Raises:
        OutputError: the file is missing, damaged, or not a table of row origins.
    """
    for batch in read_side_table(path):
        names = batch.schema.names
        windows, targets = "start" in names, "target" in names
        if not batch.schema.equals(_schema(windows, targets)):
            raise OutputError(f"{path}: is not a table of row origins")
        if any(column.null_count for column in batch.columns):
            raise OutputError(f"{path}: has nulls, which a table of row origins never has")
        columns = dict(zip(names, batch.columns, strict=True))
        yield Origins(
            to_numpy(columns["source"]),
            to_numpy(columns["source_row"]),
            to_numpy(columns["start"]) if windows else None,
            to_numpy(columns["window"]) if windows else None,
            to_numpy(columns["log_weight"]),
            columns["target"] if targets else None,
        )


def _schema(windows: bool, targets: bool) -> pa.Schema:
    fields = [("source", pa.uint32()), ("source_row", pa.int64())]
    fields += [("start", pa.uint32()), ("window", pa.int64())] * windows
    fields += [("log_weight", pa.float64())]
    fields += [("target", pa.string())] * targets
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in fields])
