"""Every bit of a small file flipped, one at a time, and read by everything that reads files.

    python tests/endurance/bit_flips.py --every 1

What may come out of a changed file is an error of dsir, a listed skip, or the right rows. A Parquet
file is changed in its footer: its pages have checksums if the writer wants them. An Arrow file is
changed everywhere. It has no checksums, so that nobody can tell a changed byte of a text from a
text; there only the number of rows must be right, and no reader may crash. The same goes for what
a file says once only: names of columns in an Arrow schema, and types of columns in either.
"""

from __future__ import annotations

import argparse
import faulthandler
import functools
import io
import json
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import dsir
from dsir.corpus import resolve
from dsir.errors import DsirError

ROWS = 60
TEXTS = [f"document number {row} of the harbour, word{row} word{row}" for row in range(ROWS)]
TABLE = pa.table(
    {
        "id": pa.array(range(ROWS)),
        "text": TEXTS,
        "site": [f"s{row % 3}" for row in range(ROWS)],
        "tags": pa.array([["a", "b"], None, []] * (ROWS // 3)),
    }
)
WANTED = np.array([1, 25, ROWS - 1], dtype=np.int64)


def parquet(**options: Any) -> bytes:
    """Return a Parquet file of three row groups."""
    sink = io.BytesIO()
    settings = {"use_dictionary": False, "compression": "none", "write_statistics": False}
    pq.write_table(TABLE, sink, row_group_size=20, **{**settings, **options})
    return sink.getvalue()


def arrow() -> bytes:
    """Return an Arrow file of three record batches."""
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=20)
    return sink.getvalue()


def footer_bits(data: bytes) -> range:
    """Return the numbers of the bits of a Parquet footer, with its length and magic."""
    length = int.from_bytes(data[-8:-4], "little") + 8
    return range(8 * (len(data) - length), 8 * len(data))


def flipped(data: bytes, bit: int) -> bytes:
    """Return the bytes with one bit changed."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def faults_of(path: Path, *, exact: bool) -> Iterator[str]:
    """Read a changed file in every way; yield what came out wrong.

    Args:
        path: the file.
        exact: whether the rows that come out must be those that were written.
    """
    try:
        (shard,) = resolve(path, text="text").shards
    except DsirError:
        return
    shard = shard.surveyed()
    for on_error in ("raise", "skip"):
        try:
            texts, bad = [], 0
            for batch in shard.text_batches(on_error=on_error, groups=["site"]):
                if batch.unit_row != len(texts):
                    yield "rows are not in order"
                texts += batch.text.cast(pa.binary()).to_pylist()
                bad += sum(one.rows for one in batch.bad)
            if len(texts) != ROWS or (exact and [t and t.decode() for t in texts] != TEXTS):
                yield f"{on_error}: {len(texts)} rows, or other texts"
        except DsirError:
            pass
    try:
        found = pa.Table.from_batches([part.records for part in shard.take(WANTED)])
        if found.num_rows != len(WANTED):
            yield f"take: {found.num_rows} rows"
        elif exact and not _same(found, TABLE.take(pa.array(WANTED))):
            yield "take: other rows"
    except DsirError:
        pass
    try:
        # What `dsir gais` reads, and what a dry run counts.
        table, counted = shard.read_table(), shard.rows_in_metadata()
        if table.num_rows != ROWS or counted not in (None, ROWS):
            yield f"read_table: {table.num_rows} rows, counted {counted}"
        elif exact and not _same(table, TABLE):
            yield "read_table: other rows"
    except DsirError:
        pass
    try:
        beside = list(shard.take_beside(WANTED)) if shard.kept_as == "records" else []
        if exact and beside:
            right = TABLE.drop_columns(["text"]).take(pa.array(WANTED))
            if not _same(pa.Table.from_batches(beside), right):
                yield "take_beside: other rows"
    except DsirError:
        pass
    yield from _faults_of_select(path, exact=exact)


def _same(found: pa.Table, right: pa.Table) -> bool:
    """Tell whether two tables have the same values in all columns that are of the same type."""
    return found.column_names == right.column_names and all(
        one == other or one.type != other.type
        for one, other in zip(found.columns, right.columns, strict=True)
    )


def _selected(path: Path) -> dsir.Selection:
    return dsir.select(
        path,
        [TEXTS[25]] * 3,
        n=5,
        min_tokens=1,
        method="top-k",
        fit_tokens="all",
        features=dsir.HashedNgrams(n=1, buckets=1000),
        on_error="skip",
        threads=1,
        progress=False,
    )


@functools.cache
def _expected() -> list[str]:
    """The texts that are selected from a file that nobody changed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "good.parquet"
        path.write_bytes(parquet())
        return _selected(path).table.column("text").to_pylist()


def _faults_of_select(path: Path, *, exact: bool) -> Iterator[str]:
    try:
        done = _selected(path)
    except DsirError:
        return
    read, texts = done.metrics.describe()["rows"]["read"], done.table.column("text").to_pylist()
    if done.skipped:
        if exact and any(text not in TEXTS for text in texts):
            yield "select: a text that nobody wrote"
    elif read != ROWS:
        yield f"select: read {read} rows, and lists no loss"
    elif exact and texts != _expected():
        yield "select: other documents"


def run(name: str, data: bytes, bits: range, *, exact: bool, found: list[str]) -> int:
    """Flip bits of a file; add what is wrong to `found`, and return how many bits were flipped."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"changed.{name}"
        for bit in bits:
            path.write_bytes(flipped(data, bit))
            faulthandler.dump_traceback_later(60, exit=True)
            found += [f"{name}, bit {bit}: {fault}" for fault in faults_of(path, exact=exact)]
    faulthandler.cancel_dump_traceback_later()
    return len(bits)


def main() -> None:
    """Flip the bits that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="flip every n-th bit")
    parser.add_argument("--from-bit", type=int, default=0, help="begin at this one")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    found: list[str] = []
    flips = 0
    for settings in ({}, {"use_dictionary": True, "compression": "zstd"}):
        data = parquet(**settings)
        bits = footer_bits(data)[options.from_bit :: options.every]
        flips += run("parquet", data, bits, exact=True, found=found)
    data = arrow()
    bits = range(options.from_bit, 8 * len(data), options.every)
    flips += run("arrow", data, bits, exact=False, found=found)
    print(json.dumps({"flips": flips, "found": found}))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
