"""Rows kept as they pass: what may still be selected is put aside while it is scored.

To write a selection its rows have to be fetched, and a row group is decoded whole for a single row
of it. While rows are scored their texts are at hand, so those that may still be selected (a bar
that only rises says which: `cpp/sampling/rising_bar.hpp`) are written to a file beside the scores,
with their other columns. What is kept changes nothing but the time: a selected row that was not
kept, for whatever reason, is fetched from the input.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus import Shard, TakenRows, TextBatch
from dsir.corpus.parquet import ParquetShard
from dsir.corpus.take_rows import take_rows, take_values
from dsir.errors import InputError
from dsir.output.dictionaries import has_dictionary
from dsir.primitive_arrays import to_arrow, to_numpy
from dsir.sampling import KeyRule
from dsir.stages.draw_settings import DrawSettings
from dsir.stages.score_table import Scores

_HELD_BYTES = 8 << 20
_ROW = pa.field("dsir_row", pa.int64(), nullable=False)


class Gate:
    """Lets rows through that may still be selected. Shared by the tasks of a stage; thread-safe.

    In another process it begins anew: more is let through there.

    Args:
        settings: how rows will be drawn.
        amounts: what each target takes of the budget, in the order in which they take.
        most_bytes: what may be kept in all.
    """

    def __init__(self, settings: DrawSettings, amounts: Sequence[int], most_bytes: int) -> None:
        self._arguments = (settings, tuple(amounts), most_bytes)
        self._settings = settings
        self._bars = []
        before = 0
        for number, amount in enumerate(amounts):
            # What targets before this one take is out of its reach, so it may go down so far.
            before += amount
            rule: KeyRule = settings.rule.of_target(number)
            if amount:
                self._bars.append((number, _core.RisingBar(rule.core, before)))
        self._left = most_bytes
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Gate, self._arguments)

    def may_be_selected(self, scores: Scores, first_row: int) -> npt.NDArray[np.int64]:
        """Return the positions of the rows that may still be selected, ascending.

        Args:
            scores: of consecutive rows.
            first_row: global row number of the first.
        """
        eligible = self._settings.eligible(scores)
        cost = self._settings.cost(scores)
        found = [
            bar.add(scores.log_weight[number], eligible, first_row, cost=cost)
            for number, bar in self._bars
        ]
        return found[0] if len(found) == 1 else np.unique(np.concatenate(found))

    def takes(self, amount: int) -> bool:
        """Say whether so many bytes more may be kept."""
        with self._lock:
            self._left -= amount
            return self._left >= 0


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep rows of one shard.

    Attributes:
        gate: says which.
        first_row: global row number of the shard's first row.
        path: where they go.
    """

    gate: Gate
    first_row: int
    path: Path


class RowKeeper:
    """Writes the rows of a shard that may still be selected; a context manager.

    Args:
        shard: the shard; one that `can_keep` accepts.
        keep: which rows, and where to.
    """

    def __init__(self, shard: ParquetShard, keep: Keep) -> None:
        self._shard = shard
        self._keep = keep
        self._schema: pa.Schema = shard.schema()
        self._rows: list[npt.NDArray[np.int64]] = []
        self._texts: list[pa.Array] = []
        self._held = 0
        self._full = False
        self._failed = False
        self._file = pa.OSFile(str(keep.path), "wb")
        self._stream: Any = None

    def look_at(self, batch: TextBatch, scores: Scores) -> None:
        """Put aside the rows of a batch that may still be selected."""
        positions = self._keep.gate.may_be_selected(scores, self._keep.first_row + batch.first_row)
        if self._full or self._failed or not len(positions):
            return
        self._rows.append(positions + batch.first_row)
        self._texts.append(take_values(batch.text, positions))
        self._held += int(scores.bytes[positions].sum(dtype=np.int64))
        if self._held > (self._shard.limits.batch_bytes or _HELD_BYTES):
            self._write()

    def __enter__(self) -> RowKeeper:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._write()
        for closing in (self._stream, self._file):
            try:
                if closing is not None:
                    closing.close()
            except OSError:  # The end of what could not be written whole.
                self._failed = True

    def finished(self) -> Path | None:
        """Return the file, once the block has ended; None where it was not made.

        A full disk, or columns beside the text that cannot be read, are not this one's to tell of:
        without it, the rows are fetched from the input, and whoever does that deals with them.
        """
        return None if self._failed or self._stream is None else self._keep.path

    def _write(self) -> None:
        if self._rows and not self._failed:
            try:
                self._write_held()
            except (InputError, OSError, pa.ArrowException):
                self._failed = True
        self._rows, self._texts, self._held = [], [], 0

    def _write_held(self) -> None:
        rows, texts = np.concatenate(self._rows), pa.concat_arrays(self._texts)
        position = self._schema.get_field_index(self._shard.text)
        at = 0
        for others in self._shard.take_beside(rows):
            stop = at + len(others)
            columns = list(others.columns)
            columns.insert(position, texts.slice(at, len(others)))
            columns.append(to_arrow(rows[at:stop]))
            if self._stream is None:
                self._stream = pa.ipc.new_stream(self._file, self._schema.append(_ROW))
            self._stream.write_batch(
                pa.RecordBatch.from_arrays(columns, schema=self._schema.append(_ROW))
            )
            at = stop
        if not self._keep.gate.takes(self._held):
            self._full = True


def can_keep(shard: Shard) -> bool:
    """Tell whether rows of a shard can be kept: Parquet, the text not nested, no dictionaries.

    A dictionary is shared by all rows of a row group, and would be kept with every few of them.

    Raises:
        InputError: the shard cannot be read.
    """
    if not isinstance(shard, ParquetShard):
        return False
    schema = shard.schema()
    nested = shard.text not in schema.names
    return not nested and not any(has_dictionary(field.type) for field in schema)


def taken_of_kept(
    path: Path, shard: ParquetShard, wanted: npt.NDArray[np.int64], threads: int
) -> Iterator[TakenRows]:
    """Fetch rows by their number: those that were kept, the others from the shard.

    Args:
        path: the file of kept rows.
        shard: what they were kept of.
        wanted: ascending row numbers.
        threads: how many the reader of the shard may use.
    """
    done = 0
    schema = shard.schema()
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
        for batch in stream:
            rows = to_numpy(batch.column(batch.num_columns - 1))
            stop = done + int(np.searchsorted(wanted[done:], rows[-1], side="right"))
            here = wanted[done:stop]
            done = stop
            if not len(here):
                continue
            positions = np.searchsorted(rows, here)
            if not np.array_equal(rows[positions], here):
                yield from shard.take(here, threads=threads)
                continue
            records = take_rows(batch, positions)
            records = pa.RecordBatch.from_arrays(records.columns[:-1], schema=schema)
            yield TakenRows(here, records.column(shard.text), records=records)
    yield from shard.take(wanted[done:], threads=threads)
