"""Columns are cast between any two types that hold the same values, at any depth."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dsir.corpus import resolve
from dsir.corpus.cast_columns import cast_column, cast_table, viewless_type
from dsir.corpus.take_rows import take_rows

WORDS = ["a", None, "bb", "a", "ccc"]
LISTS = [["a", None], None, [], ["bb", "a"], ["a"]]
PAIRS = [[("k", "a")], None, [], [("k", None), ("l", "bb")], [("m", "a")]]
ONES = [["a"], None, ["bb"], [None], ["a"]]


def runs_of(values: list[object], kind: pa.DataType) -> pa.Array:
    ends = pa.array(range(1, len(values) + 1), pa.int32())
    return pa.RunEndEncodedArray.from_arrays(ends, pa.array(values, kind))


def encoded(values: list[object], kind: pa.DataType, index: pa.DataType) -> pa.Array:
    return cast_column(pa.array(values), pa.dictionary(index, kind))


VIEW, LARGE, DICT = pa.string_view(), pa.large_string(), pa.dictionary(pa.int8(), pa.string_view())
COLUMNS = {
    "view": pa.array(WORDS, VIEW),
    "runs": runs_of(WORDS, pa.string()),
    "runs of views": runs_of(WORDS, VIEW),
    "runs of lists": runs_of(LISTS, pa.list_(VIEW)),
    "dictionary of views": encoded(WORDS, VIEW, pa.uint32()),
    "list of views": pa.array(LISTS, pa.list_(VIEW)),
    "list view of views": pa.array(LISTS, pa.list_view(VIEW)),
    "large list view": pa.array(LISTS, pa.large_list_view(pa.string())),
    "map of views": pa.array(PAIRS, pa.map_(VIEW, VIEW)),
    "fixed list of views": pa.array(ONES, pa.list_(VIEW, 1)),
    "struct of lists": pa.array([None if x is None else {"x": x} for x in LISTS]).cast(
        pa.struct([("x", pa.list_(VIEW))])
    ),
    "list of dictionaries": cast_column(pa.array(LISTS), pa.list_(DICT)),
    "map of dictionaries": cast_column(
        pa.array(PAIRS, pa.map_(pa.string(), pa.string())), pa.map_(pa.string(), DICT)
    ),
    "fixed list of dictionaries": cast_column(
        pa.array(ONES, pa.list_(LARGE, 1)), pa.list_(DICT, 1)
    ),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_rows_are_taken_from_columns_of_any_type(name):
    column = COLUMNS[name]
    whole = pa.RecordBatch.from_arrays([column], [name])
    for batch, wanted in ((whole, [0, 1, 4]), (whole.slice(1), [0, 2, 3])):
        taken = take_rows(batch, np.array(wanted))
        taken.validate(full=True)
        assert taken.schema.equals(batch.schema)
        values = batch.column(0).to_pylist()
        assert taken.column(0).to_pylist() == [values[row] for row in wanted]


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_is_the_same_without_views_and_back(name):
    column = COLUMNS[name]
    for part in (column, column.slice(1), column.slice(2, 2), column.slice(0, 0)):
        plain = cast_column(part, viewless_type(column.type))
        plain.validate(full=True)
        assert "view" not in str(plain.type).replace("list_view", "").replace("dictionary", "") or (
            "dictionary" in str(column.type)
        )
        assert plain.to_pylist() == part.to_pylist()
        back = cast_column(plain, column.type)
        back.validate(full=True)
        assert back.type == column.type
        assert back.to_pylist() == part.to_pylist()


@pytest.mark.parametrize("kind", ["view", "runs", "dictionary of views", "runs of views"])
@pytest.mark.parametrize("other", ["view", "runs", "dictionary of views", "runs of views"])
def test_every_way_of_holding_strings_is_cast_into_every_other(kind, other):
    found = cast_column(COLUMNS[kind], COLUMNS[other].type)
    assert found.type == COLUMNS[other].type
    assert found.to_pylist() == WORDS


def test_a_kind_of_list_becomes_another_with_what_is_inside():
    column = COLUMNS["list of dictionaries"]
    for kind in (pa.large_list(LARGE), pa.list_view(VIEW), pa.list_(pa.string())):
        found = cast_column(column, kind)
        assert (found.type, found.to_pylist()) == (kind, LISTS)


def test_what_does_not_fit_is_an_error():
    with pytest.raises(pa.ArrowInvalid):
        cast_column(pa.array([300]), pa.int8())
    with pytest.raises(pa.ArrowInvalid):
        cast_column(pa.array(["x"]).dictionary_encode(), pa.int8())
    with pytest.raises(pa.ArrowTypeError, match="other fields"):
        cast_column(COLUMNS["struct of lists"], pa.struct([("y", pa.list_(DICT))]))


def test_a_table_is_cast_by_name():
    table = pa.table({"a": [1, 2], "b": pc.run_end_encode(pa.array(["x", "y"]))})
    schema = pa.schema([("b", pa.string()), ("a", pa.int32())], {"made": "here"})
    found = cast_table(table, schema)
    assert found.schema.equals(schema, check_metadata=True)
    assert found.to_pylist() == [{"b": "x", "a": 1}, {"b": "y", "a": 2}]
    assert cast_table(found, schema) is found


@pytest.mark.parametrize("kind", [pa.string_view(), pa.binary_view()])
@pytest.mark.parametrize("texts", [["a", None], [None, None], ["", ""], ["a" * 30, "b"], []])
def test_views_of_short_strings_have_all_their_buffers(kind, texts):
    """pyarrow up to 23 crashes as it exports views without them."""
    column = pa.array(texts, pa.string())
    for source in (column, column.slice(0, 1), pa.array(["x", *texts])[1:]):
        made = cast_column(source, kind)
        assert made.type == kind
        assert made.to_pylist() == source.cast(kind).to_pylist()
        assert all(one is not None for one in made.buffers()[2:])
    inside = cast_column(
        pa.array([{"a": one} for one in texts], pa.struct({"a": pa.string()})),
        pa.struct({"a": kind}),
    )
    assert all(one is not None for one in inside.field("a").buffers()[2:])


def test_a_table_of_such_views_is_read():
    view = pa.array(["a", None, "b"]).cast(pa.string_view())
    shard = resolve(pa.table({"text": view, "other": view})).shards[0]
    for column in shard.read_table().columns:
        assert all(one is not None for one in column.chunk(0).buffers()[2:])
    [batch] = shard.text_batches(on_error="raise")
    assert batch.text.to_pylist() == ["a", None, "b"]
