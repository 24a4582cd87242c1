"""Footers that contradict themselves are refused, whoever reads them."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir._core import ParquetFooter
from dsir.corpus import resolve
from dsir.errors import ShardError


def footer(data: bytes) -> tuple[bytes, int]:
    length = int.from_bytes(data[-8:-4], "little")
    return data[-8 - length : -8], len(data) - 8 - length


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "good.parquet"
    texts = pa.array([f"text {row}" for row in range(90)])
    lists = pa.array([[1, 2], [], None] * 30)
    table = pa.table({"text": texts, "tags": lists, "s": pa.array([{"a": 1}, None] * 45)})
    pq.write_table(table, path, row_group_size=30, write_statistics=False, use_dictionary=False)
    return path.read_bytes()


def test_a_good_footer_passes(data):
    ParquetFooter(*footer(data))


@pytest.mark.parametrize("rows", [0, 1])
def test_files_of_no_rows_or_groups_pass(tmp_path, rows):
    path = tmp_path / "few.parquet"
    with pq.ParquetWriter(path, pa.schema([("text", pa.string())])) as writer:
        for _ in range(rows):
            writer.write_table(pa.table({"text": pa.array([], pa.string())}))
    ParquetFooter(*footer(path.read_bytes()))
    (shard,) = resolve(path, text="text").shards
    assert list(shard.text_batches(on_error="raise")) == []


def with_number(data: bytes, old: int, new: int, which: int) -> bytes:
    """Replace one 64-bit number of a footer by another that has as many bytes."""
    content, end = footer(data)
    places = [at.start() for at in re.finditer(re.escape(varint(old)), content)]
    at = end + places[which]
    assert len(varint(old)) == len(varint(new))
    return data[:at] + varint(new) + data[at + len(varint(new)) :]


def varint(value: int) -> bytes:
    value, parts = 2 * value if value >= 0 else -2 * value - 1, []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def is_refused(read) -> bool:
    try:
        read()
    except ShardError as error:
        return "the footer is damaged" in str(error)
    return False


def test_every_number_of_rows_is_compared_with_the_others(data, tmp_path):
    path = tmp_path / "changed.parquet"
    content, _ = footer(data)
    refused = 0
    for which in range(content.count(varint(30))):
        path.write_bytes(with_number(data, 30, 29, which))
        (shard,) = resolve(path, text="text").shards
        for read in (
            lambda shard=shard: list(shard.text_batches(on_error="skip")),
            lambda shard=shard: list(shard.take(np.array([70]))),
            lambda shard=shard: list(shard.take_beside(np.array([70]))),
            lambda shard=shard: shard.rows_in_metadata(),
        ):
            refused += is_refused(read)
    # Three row groups, and in each the column chunks without lists.
    assert refused >= 4 * 3 * 3


def test_a_file_that_contradicts_itself_is_a_listed_skip(data, tmp_path):
    good, changed = tmp_path / "good.parquet", tmp_path / "changed.parquet"
    changed.write_bytes(with_number(data, 90, 89, 0))
    done = dsir.select(
        [good, changed], ["text 70"] * 20, n=1, min_tokens=1, progress=False, on_error="skip"
    )
    assert [entry.path for entry in done.skipped if entry.rows == 0]
    assert all("the row groups have more rows than the file" in e.reason for e in done.skipped)


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_a_footer_that_ends_early_is_refused(data, cut):
    content, end = footer(data)
    with pytest.raises(ValueError, match=r"."):
        ParquetFooter(content[:cut], end)


def test_chunks_outside_of_the_file_or_over_each_other_are_refused(data):
    content, end = footer(data)
    with pytest.raises(ValueError, match="lies outside of the file"):
        ParquetFooter(content, end // 2)
    with pq.ParquetFile(pa.BufferReader(data)) as file:
        second = file.metadata.row_group(1).column(0).data_page_offset
        first = file.metadata.row_group(2).column(0).data_page_offset
    changed = data.replace(varint(first), varint(second))
    with pytest.raises(ValueError, match="overlap"):
        ParquetFooter(*footer(changed))


def test_nested_lists_do_not_end_the_process():
    with pytest.raises(ValueError, match="nested too deeply"):
        ParquetFooter(b"\x59" + b"\x19" * 1000, 100)
