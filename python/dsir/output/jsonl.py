"""JSON Lines output: the original lines byte for byte, and the log-weights beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.atomic import UnfinishedFile
from dsir.corpus.shard import TakenRows
from dsir.output.parquet import ParquetTable
from dsir.output.writer import Writer, writing
from dsir.primitive_arrays import to_arrow

WEIGHTS_FOLDER = "_weights"

_WEIGHT_ROWS = 1 << 17


class JsonLinesWriter(Writer):
    """Writes `<stem>.jsonl` and, in the folder `_weights` beside it, `<stem name>.parquet`.

    The second file has a row for every line, with its row number in the corpus (`row`) and its
    log-weight. A leading underscore keeps the folder out of what reads the output as a corpus.

    Args:
        path_stem: the path without its suffix.
        weight_column: the name of the column of log-weights.

    Raises:
        OutputError: the files cannot be written there.
    """

    def __init__(self, path_stem: Path, *, weight_column: str) -> None:
        self._path = path_stem.with_name(path_stem.name + ".jsonl")
        schema = pa.schema(
            [
                pa.field("row", pa.int64(), nullable=False),
                pa.field(weight_column, pa.float64(), nullable=False),
            ]
        )
        self._weights = ParquetTable(
            path_stem.parent / WEIGHTS_FOLDER / (path_stem.name + ".parquet"),
            schema,
            max_rows=_WEIGHT_ROWS,
        )
        try:
            with writing(self._path):
                self._lines = UnfinishedFile(self._path)
        except BaseException:
            self._weights.discard()
            raise

    def write(
        self,
        taken: TakenRows,
        log_weights: npt.NDArray[np.float64],
        global_rows: npt.NDArray[np.int64],
    ) -> None:
        """Add rows; see `Writer.write`."""
        if taken.lines is None:
            raise ValueError("only lines can be written as JSON Lines")
        if not len(taken.lines):
            return
        with writing(self._path):
            self._lines.write(b"\n".join(taken.lines.to_pylist()) + b"\n")
        self._weights.write([to_arrow(global_rows), to_arrow(log_weights)])

    def _finish(self) -> list[Path]:
        self._weights.finish()
        weights = self._weights.commit()
        try:
            with writing(self._path):
                lines = self._lines.commit()
        except BaseException:
            # Log-weights of no lines are half an output.
            weights.unlink(missing_ok=True)
            raise
        return [lines, weights]

    def _discard(self) -> None:
        self._weights.discard()
        self._lines.discard()
