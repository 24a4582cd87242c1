"""Parquet files in a store whose pages decode to far more than they take: as on this machine."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dsir.corpus import open_parquet, resolve
from dsir.corpus.batches import ReadLimits
from dsir.errors import ShardError
from dsir.remote.held_ranges import HeldRanges
from dsir.remote.remote_file import RemoteFile


@pytest.mark.parametrize("claimed", ["little", "much"])
def test_rows_that_share_one_long_text_are_decoded_few_at_a_time(
    tmp_path, s3, monkeypatch, claimed
):
    if claimed == "much":  # The size after decoding is a claim: it keeps no small file unchecked.
        monkeypatch.setattr(open_parquet, "_WHOLE_GROUP_BYTES", 0)
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), ["ship " * 40_000])
    table = pa.table({"id": range(2000), "text": long})
    path = tmp_path / "shared.parquet"
    pq.write_table(table, path, compression="zstd", store_schema=False)
    (shard,) = resolve(s3.put(path, "shared.parquet"), text="text").shards
    shard = shard.limited(ReadLimits(1 << 20, 10 << 20))
    batches = list(shard.text_batches(on_error="raise"))
    assert sum(len(batch.text) for batch in batches) == 2000
    assert max(batch.text.nbytes for batch in batches) < 11 << 20
    taken = list(shard.take(np.arange(0, 2000, 100)))
    assert sum(len(part.rows) for part in taken) == 20
    assert max(part.records.nbytes for part in taken) < 11 << 20


def test_a_page_that_claims_more_than_its_file_can_have_is_refused(tmp_path, s3):
    path = tmp_path / "zeros.parquet"
    pq.write_table(
        pa.table({"text": ["a" * (300 << 20)], "id": [1]}),
        path,
        compression="zstd",
        use_dictionary=False,
        write_statistics=False,
    )
    (shard,) = resolve(s3.put(path, "zeros.parquet"), text="text").shards
    with pytest.raises(ShardError, match=r"says that it has 314,572,8.. bytes once"):
        list(shard.limited(ReadLimits(row_bytes=1 << 30)).text_batches(on_error="raise"))


def test_the_pages_of_a_row_group_come_in_one_request_and_no_more(tmp_path, s3, proxy):
    texts = [f"the ship of number {row} " * 20 for row in range(4000)]
    path = tmp_path / "pages.parquet"
    pq.write_table(
        pa.table({"text": texts, "id": range(4000)}),
        path,
        row_group_size=2000,
        compression=None,
        use_dictionary=False,
        data_page_size=4000,
    )
    assert path.stat().st_size > 1_000_000
    (shard,) = resolve(s3.put(path, "pages.parquet"), text="text").shards
    shard = shard.surveyed()
    proxy.asked.clear()
    found = [t for b in shard.text_batches(on_error="raise") for t in b.text.to_pylist()]
    assert found == texts
    assert len([asked for asked in proxy.asked if asked.method == "GET"]) <= 2


def test_ranges_that_are_held_are_read_without_a_request(s3):
    data = np.random.default_rng(0).bytes(100_000)
    s3.write("bytes", data)
    file = HeldRanges(RemoteFile(s3 / "bytes", 0))
    file.hold([(50_000, 10), (100, 1000), (1200, 50)])
    fetch, asked = file._file._fetch, []
    file._file._fetch = lambda start, length: asked.append((start, length)) or fetch(start, length)
    # Two of the ranges are near each other, and what is between them came along.
    for start, count in ((100, 1000), (1200, 50), (500, 1), (1000, 250), (50_000, 10)):
        assert file.read_at(start, count) == data[start : start + count]
    source = pa.PythonFile(file, mode="r")
    source.seek(110)
    assert source.read(20) == data[110:130]
    assert asked == []
    for start, count in ((0, 20), (1240, 20), (99_990, 20)):
        file.seek(start)
        assert file.read(count) == data[start : start + count]
    file.hold([])
    assert file.read_at(100, 10) == data[100:110]
    file.close()
