"""Gives the groups of a corpus one at a time: rows that share a key, in any order in the files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus import Corpus
from dsir.corpus.cast_columns import cast_column
from dsir.errors import SettingError
from dsir.primitive_arrays import to_arrow, to_numpy
from dsir.remote import Location, RemotePath

# The texts are sorted into files of about this size; each file is read back as a whole.
_BUCKET_BYTES = 64 << 20
_MOST_BUCKETS = 256
_SCHEMA = pa.schema([("row", pa.int64()), ("text", pa.large_string())])


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one group.

    Attributes:
        key: the value of the group column; None for rows without a value.
        rows: int64, global row numbers, ascending.
        texts: large_string.
    """

    key: str | None
    rows: npt.NDArray[np.int64]
    texts: pa.Array


@dataclass(frozen=True, slots=True)
class Grouping:
    """The group of every row.

    Attributes:
        keys: the keys, in the order of their first rows.
        codes: int32[rows], for each row the position of its key in `keys`; -1 for a row that could
            not be read, which is in no group.
    """

    keys: list[str | None]
    codes: npt.NDArray[np.int32]


def read_grouping(corpus: Corpus, bad_rows: Sequence[npt.NDArray[np.int64]]) -> Grouping:
    """Read the group of every row of a corpus.

    Args:
        corpus: the corpus, opened with the group column as its text column.
        bad_rows: for each shard, the rows that could not be read: int64, ascending.

    Raises:
        SettingError: a key is not UTF-8.
        InputError: the corpus cannot be read, or the column is missing or not text.
    """
    codes_of: dict[str | None, int] = {}
    batch_codes = []
    for shard, bad in zip(corpus.shards, bad_rows, strict=True):
        for batch in shard.text_batches(on_error="raise"):
            encoded = batch.text
            if not pa.types.is_dictionary(encoded.type):
                encoded = encoded.dictionary_encode()
            try:
                keys = encoded.dictionary.to_pylist()
            except UnicodeDecodeError as error:
                raise SettingError(
                    f"{shard.name}: column {shard.text!r} holds a key that is not UTF-8"
                ) from error
            # Behind the keys come the place of rows without a key, and that of bad rows.
            at = np.full(len(keys) + 2, -1, dtype=np.int32)
            positions = np.full(len(encoded), len(keys), dtype=np.int64)
            valid = to_numpy(encoded.is_valid().cast(pa.uint8())) != 0
            indices = encoded.indices
            positions[valid] = to_numpy(indices.drop_null().cast(pa.int64()))
            end = batch.unit_row + len(encoded)
            own = bad[np.searchsorted(bad, batch.unit_row) : np.searchsorted(bad, end)]
            positions[own - batch.unit_row] = len(keys) + 1
            # Keys are numbered in the order of their first rows, not of the dictionary.
            unique, first = np.unique(positions, return_index=True)
            for position in unique[np.argsort(first)].tolist():
                if position > len(keys):
                    continue
                key = keys[position] if position < len(keys) else None
                at[position] = codes_of.setdefault(key, len(codes_of))
            batch_codes.append(at[positions])
    codes = np.concatenate(batch_codes) if batch_codes else np.zeros(0, dtype=np.int32)
    return Grouping(list(codes_of), codes)


def groups_of(corpus: Corpus, grouping: Grouping, scratch: Location) -> Iterator[Group]:
    """Give the groups of a corpus, in the order of their first rows.

    The texts are first sorted into files, so that rows may lie in any order. Memory holds one file:
    about 64 MB of small groups, or one large group.

    Args:
        corpus: the texts.
        grouping: the group of every row.
        scratch: a folder to create a temporary folder in, which is removed at the end. If `scratch`
            is in a store, this machine's folder for temporary files is used instead.

    Raises:
        InputError: the corpus cannot be read.
        SettingError: the corpus has more rows than the grouping.
    """
    rows_per_group = np.bincount(grouping.codes[grouping.codes >= 0], minlength=len(grouping.keys))
    buckets = int(np.clip(-(-corpus.size * 2 // _BUCKET_BYTES), 1, _MOST_BUCKETS))
    before = np.cumsum(rows_per_group) - rows_per_group
    bucket_of_group = before * buckets // max(1, len(grouping.codes))
    place = None if isinstance(scratch, RemotePath) else scratch
    with tempfile.TemporaryDirectory(prefix=".dsir-groups-", dir=place) as folder:
        files = _sort_into_files(corpus, grouping, bucket_of_group, Path(folder))
        for file in files:
            with pa.OSFile(str(file)) as source:
                table = pa.ipc.open_stream(source).read_all().combine_chunks()
            rows = to_numpy(table.column("row").combine_chunks())
            texts = table.column("text").combine_chunks()
            codes = grouping.codes[rows]
            order = np.argsort(codes, kind="stable")
            present, starts = np.unique(codes[order], return_index=True)
            for code, members in zip(
                present.tolist(), np.split(order, starts[1:].tolist()), strict=True
            ):
                yield Group(grouping.keys[code], rows[members], texts.take(to_arrow(members)))


def _sort_into_files(
    corpus: Corpus, grouping: Grouping, bucket_of_group: npt.NDArray[np.int64], folder: Path
) -> list[Path]:
    writers: dict[int, pa.RecordBatchStreamWriter] = {}
    paths: dict[int, Path] = {}
    row = 0
    try:
        for shard in corpus.shards:
            for batch in shard.text_batches(on_error="raise"):
                texts = cast_column(batch.text, pa.large_string())
                rows = np.arange(row, row + len(texts), dtype=np.int64)
                row += len(texts)
                if row > len(grouping.codes):
                    raise SettingError(f"{shard.name}: changed while the run was going on")
                codes = grouping.codes[rows]
                grouped = np.flatnonzero(codes >= 0)
                buckets = bucket_of_group[codes[grouped]]
                for bucket in np.unique(buckets).tolist():
                    if bucket not in writers:
                        paths[bucket] = folder / f"{bucket:03d}.arrow"
                        writers[bucket] = pa.ipc.new_stream(str(paths[bucket]), _SCHEMA)
                    members = grouped[buckets == bucket]
                    columns = [to_arrow(rows[members]), texts.take(to_arrow(members))]
                    writers[bucket].write_batch(pa.RecordBatch.from_arrays(columns, schema=_SCHEMA))
    finally:
        for writer in writers.values():
            writer.close()
    return [paths[bucket] for bucket in sorted(paths)]
