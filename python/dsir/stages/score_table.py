"""The scores of a shard: a few numbers per row, in memory or in an Arrow file."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.errors import WorkdirError
from dsir.primitive_arrays import to_arrow, to_numpy
from dsir.remote.read_errors import translated
from dsir.settings.extra_columns import ExtraColumns

RUN_ROWS = 1 << 16


class Scores(NamedTuple):
    """Scores of consecutive rows.

    Attributes:
        log_weight: float64[columns, rows], one column, or one a target; 0 for rows without a token.
        tokens: uint32; 0 for null, empty and bad rows.
        bytes: uint32, bytes of text.
        reason: uint8, 0 if the row passes the quality filters, else 1 + the number of the
            reason; None without filters.
        source_row: int64, the row of the shard that a window was cut from; None without windows.
        start: uint32, the byte of the source row's text where the window begins; None without
            windows.
        content: uint64, the content hash of the text; None if the draw ignores duplicates.
        group_codes: uint32[columns, rows], codes of the values in the quota columns; None without
            quota columns.
        repeated: uint8, 1 if an earlier row has the same text, or nearly the same; None if nobody
            looked for duplicates. Never written to the file.
        bands: uint64[bands, rows], the keys of the text's bands; None unless the draw leaves near
            duplicates out.
    """

    log_weight: npt.NDArray[np.float64]
    tokens: npt.NDArray[np.uint32]
    bytes: npt.NDArray[np.uint32]
    reason: npt.NDArray[np.uint8] | None = None
    source_row: npt.NDArray[np.int64] | None = None
    start: npt.NDArray[np.uint32] | None = None
    content: npt.NDArray[np.uint64] | None = None
    group_codes: npt.NDArray[np.uint32] | None = None
    repeated: npt.NDArray[np.uint8] | None = None
    bands: npt.NDArray[np.uint64] | None = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.tokens)

    def at(self, where: slice) -> Scores:
        """Return the scores of some of the rows, without a copy."""
        return Scores._make(None if column is None else column[..., where] for column in self)

    def to_batch(self) -> pa.RecordBatch:
        """Return the scores as an Arrow batch."""
        single = [column for column in self[1:7] if column is not None]
        several = [() if column is None else column for column in (self.group_codes, self.bands)]
        columns = [
            to_arrow(column) for column in (*self.log_weight, *single, *several[0], *several[1])
        ]
        return pa.record_batch(columns, schema=form_of(self).schema)


@dataclass(frozen=True, slots=True)
class ScoreForm:
    """Which columns a table of scores has.

    Attributes:
        columns: log-weights of each row.
        reasons: whether there are quality filters.
        chunks: whether the rows are windows, cut from the shard's rows.
        content: whether there are content hashes.
        groups: how many quota columns there are.
        repeated: whether duplicates were looked for. Never written to the file.
        bands: how many keys of bands there are.
    """

    columns: int = 1
    reasons: bool = False
    chunks: bool = False
    content: bool = False
    groups: int = 0
    repeated: bool = False
    bands: int = 0

    @property
    def schema(self) -> pa.Schema:
        """The columns of the file."""
        single = self.columns == 1
        names = ["log_weight"] if single else [f"log_weight_{i}" for i in range(self.columns)]
        fields = [(name, pa.float64()) for name in names]
        fields += [("tokens", pa.uint32()), ("bytes", pa.uint32())]
        fields += [("reason", pa.uint8())] * self.reasons
        fields += [("source_row", pa.int64()), ("start", pa.uint32())] * self.chunks
        fields += [("content", pa.uint64())] * self.content
        fields += [(f"group_{i}", pa.uint32()) for i in range(self.groups)]
        fields += [(f"band_{i}", pa.uint64()) for i in range(self.bands)]
        return pa.schema([pa.field(name, kind, nullable=False) for name, kind in fields])

    @property
    def nothing(self) -> Scores:
        """The scores of no rows."""
        return Scores(
            np.zeros((self.columns, 0)),
            np.zeros(0, np.uint32),
            np.zeros(0, np.uint32),
            np.zeros(0, np.uint8) if self.reasons else None,
            np.zeros(0, np.int64) if self.chunks else None,
            np.zeros(0, np.uint32) if self.chunks else None,
            np.zeros(0, np.uint64) if self.content else None,
            np.zeros((self.groups, 0), np.uint32) if self.groups else None,
            np.zeros(0, np.uint8) if self.repeated else None,
            np.zeros((self.bands, 0), np.uint64) if self.bands else None,
        )

    def scores_of(self, batch: pa.RecordBatch) -> Scores:
        """Return the scores in an Arrow batch that has this form's schema."""
        columns: Iterator[npt.NDArray[Any]] = map(to_numpy, batch.columns)
        log_weight = np.stack([next(columns) for _ in range(self.columns)])
        single = [None if empty is None else next(columns) for empty in self.nothing[1:7]]
        group_codes = np.stack([next(columns) for _ in range(self.groups)]) if self.groups else None
        bands = np.stack(list(columns)) if self.bands else None
        return Scores._make([log_weight, *single, group_codes, None, bands])


