"""A file that cannot be read keeps no memory once its error has been dealt with.

An error whose traceback has a frame that holds the error is freed by Python's collector alone,
which looks only now and then; until then it keeps all that its frames hold, megabytes a file.
"""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dsir.corpus import resolve
from dsir.errors import DsirError

LINES = b"".join(b'{"text": "the ship and the sea %d"}\n' % row for row in range(3000))


def _by_pyarrow(codec: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(LINES)
    return bytes(sink.getvalue())


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": ["the ship and the sea"] * 3000}), sink)
    return sink.getvalue()


def _arrow() -> bytes:
    sink = io.BytesIO()
    table = pa.table({"text": ["the ship and the sea"] * 3000})
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=500)
    return sink.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "a.jsonl.gz": lambda: gzip.compress(LINES, mtime=0),
    "a.jsonl.bz2": lambda: bz2.compress(LINES),
    "a.jsonl.zst": lambda: _by_pyarrow("zstd"),
    "a.jsonl.lz4": lambda: _by_pyarrow("lz4"),
    "a.txt.gz": lambda: gzip.compress(LINES, mtime=0),
    "a.csv": lambda: b'text,n\n"a",1\n' * 2000 + b'"never closed' + b"a\n" * 3000,
    "a.parquet": _parquet,
    "a.arrow": _arrow,
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_a_damaged_file_keeps_no_memory(tmp_path: Path, name: str, where: float) -> None:
    data = bytearray(FILES[name]())
    at = int(where * len(data))
    for byte in range(at, min(at + 40, len(data))):
        data[byte] ^= 0x5A
    (tmp_path / name).write_bytes(data[: len(data) - 20])
    gc.collect()
    gc.disable()
    try:
        before = pa.total_allocated_bytes()
        with pytest.raises(DsirError) as refused:
            _read(tmp_path / name)
        del refused
        # A reader of CSV has a thread of its own, which may still be on its way out.
        for _ in range(200):
            if pa.total_allocated_bytes() == before:
                break
            time.sleep(0.05)
        assert pa.total_allocated_bytes() == before
    finally:
        gc.enable()


def _read(path: Path) -> None:
    for shard in resolve(path, text="text").shards:
        for _ in shard.text_batches(on_error="raise"):
            pass
