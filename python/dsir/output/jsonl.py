"""JSON Lines output: the original lines, and a file of their log-weights."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.shard_rows import TakenRows
from dsir.output.added_columns import AddedColumns
from dsir.output.folder import WEIGHTS_FOLDER, beside
from dsir.output.line_fields import with_fields
from dsir.output.side_table import SideTable
from dsir.output.writer import FileAccount, Writer, writing
from dsir.primitive_arrays import to_arrow
from dsir.remote import Location
from dsir.storage.atomic import UnfinishedFile


class JsonLinesWriter(Writer):
    """Writes `data/<name>.jsonl` and, beside it, `_dsir/weights/<name>.arrow`.

    Lines are written byte for byte; with `added.in_lines` they get the added columns as fields. The
    second file has a row for every line, with its row number in the corpus (`row`) and the
    added columns.

    Args:
        path_stem: the path without its suffix.
        schema: None: lines have no schema.
        added: the columns to add.

    Raises:
        OutputError: the files cannot be written.
    """

    def __init__(self, path_stem: Location, schema: None = None, *, added: AddedColumns) -> None:
        del schema
        self._added = added
        self._path = path_stem.with_name(path_stem.name + ".jsonl")
        weights = pa.schema(
            [
                pa.field("row", pa.int64(), nullable=False),
                *added.fields,
            ]
        )
        self._weights = SideTable(beside(path_stem, WEIGHTS_FOLDER), weights)
        try:
            with writing(self._path):
                self._lines = UnfinishedFile(self._path, hashed=True)
        except BaseException:
            self._weights.discard()
            raise

    def write(
        self,
        taken: TakenRows,
        added: list[pa.Array],
        global_rows: npt.NDArray[np.int64],
    ) -> None:
        """Add rows; see `Writer.write`."""
        if taken.lines is None:
            raise ValueError("only lines can be written as JSON Lines")
        if not len(taken.lines):
            return
        lines = taken.lines.to_pylist()
        if self._added.in_lines:
            names = [one.name for one in self._added.fields]
            lines = with_fields(lines, names, [column.to_pylist() for column in added])
        with writing(self._path):
            self._lines.write(b"\n".join(lines) + b"\n")
        self._weights.write([to_arrow(global_rows), *added])

    def _finish(self) -> list[FileAccount]:
        self._weights.finish()
        weights = self._weights.commit()
        try:
            with writing(self._path):
                self._lines.commit()
        except BaseException:
            # Log-weights without their lines are half an output.
            weights.unlink(missing_ok=True)
            raise
        weights_account = self._weights.account
        rows = weights_account.rows
        lines_account = FileAccount(self._path, self._lines.size, rows, self._lines.sha256)
        return [lines_account, weights_account]

    def _discard(self) -> None:
        self._weights.discard()
        self._lines.discard()
