"""The selected rows of a shard: their row numbers, and the numbers that are written with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.primitive_arrays import to_arrow, to_numpy
from dsir.remote.read_errors import translated
from dsir.stages.score_table import ScoreForm
from dsir.storage.place import Place


class SelectedRows(NamedTuple):
    """The selected rows of one shard.

    Attributes:
        shard_row: int64, ascending row numbers in the shard.
        log_weight: float64.
        bytes: uint32, bytes of text.
        tokens: uint32.
        target: uint16, the number of the target that took the row; None if there is one target.
        source_row: int64, the input row that a window was cut from; None without windows.
        start: uint32, the byte of the source row's text where the window begins; None without
            windows.
    """

    shard_row: npt.NDArray[np.int64]
    log_weight: npt.NDArray[np.float64]
    bytes: npt.NDArray[np.uint32]
    tokens: npt.NDArray[np.uint32]
    target: npt.NDArray[np.uint16] | None = None
    source_row: npt.NDArray[np.int64] | None = None
    start: npt.NDArray[np.uint32] | None = None

    def at(self, where: slice | npt.NDArray[np.bool_]) -> SelectedRows:
        """Return some of the rows."""
        return SelectedRows._make(None if column is None else column[where] for column in self)

    def to_batch(self) -> pa.RecordBatch:
        """Return the rows as an Arrow batch."""
        form = ScoreForm(1 if self.target is None else 2, chunks=self.source_row is not None)
        columns = [to_arrow(column) for column in self if column is not None]
        return pa.record_batch(columns, schema=_schema(form))


def no_rows(form: ScoreForm) -> SelectedRows:
    """Return a table of no rows, with the columns that scores of this form need."""
    return SelectedRows(
        np.zeros(0, np.int64),
        np.zeros(0),
        np.zeros(0, np.uint32),
        np.zeros(0, np.uint32),
        np.zeros(0, np.uint16) if form.columns > 1 else None,
        np.zeros(0, np.int64) if form.chunks else None,
        np.zeros(0, np.uint32) if form.chunks else None,
    )


def join_rows(tables: Sequence[SelectedRows], form: ScoreForm) -> SelectedRows:
    """Concatenate tables of selected rows."""
    columns = zip(*[no_rows(form), *tables], strict=True)
    return SelectedRows._make(
        None if column[0] is None else np.concatenate(column) for column in columns
    )


def read_rows(place: Place, form: ScoreForm, expected: int) -> SelectedRows:
    """Read a file of selected rows.

    Raises:
        WorkdirError: the file is missing or damaged, or does not have the expected number of rows.
    """
    path = place.fetched(".arrow")
    with (
        translated(lambda error: place.damaged(path, str(error))),
        pa.OSFile(str(path)) as file,
        pa.ipc.open_file(file) as reader,
    ):
        batch = reader.get_batch(0)
    if batch.schema != _schema(form) or batch.num_rows != expected:
        raise place.damaged(path, "it does not hold the rows that its marker describes")
    columns = map(to_numpy, batch.columns)
    return SelectedRows._make(None if empty is None else next(columns) for empty in no_rows(form))


def _schema(form: ScoreForm) -> pa.Schema:
    fields = [("shard_row", pa.int64()), ("log_weight", pa.float64()), ("bytes", pa.uint32())]
    fields += [("tokens", pa.uint32())]
    fields += [("target", pa.uint16())] * (form.columns > 1)
    fields += [("source_row", pa.int64()), ("start", pa.uint32())] * form.chunks
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in fields])
