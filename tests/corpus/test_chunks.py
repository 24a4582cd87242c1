"""Chunked shards: windows as rows, over every kind of input, and taken back with their columns."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsir.corpus import Shard, TextBatch, resolve
from dsir.corpus.windows.records import ORIGIN_COLUMNS
from dsir.corpus.windows.shard import ChunkedShard, chunked
from dsir.errors import OutputError, RowError, SettingError, ShardError

TYPES = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int32(), pa.string()),
    pa.dictionary(pa.int8(), pa.large_string()),
]


def windows_of(text: str | None, tokens: int, stride: int) -> list[tuple[int, int]]:
    spans = [match.span() for match in re.finditer(r"\w+|[^\w\s]+", (text or "").lower())]
    windows = []
    for first in range(0, len(spans), stride):
        last = min(first + tokens, len(spans))
        windows.append((spans[first][0], spans[last - 1][1]))
        if last == len(spans):
            break
    return windows or [(0, 0)]


def expected_rows(
    texts: list[str | None], tokens: int, stride: int
) -> list[tuple[int, int, str | None]]:
    """(source row, byte start, text) of every window."""
    return [
        (row, len((text or "")[:first].encode()), (text or "")[first:last] or None)
        for row, text in enumerate(texts)
        for first, last in windows_of(text, tokens, stride)
    ]


def batches_of(shard: Shard, on_error: Any = "raise", threads: int = 1) -> list[TextBatch]:
    batches = list(shard.text_batches(on_error=on_error, threads=threads))
    rows = 0
    for batch in batches:
        assert batch.unit_row == rows
        rows += len(batch.text)
        assert batch.origin is not None
        assert batch.origin.row.dtype == np.int64
        assert batch.origin.start.dtype == np.uint32
        assert len(batch.origin.row) == len(batch.origin.start) == len(batch.text)
    return batches


def rows_of(batches: list[TextBatch]) -> list[tuple[int, int, str | None]]:
    return [
        (row, start, text)
        for batch in batches
        for row, start, text in zip(
            batch.origin.row.tolist(),
            batch.origin.start.tolist(),
            batch.text.to_pylist(),
            strict=True,
        )
    ]


def in_memory(texts: list[str | None], kind: pa.DataType = TYPES[0]) -> Shard:
    text = pa.array(texts, pa.string())
    text = text.dictionary_encode() if pa.types.is_dictionary(kind) else text
    return resolve(pa.table({"text": text.cast(kind)})).shards[0]


def test_the_kinds_of_input(world, parquet, jsonl, tmp_path):
    arrow = tmp_path / "a.arrow"
    with pa.ipc.new_file(str(arrow), world.table().schema) as writer:
        writer.write_table(world.table(), max_chunksize=100)
    for source in (parquet, jsonl, arrow, world.table(pa.string_view()), world.texts):
        corpus = resolve(source)
        texts: list[str | None] = []
        found = []
        for shard in chunked(corpus, 20, 15).shards:
            found += [
                (row + len(texts), *rest) for row, *rest in rows_of(batches_of(shard, threads=2))
            ]
            for batch in shard.inner.text_batches(on_error="raise"):
                texts += batch.text.to_pylist()
        assert texts == world.texts
        assert found == expected_rows(texts, 20, 15)


@settings(max_examples=60)
@given(
    texts=st.lists(st.none() | st.text(alphabet="aé. \n中😀", max_size=40), max_size=12),
    tokens=st.integers(1, 6),
    data=st.data(),
    kind=st.sampled_from(TYPES),
    batch_bytes=st.sampled_from([1, 30, 8 << 20]),
    most_rows=st.sampled_from([3, 1 << 17]),
    threads=st.integers(1, 3),
)
def test_any_batch_size_and_number_of_threads(
    texts, tokens, data, kind, batch_bytes, most_rows, threads
):
    stride = data.draw(st.integers(1, tokens))
    shard = ChunkedShard(in_memory(texts, kind), tokens, stride)
    expected = expected_rows(texts, tokens, stride)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dsir.corpus.batches.BATCH_BYTES", batch_bytes)
        patch.setattr("dsir.corpus.batches.MAX_BATCH_ROWS", most_rows)
        batches = batches_of(shard, threads=threads)
        assert rows_of(batches) == expected
        assert sum(batch.origin.documents for batch in batches) == len(texts)
        assert all(len(batch.text) <= most_rows for batch in batches)
        for batch in batches:
            sizes = [len((text or "").encode()) for text in batch.text.to_pylist()]
            assert sum(sizes) <= max(batch_bytes, max(sizes, default=0))
        taken = take(shard, [row for row in expected if row[2] is not None], threads)
    assert [part["text"] for part in taken] == [text for *_, text in expected if text is not None]
    for part in taken:
        document = texts[part["source_row"]]
        assert document[part["chunk_start"] : part["chunk_stop"]] == part["text"]


def arrays(rows: list[tuple[int, int, str | None]]) -> tuple[Any, Any, Any]:
    return (
        np.array([row for row, _, _ in rows], dtype=np.int64),
        np.array([start for _, start, _ in rows], dtype=np.int64),
        np.array([len((text or "").encode()) for _, _, text in rows], dtype=np.int64),
    )


def take(shard: ChunkedShard, rows: list[tuple[int, int, str | None]], threads: int = 1) -> Any:
    """The records of windows, as dicts."""
    made = []
    for taken in shard.take_windows(*arrays(rows), threads=threads):
        if taken.records is None:
            assert shard.schema() is None
            records = [json.loads(line) for line in taken.lines.to_pylist()]
        else:
            taken.records.validate(full=True)
            assert taken.records.schema == shard.schema()
            assert taken.records.schema.metadata == shard.schema().metadata
            records = taken.records.to_pylist()
        assert [record["source_row"] for record in records] == taken.rows.tolist()
        made += records
        assert len(taken.text) == len(records)
    return made


@pytest.mark.parametrize("kind", TYPES[:4], ids=str)
@pytest.mark.parametrize("form", ["parquet", "arrow", "memory"])
def test_windows_have_the_columns_of_their_document(small_world, tmp_path, kind, form):
    table = small_world.table(kind)
    source: Any = table
    if form == "parquet":
        source = tmp_path / "a.parquet"
        pq.write_table(table, source, row_group_size=17)
    elif form == "arrow":
        source = tmp_path / "a.arrow"
        with pa.ipc.new_file(str(source), table.schema) as writer:
            writer.write_table(table)
    (shard,) = chunked(resolve(source), 9, 4).shards
    schema = shard.schema()
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    assert schema.names == [*table.schema.names, *ORIGIN_COLUMNS]
    assert schema.field("text").type == plain
    assert [
        schema.field(name) for name in schema.names if name not in ("text", *ORIGIN_COLUMNS)
    ] == [field for field in table.schema if field.name != "text"]
    assert all(schema.field(name).type == pa.int64() for name in ORIGIN_COLUMNS)
    rows = [row for row in rows_of(batches_of(shard)) if row[2] is not None]
    some = rows[::3]
    taken = take(shard, some)
    assert len(taken) == len(some) > 300
    for record, (row, _, text) in zip(taken, some, strict=True):
        document = small_world.rows[row]
        start, stop = record.pop("chunk_start"), record.pop("chunk_stop")
        assert document["text"][start:stop] == text
        assert record == {**document, "text": text, "source_row": row}


def test_a_nested_text_column(small_world):
    table = small_world.table()
    (shard,) = chunked(resolve(table, text="meta.body"), 9).shards
    bodies = [row["meta"] and row["meta"]["body"] for row in small_world.rows]
    assert shard.schema().field("meta") == table.schema.field("meta")
    rows = rows_of(batches_of(shard))
    assert rows == expected_rows(bodies, 9, 9)
    rows = [row for row in rows if row[2] is not None]
    for record, (row, _, text) in zip(take(shard, rows), rows, strict=True):
        document = small_world.rows[row]
        assert record["meta"] == {**document["meta"], "body": text}
        assert record["text"] == document["text"]
        assert bodies[row][record["chunk_start"] : record["chunk_stop"]] == text


def test_a_text_column_two_structs_deep_with_a_dictionary():
    words = pa.array(["a b c", "d e"]).dictionary_encode()
    inner = pa.StructArray.from_arrays([words, pa.array([1, 2])], names=["body", "n"])
    outer = pa.StructArray.from_arrays(
        [inner, pa.array(["x", "y"], pa.string_view())], names=["doc", "view"]
    )
    (shard,) = chunked(resolve(pa.table({"all": outer}), text="all.doc.body"), 2).shards
    assert shard.schema().field("all").type.field("doc").type.field("body").type == pa.string()
    assert take(shard, rows_of(batches_of(shard))) == [
        {"all": {"doc": {"body": text, "n": n}, "view": view}, "source_row": row}
        | {"chunk_start": start, "chunk_stop": start + len(text)}
        for row, start, text, n, view in [
            (0, 0, "a b", 1, "x"),
            (0, 4, "c", 1, "x"),
            (1, 0, "d e", 2, "y"),
        ]
    ]


def test_what_is_repeated_is_counted(monkeypatch):
    """A large column beside the text is repeated for every window: batches stay bounded."""
    monkeypatch.setattr("dsir.corpus.batches.BATCH_BYTES", 100_000)
    table = pa.table({"text": ["a b c d " * 50, "e"], "page": ["p" * 40_000, "q"]})
    (shard,) = chunked(resolve(table), 2).shards
    rows = rows_of(batches_of(shard))
    taken = list(shard.take_windows(*arrays(rows)))
    assert max(part.records.nbytes for part in taken) < 120_000
    assert sum(len(part.rows) for part in taken) == len(rows) == 101
    # A long text is not repeated, and costs no batch of its own.
    table = pa.table({"text": ["a b c d " * 5000], "id": [1]})
    (shard,) = chunked(resolve(table), 100).shards
    assert len(list(shard.take_windows(*arrays(rows_of(batches_of(shard)))))) == 1


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
def test_json_lines(small_world, tmp_path, suffix):
    (path,) = small_world.write_jsonl(tmp_path, [suffix])
    (shard,) = chunked(resolve(path), 9, 5).shards
    rows = [row for row in rows_of(batches_of(shard)) if row[2] is not None]
    for record, (row, _, text) in zip(take(shard, rows), rows, strict=True):
        document = small_world.rows[row]
        assert document["text"][record.pop("chunk_start") : record.pop("chunk_stop")] == text
        assert record == {**document, "text": text, "source_row": row}


@pytest.mark.parametrize("column", ORIGIN_COLUMNS)
def test_a_column_of_an_added_name(column):
    (shard,) = chunked(resolve(pa.table({"text": ["a"], column: [1]}))).shards
    rows = rows_of(batches_of(shard))
    with pytest.raises(OutputError, match=f"already has a column '{column}'"):
        shard.schema()
    with pytest.raises(OutputError, match=f"already has a column '{column}'"):
        take(shard, rows)


@pytest.mark.parametrize("batch_bytes", [1, 8 << 20])
def test_bad_rows_of_the_reader(tmp_path, monkeypatch, batch_bytes):
    monkeypatch.setattr("dsir.corpus.batches.BATCH_BYTES", batch_bytes)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text":"a b c"}\n\n{"text":5}\n{"text":null}\n[]\n{"text":"d"}\n\n')
    (shard,) = chunked(resolve(path), 2).shards
    with pytest.raises(RowError, match="row 1"):
        batches_of(shard)
    batches = batches_of(shard, "skip")
    assert rows_of(batches) == [
        (0, 0, "a b"),
        (0, 4, "c"),
        (1, 0, None),
        (2, 0, None),
        (3, 0, None),
        (4, 0, "d"),
    ]
    assert [bad.row for batch in batches for bad in batch.bad] == [1, 3]
    assert len(batches) == (3 if batch_bytes == 1 else 1)
    for batch in batches:
        assert {bad.row for bad in batch.bad} <= set(batch.origin.row.tolist())
    assert sum(batch.blank_lines for batch in batches) == 2
    assert sum(batch.origin.documents for batch in batches) == 5


def test_a_file_of_blank_lines_and_one_without_rows(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n \n")
    (batch,) = batches_of(chunked(resolve(path)).shards[0])
    assert (len(batch.text), batch.blank_lines, batch.origin.documents) == (0, 2, 0)
    assert batches_of(ChunkedShard(in_memory([]), 2, 2)) == []


@pytest.mark.parametrize("batch_bytes", [1, 8 << 20])
def test_texts_that_are_not_utf8(monkeypatch, batch_bytes):
    monkeypatch.setattr("dsir.corpus.batches.BATCH_BYTES", batch_bytes)
    data = [b"a b c", b"a \xff", b"d", b"\x80"]
    (inner,) = resolve(pa.table({"text": pa.array(data, pa.binary()).view(pa.string())})).shards
    shard = ChunkedShard(inner, 2, 2)
    with pytest.raises(RowError, match="row 1: the text is not UTF-8"):
        batches_of(shard)
    batches = batches_of(shard, "skip")
    assert rows_of(batches) == [
        (0, 0, "a b"),
        (0, 4, "c"),
        (1, 0, None),
        (2, 0, "d"),
        (3, 0, None),
    ]
    found = [bad for batch in batches for bad in batch.bad]
    assert [(bad.row, bad.reason) for bad in found] == [
        (1, "the text is not UTF-8"),
        (3, "the text is not UTF-8"),
    ]
    for batch in batches:
        assert {bad.row for bad in batch.bad} <= set(batch.origin.row.tolist())


def test_what_the_shard_says_of_itself(parquet, tmp_path):
    (inner,) = resolve(parquet[0]).shards
    shard = ChunkedShard(inner, 128, 64)
    assert (shard.kind, shard.name, shard.size, shard.text) == (
        "parquet",
        inner.name,
        inner.size,
        "text",
    )
    assert shard.identity() == {
        **inner.identity(),
        "chunk_tokens": 128,
        "chunk_stride": 64,
        "chunk_tokenizer": "wordpunct",
    }
    assert shard.rows_in_metadata() is None
    shard.check_unchanged()
    again = pickle.loads(pickle.dumps(shard))
    assert again == shard
    assert rows_of(batches_of(again)) == rows_of(batches_of(shard))
    assert ChunkedShard(inner, 128, 128) != shard
    with pytest.raises(NotImplementedError, match="take_windows"):
        shard.take(np.array([0]))
    path = tmp_path / "b.parquet"
    path.write_bytes(parquet[0].read_bytes())
    (shard,) = chunked(resolve(path)).shards
    with path.open("ab") as file:
        file.write(b"x")
    with pytest.raises(ShardError, match="changed"):
        shard.check_unchanged()


def test_windows_that_are_not_there():
    shard = ChunkedShard(in_memory(["a b", "é"]), 1, 1)
    take_one: Callable[[tuple[int, int, str]], Any] = lambda row: take(shard, [row])  # noqa: E731
    assert take(shard, []) == []
    with pytest.raises(ShardError, match="changed since it was scored"):
        take_one((0, 1, "xyz"))
    with pytest.raises(ShardError, match="inside a character"):
        take_one((1, 1, "x"))
    with pytest.raises(ShardError, match="2 rows"):
        take_one((2, 0, "x"))
    for rows in ([(1, 0, "é"), (0, 0, "a")], [(0, 2, "b"), (0, 0, "a")], [(0, 0, "")]):
        with pytest.raises(ValueError, match="by row and start"):
            take(shard, rows)


def test_settings():
    corpus = resolve(["a b c"])
    (shard,) = chunked(corpus).shards
    assert (shard.chunk_tokens, shard.chunk_stride, shard.tokenizer) == (128, 128, "wordpunct")
    assert chunked(corpus).name == corpus.name
    assert chunked(corpus).in_memory
    for arguments in [(0,), (2.5,), (True,), (1 << 32,), (4, 0), (4, 5), (4, 2, "words")]:
        with pytest.raises(SettingError, match=r"chunk_tokens|chunk_stride|tokenizer"):
            chunked(corpus, *arguments)
