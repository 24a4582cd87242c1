"""Arrow IPC shards: files and streams, and damage that must not reach the core."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsir.corpus import Shard, resolve
from dsir.corpus.bad_text import why_bad
from dsir.corpus.batches import cut_text
from dsir.errors import ShardError, TextColumnError

TYPES = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.int32(), pa.large_string()),
]


def write(path: Path, table: pa.Table, form: str = "file", rows: int | None = None) -> Path:
    options = pa.ipc.IpcWriteOptions(unify_dictionaries=form == "file")
    make = pa.ipc.new_file if form == "file" else pa.ipc.new_stream
    with make(str(path), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows)
    return path


def shard(path: Path, text: str = "text") -> Shard:
    (one,) = resolve(path, text=text).shards
    return one


def texts_of(one: Shard) -> list[str | None]:
    texts: list[str | None] = []
    for batch in one.text_batches(on_error="raise"):
        assert batch.unit_row == len(texts)
        texts += batch.text.to_pylist()
    return texts


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.none() | st.text(max_size=30), max_size=50),
    rows=st.integers(1, 60),
    form=st.sampled_from(["file", "stream"]),
    data_type=st.sampled_from(TYPES),
    batch_bytes=st.sampled_from([1, 50, 8 << 20]),
    data=st.data(),
)
def test_rows_in_are_rows_out(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str | None],
    rows: int,
    form: str,
    data_type: pa.DataType,
    batch_bytes: int,
    data: st.DataObject,
) -> None:
    table = pa.table({"id": range(len(texts)), "text": pa.array(texts).cast(data_type)})
    path = write(tmp_path_factory.mktemp("rows") / "a.arrow", table, form, rows)
    picks = data.draw(st.sets(st.sampled_from(range(len(texts))))) if texts else set()
    wanted = np.array(sorted(picks), dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dsir.corpus.batches.BATCH_BYTES", batch_bytes)
        one = shard(path)
        assert one.schema() == table.schema
        assert one.rows_in_metadata() is None
        assert texts_of(one) == texts
        taken = list(one.take(wanted))
    assert [row for part in taken for row in part.rows.tolist()] == wanted.tolist()
    records = [row for part in taken for row in part.records.to_pylist()]
    assert records == [{"id": row, "text": texts[row]} for row in wanted]
    assert all(part.records.schema == table.schema for part in taken)


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_feather(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.feather"
    pyarrow.feather.write_feather(
        pa.table({"id": [1, 2], "text": ["a", "b"]}), path, compression=compression
    )
    assert texts_of(shard(path)) == ["a", "b"]


def test_feather_version_1(tmp_path: Path) -> None:
    (tmp_path / "a.feather").write_bytes(b"FEA1" + b"\0" * 100)
    with pytest.raises(ShardError, match="Feather version 1"):
        texts_of(shard(tmp_path / "a.feather"))


def test_batches_are_bounded(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipc", pa.table({"text": ["x" * 1000] * 20_000}))
    batches = list(shard(path).text_batches(on_error="raise"))
    assert len(batches) >= 2
    assert max(batch.text.nbytes for batch in batches) < 9 << 20


def test_nested_text(tmp_path: Path) -> None:
    docs = pa.array([{"body": "a"}, None, {"body": None}], pa.struct([("body", pa.string())]))
    one = shard(write(tmp_path / "a.arrow", pa.table({"id": [1, 2, 3], "doc": docs})), "doc.body")
    assert texts_of(one) == ["a", None, None]


def test_text_column(tmp_path: Path) -> None:
    path = write(tmp_path / "a.arrow", pa.table({"id": [1], "body": ["x"]}))
    with pytest.raises(TextColumnError, match="no column 'text'"):
        texts_of(shard(path))
    with pytest.raises(TextColumnError, match="column 'id' is int64"):
        texts_of(shard(path, "id"))


def test_invalid_utf8_is_left_to_the_core(tmp_path: Path) -> None:
    for data_type in (pa.string(), pa.large_string(), pa.string_view()):
        column = pa.array([b"fine", b"caf\xe9"]).cast(
            {"string": pa.binary(), "large_string": pa.large_binary()}.get(
                str(data_type), pa.binary_view()
            )
        )
        path = write(tmp_path / "a.arrow", pa.table({"text": column.view(data_type)}))
        one = shard(path)
        (batch,) = one.text_batches(on_error="raise")
        assert batch.text.cast(pa.large_string()).view(pa.large_binary()).to_pylist() == [
            b"fine",
            b"caf\xe9",
        ]
        (part,) = one.take(np.array([1]))
        assert part.text.cast(pa.large_string()).view(pa.large_binary()).to_pylist() == [b"caf\xe9"]


@pytest.mark.parametrize("content", [b"ARROW1", b"ARROW1\0\0" + b"x" * 50, b"words", b"\0" * 80])
def test_not_arrow(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.arrow").write_bytes(content)
    with pytest.raises(ShardError, match=r"a\.arrow: "):
        texts_of(shard(tmp_path / "a.arrow"))


@pytest.mark.parametrize("form", ["file", "stream"])
def test_truncated(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / "a.arrow", pa.table({"text": ["word " * 20] * 1000}), form, 100)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(ShardError, match=r"a\.arrow: "):
        texts_of(shard(path))


def test_take_beyond_the_end(tmp_path: Path) -> None:
    one = shard(write(tmp_path / "a.arrow", pa.table({"text": ["a"]})))
    with pytest.raises(ShardError, match="has 1 rows"):
        list(one.take(np.array([0, 1])))


def test_offsets_out_of_bounds(tmp_path: Path) -> None:
    # pyarrow reads such a file without a word; the text would be whatever lies behind the buffer.
    path = write(tmp_path / "a.arrow", pa.table({"text": ["abcd", "efgh", "ijkl"]}))
    content = path.read_bytes()
    offsets = np.array([0, 4, 8, 12], dtype=np.int32).tobytes()
    assert content.count(offsets) == 1
    wrong = np.array([0, 4, 1 << 30, 12], dtype=np.int32).tobytes()
    path.write_bytes(content.replace(offsets, wrong))
    one = shard(path)
    with pytest.raises(ShardError, match="damaged"):
        list(one.text_batches(on_error="skip"))
    with pytest.raises(ShardError, match="damaged"):
        list(one.take(np.array([0])))


def test_dictionary_index_out_of_bounds(tmp_path: Path) -> None:
    indices = pa.array([5, 6, 7, 5, 6, 7, 5, 6], pa.int8())
    words = pa.array([str(i) for i in range(8)])
    column = pa.DictionaryArray.from_arrays(indices, words)
    path = write(tmp_path / "a.arrow", pa.table({"text": column}))
    content = path.read_bytes()
    stored = bytes([5, 6, 7, 5, 6, 7, 5, 6])
    assert content.count(stored) == 1
    path.write_bytes(content.replace(stored, bytes([5, 6, 99, 5, 6, 7, 5, 6])))
    with pytest.raises(ShardError, match="damaged"):
        texts_of(shard(path))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_flipped_bytes_raise_nothing_but_shard_errors(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("flip") / "a.arrow"
    data_type = data.draw(st.sampled_from(TYPES))
    texts = pa.array(["alpha", None, "a word that is longer than a view", ""] * 5).cast(data_type)
    table = pa.table({"n": pa.array([[1, 2], None, [], [3]] * 5), "text": texts})
    write(path, table, data.draw(st.sampled_from(["file", "stream"])), 6)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    one = shard(path)
    try:
        rows = sum(len(batch.text) for batch in one.text_batches(on_error="skip"))
        list(one.take(np.arange(rows)))
    except (ShardError, TextColumnError):
        pass


@pytest.mark.parametrize("data_type", [pa.string(), pa.large_string(), pa.string_view()])
@pytest.mark.parametrize("first", [0, 1])
def test_buffers_that_are_longer_than_their_rows(data_type, first):
    texts = pa.array(["a", None, "a text that is longer than a view", "b"], data_type)
    buffers = [
        None if buffer is None else pa.py_buffer(buffer.to_pybytes() + b"abc")
        for buffer in texts.buffers()
    ]
    longer = pa.Array.from_buffers(data_type, len(texts), buffers).slice(first)
    ((position, found),) = cut_text(longer)
    assert position == 0
    assert found.to_pylist() == texts.slice(first).to_pylist()


@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize("data_type", [pa.string(), pa.large_string(), pa.string_view()])
def test_texts_of_every_type_that_are_not_utf8(tmp_path, data_type, coded):
    texts = pa.array([b"good", b"bad \xc3", None], pa.binary()).view(pa.string())
    if pa.types.is_string_view(data_type):
        buffers = pa.array([b"good", b"bad \xc3", None], pa.binary_view()).buffers()
        texts = pa.Array.from_buffers(data_type, 3, buffers)
    elif pa.types.is_large_string(data_type):
        texts = pa.array([b"good", b"bad \xc3", None], pa.large_binary()).view(data_type)
    if coded:
        texts = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2]), texts)
    assert why_bad(texts, 1) == "the text is not UTF-8"
