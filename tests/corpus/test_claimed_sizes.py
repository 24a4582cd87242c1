"""Files of a few bytes that claim or decompress to far more: refused while they are read."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.corpus import resolve
from dsir.corpus.batches import READ_LIMITS, ReadLimits
from dsir.errors import ShardError

PEAK = """
import sys, dsir
from dsir.corpus import resolve
(shard,) = resolve(sys.argv[1], text="text").shards
try:
    for batch in shard.text_batches(on_error="skip"):
        pass
    print("read")
except dsir.ShardError as error:
    print(error)
print([line for line in open("/proc/self/status") if line.startswith("VmHWM")][0].split()[1])
"""


def peak_of(path) -> tuple[str, int]:
    """Read a file in a process of its own; return its message, and its peak in bytes."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True
    )
    message, peak = done.stdout.splitlines()
    return message, 1024 * int(peak)


def test_a_compressed_line_without_an_end_is_refused_at_the_limit(tmp_path):
    path = tmp_path / "zeros.jsonl.zst"
    with pa.CompressedOutputStream(path, "zstd") as file:
        for _ in range(1200):
            file.write(bytes(1 << 20))
    assert path.stat().st_size < 200_000
    message, peak = peak_of(path)
    assert "the line after 0 rows is longer than 256 MiB" in message
    assert peak < 1200 << 20
    assert READ_LIMITS.row_bytes == 256 << 20


def test_lost_rows_that_nobody_can_believe_are_a_lost_file(tmp_path):
    rows = 3_000_000
    path = tmp_path / "claims.parquet"
    pq.write_table(
        pa.table({"text": pa.nulls(rows, pa.string())}), path, row_group_size=rows, compression=None
    )
    assert 100 * path.stat().st_size < rows
    (shard,) = resolve(path, text="text").shards
    assert sum(len(batch.text) for batch in shard.text_batches(on_error="raise")) == rows
    data = bytearray(path.read_bytes())
    data[4:12] = b"\xff" * 8
    path.write_bytes(data)
    (shard,) = resolve(path, text="text").shards
    with pytest.raises(ShardError, match="3,000,000 rows are in a file of"):
        shard.without_damage()
    good = tmp_path / "good.jsonl"
    good.write_text('{"text": "the ship at sea"}\n')
    done = dsir.select(
        [good, path], ["the ship"] * 20, n=1, min_tokens=1, progress=False, on_error="skip"
    )
    assert done.metrics["rows"]["read"] == 1
    assert {entry.path for entry in done.skipped if entry.rows == 0} == {str(path)}


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("columns", ["text", "beside"])
def test_rows_that_share_one_long_text_are_decoded_few_at_a_time(tmp_path, columns, version):
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 5000, pa.int32()), ["ship " * 40_000])
    short = pa.array(["a ship"] * 5000)
    table = pa.table(
        {"text": long, "b": short} if columns == "text" else {"text": short, "b": long}
    )
    path = tmp_path / "shared.parquet"
    pq.write_table(table, path, compression="zstd", store_schema=False, data_page_version=version)
    assert path.stat().st_size < 2000
    (shard,) = resolve(path, text="text").shards
    texts = 0
    for batch in shard.text_batches(on_error="raise"):
        assert batch.text.nbytes < 300 << 20
        texts += len(batch.text)
    assert texts == 5000
    shard = shard.limited(ReadLimits(1 << 20, 10 << 20))
    sizes = [batch.text.nbytes for batch in shard.text_batches(on_error="raise")]
    assert max(sizes) < 11 << 20
    taken = list(shard.take(np.arange(0, 5000, 100)))
    assert sum(len(part.rows) for part in taken) == 50
    assert max(part.records.nbytes for part in taken) < 11 << 20


def test_dictionaries_whose_texts_are_used_once_are_decoded_at_once(tmp_path):
    rows = 3000
    texts = ["ship " * (400_000 if row == 7 else 100) + str(row) for row in range(rows)]
    path = tmp_path / "ordinary.parquet"
    pq.write_table(
        pa.table({"text": texts}), path, compression="snappy", dictionary_pagesize_limit=1 << 30
    )
    (shard,) = resolve(path, text="text").shards
    assert [len(batch.text) for batch in shard.text_batches(on_error="raise")] == [rows]


def test_values_that_begin_with_the_value_before_are_decoded_few_at_a_time(tmp_path):
    path = tmp_path / "deltas.parquet"
    pq.write_table(
        pa.table({"text": ["ship " * 40_000] * 4000}),
        path,
        use_dictionary=False,
        column_encoding="DELTA_BYTE_ARRAY",
        compression="zstd",
        store_schema=False,
    )
    assert path.stat().st_size < 1 << 20
    (shard,) = resolve(path, text="text").shards
    sizes = [batch.text.nbytes for batch in shard.text_batches(on_error="raise")]
    assert max(sizes) < 300 << 20


def test_a_page_that_claims_more_than_its_file_can_have_is_refused(tmp_path):
    path = tmp_path / "zeros.parquet"
    pq.write_table(
        pa.table({"text": ["a" * (300 << 20)], "id": [1]}),
        path,
        compression="zstd",
        use_dictionary=False,
        write_statistics=False,
    )
    assert path.stat().st_size < 100_000
    (shard,) = resolve(path, text="text").shards
    with pytest.raises(ShardError, match=r"says that it has 314,572,8.. bytes once"):
        list(shard.limited(ReadLimits(row_bytes=1 << 30)).text_batches(on_error="raise"))


def test_a_list_of_a_billion_nulls_is_refused(tmp_path):
    values = 100_000_000
    offsets = pa.array([0, values], pa.int32())
    lists = pa.ListArray.from_arrays(offsets, pa.nulls(values, pa.int8()))
    path = tmp_path / "nulls.parquet"
    pq.write_table(pa.table({"text": ["a ship"], "tags": lists}), path)
    assert path.stat().st_size < 2_000_000
    (shard,) = resolve(path, text="text").shards
    assert sum(len(batch.text) for batch in shard.text_batches(on_error="raise")) == 1
    with pytest.raises(ShardError, match=r"a row takes up to 1,6.* bytes once it is decoded"):
        list(shard.take(np.array([0])))
