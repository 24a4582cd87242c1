"""Rows that share values are handled as the bytes that they take once they stand alone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dsir.corpus.batches import text_bytes
from dsir.corpus.cast_columns import cast_column
from dsir.corpus.memory import MemoryShard
from dsir.corpus.resolve import resolve
from dsir.corpus.row_bytes import row_bytes, shares_values
from dsir.corpus.take_rows import take_few, take_rows

LONG = "x" * 3000
VALUES = ["a", None, LONG, "bc", LONG, "a"]
BYTES = [8 + len(one or "") for one in VALUES]
ENDS = pa.array([1, 2, 3, 4, 5, 6], pa.int32())
PLAIN = pa.array(VALUES)
SHARED = {
    "dictionary": PLAIN.dictionary_encode(),
    "dictionary of views": cast_column(PLAIN, pa.dictionary(pa.int8(), pa.string_view())),
    "string_view": PLAIN.cast(pa.string_view()),
    "binary_view": PLAIN.cast(pa.binary()).cast(pa.binary_view()),
    "runs": pa.RunEndEncodedArray.from_arrays(ENDS, PLAIN),
}


@pytest.mark.parametrize("array", SHARED.values(), ids=SHARED.keys())
def test_a_shared_value_counts_for_each_row(array):
    assert shares_values(array.type)
    found = row_bytes(array)
    valid = np.array([one is not None for one in VALUES])
    assert found[valid].tolist() == np.array(BYTES)[valid].tolist()
    assert row_bytes(array.slice(2, 3)).tolist() == found[2:5].tolist()


@pytest.mark.parametrize("array", SHARED.values(), ids=SHARED.keys())
def test_at_any_depth(array):
    if not pa.types.is_run_end_encoded(array.type):  # pyarrow has no lists of runs.
        lists = pa.ListArray.from_arrays(pa.array([0, 1, 4, 6], pa.int32()), array)
        inner = row_bytes(array)
        sums = [inner[:1].sum(), inner[1:4].sum(), inner[4:].sum()]
        assert shares_values(lists.type)
        assert row_bytes(lists).tolist() == [8 + one for one in sums]
    struct = pa.StructArray.from_arrays([array, pa.array(range(6))], names=["a", "b"])
    assert shares_values(struct.type)
    assert row_bytes(struct).tolist() == (row_bytes(array) + 8).tolist()


def test_lists_of_other_kinds():
    values = pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int32(), 2))
    assert row_bytes(values.slice(1)).tolist() == [24, 24]
    views = pa.array([[1], [2, 3], []], pa.list_view(pa.int64()))
    assert row_bytes(views).tolist() == [16, 24, 8]
    assert not shares_values(pa.list_(pa.string()))


@pytest.mark.parametrize("array", SHARED.values(), ids=SHARED.keys())
def test_few_rows_are_taken_at_a_time(array):
    rows = np.arange(100) % 6
    column = array.take(pa.array(rows)) if pa.types.is_dictionary(array.type) else array
    batch = pa.record_batch({"id": range(len(column)), "shared": column})
    wanted = np.arange(0, len(column), 1, dtype=np.int64)
    parts = list(take_few(batch, wanted, 7000))
    assert np.concatenate([places for places, _ in parts]).tolist() == wanted.tolist()
    for places, records in parts:
        assert records.equals(take_rows(batch, places))
        assert len(places) == 1 or row_bytes(records.column(1)).sum() <= 7000


def test_a_taken_dictionary_holds_no_more_than_its_rows_need():
    column = pa.array([f"value {row}" for row in range(1000)]).dictionary_encode()
    batch = pa.record_batch({"a": column})
    taken = take_rows(batch, np.array([5, 5, 900])).column(0)
    assert taken.to_pylist() == ["value 5", "value 5", "value 900"]
    assert len(taken.dictionary) == 2
    nothing = pa.record_batch({"a": pa.array(["a", None, "b"]).dictionary_encode()})
    assert take_rows(nothing, np.array([1, 2])).column(0).to_pylist() == [None, "b"]


def test_texts_that_rows_share_are_read_few_at_a_time(monkeypatch):
    monkeypatch.setattr("dsir.corpus.batches.BATCH_BYTES", 10_000)
    table = pa.table({"text": pa.array([LONG] * 40).dictionary_encode()})
    (shard,) = resolve(table).shards
    assert isinstance(shard, MemoryShard)
    batches = list(shard.text_batches(on_error="raise"))
    assert max(len(batch.text) for batch in batches) == 3
    assert sum(text_bytes(batch.text) for batch in batches) == 40 * (8 + len(LONG))
    taken = list(shard.take(np.arange(40)))
    assert max(len(one.rows) for one in taken) == 3
    assert np.concatenate([one.rows for one in taken]).tolist() == list(range(40))