@functools.cache
def form_of_columns(columns: int, reasons: bool, chunks: bool, extra: ExtraColumns) -> ScoreForm:
    """Return the form with these columns: one object for the results of all units."""
    bands = _core.MINHASH_BANDS if extra.bands else 0
    return ScoreForm(columns, reasons, chunks, extra.content, len(extra.groups), bands=bands)


def form_of(scores: Scores) -> ScoreForm:
    """Return which columns these scores have."""
    return ScoreForm(
        len(scores.log_weight),
        scores.reason is not None,
        scores.source_row is not None,
        scores.content is not None,
        0 if scores.group_codes is None else len(scores.group_codes),
        bands=0 if scores.bands is None else len(scores.bands),
    )


def join(tables: Iterable[Scores], form: ScoreForm) -> Scores:
    """Concatenate scores that have this form."""
    columns = zip(*[form.nothing, *tables], strict=True)
    return Scores._make(
        None if column[0] is None else np.concatenate(column, axis=-1) for column in columns
    )


def read_scores(path: Path, form: ScoreForm) -> Iterator[Scores]:
    """Read a file of scores.

    Raises:
        WorkdirError: the file is missing or damaged.
    """
    with opened_scores(path, form.schema) as reader:
        for number in range(reader.num_record_batches):
            yield form.scores_of(reader.get_batch(number))


@contextmanager
def opened_scores(
    path: Path, schema: pa.Schema, names: Sequence[str] | None = None
) -> Iterator[pa.ipc.RecordBatchFileReader]:
    """Open a file of scores for the block, to read its batches as they were written.

    Args:
        path: the file.
        schema: the columns of the file.
        names: the columns to read, in the order of the schema; None for all. Others are not read
            from the disk.

    Raises:
        WorkdirError: the file is missing or damaged.
    """
    options = None
    if names is not None:
        options = pa.ipc.IpcReadOptions(included_fields=list(map(schema.get_field_index, names)))
        schema = pa.schema([schema.field(name) for name in names])
    with (
        translated(
            lambda error: WorkdirError(
                f"{path}: cannot be read as scores: {error}; remove it and its marker to score the "
                "shard again"
            )
        ),
        # Not memory-mapped: mapped pages count as memory of this process, which would then grow
        # with the file.
        pa.OSFile(str(path)) as file,
        pa.ipc.open_file(file, options=options) as reader,
    ):
        if reader.schema != schema:
            raise WorkdirError(f"{path}: is not a file of scores with the columns of this run")
        yield reader


def in_runs(tables: Iterable[Scores], form: ScoreForm, size: int = RUN_ROWS) -> Iterator[Scores]:
    """Cut scores into runs of `size` rows, so that sums over runs do not depend on the batches."""
    # Tables are joined only when they fill a run: units may be small, and each join copies all
    # waiting tables.
    waiting: list[Scores] = []
    rows = 0
    for table in tables:
        waiting.append(table)
        rows += table.rows
        if rows < size:
            continue
        joined = join(waiting, form)
        whole = rows - rows % size
        for first in range(0, whole, size):
            yield joined.at(slice(first, first + size))
        waiting, rows = [joined.at(slice(whole, None))], rows - whole
    if rows:
        yield join(waiting, form)
