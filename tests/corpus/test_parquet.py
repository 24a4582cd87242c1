"""Parquet shards: every row once, in order, whatever the file looks like inside."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsir.corpus import Shard, resolve
from dsir.errors import ShardError, TextColumnError

TEXTS = ["alpha", None, "", "  ", "beta β", "gamma 語", "delta"]


def write(path: Path, table: pa.Table, **options: object) -> Path:
    pq.write_table(table, path, **options)
    return path


def shard(path: Path, text: str = "text") -> Shard:
    (one,) = resolve(path, text=text).shards
    return one


def texts_of(one: Shard) -> list[str | None]:
    texts: list[str | None] = []
    for batch in one.text_batches(on_error="raise"):
        assert batch.unit_row == len(texts)
        assert len(batch.text)
        assert batch.bad == ()
        texts += batch.text.to_pylist()
    return texts


TEXT_TYPES = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int32(), pa.string()),
]


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.none() | st.text(max_size=30), max_size=60),
    row_group_size=st.integers(1, 70),
    batch_bytes=st.sampled_from([1, 40, 300, 8 << 20]),
    compression=st.sampled_from(["none", "snappy", "gzip", "zstd", "lz4", "brotli"]),
    data_type=st.sampled_from(TEXT_TYPES),
    use_dictionary=st.booleans(),
    data=st.data(),
)
def test_rows_in_are_rows_out(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str | None],
    row_group_size: int,
    batch_bytes: int,
    compression: str,
    data_type: pa.DataType,
    use_dictionary: bool,
    data: st.DataObject,
) -> None:
    table = pa.table({"id": range(len(texts)), "text": pa.array(texts).cast(data_type)})
    path = write(
        tmp_path_factory.mktemp("rows") / "a.parquet",
        table,
        row_group_size=row_group_size,
        compression=compression,
        use_dictionary=use_dictionary,
    )
    rows = data.draw(
        st.lists(st.sampled_from(range(len(texts))), unique=True) if texts else st.just([])
    )
    wanted = np.array(sorted(rows), dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dsir.corpus.batches.BATCH_BYTES", batch_bytes)
        one = shard(path)
        assert one.rows_in_metadata() == len(texts)
        assert texts_of(one) == texts
        taken = list(one.take(wanted))
    assert [row for part in taken for row in part.rows.tolist()] == wanted.tolist()
    assert [text for part in taken for text in part.text.to_pylist()] == [texts[r] for r in wanted]
    records = [row for part in taken for row in part.records.to_pylist()]
    assert records == [{"id": row, "text": texts[row]} for row in wanted]


def test_batches_are_bounded(tmp_path: Path) -> None:
    texts = [f"{i} " + "x" * 1000 for i in range(20_000)]
    path = write(tmp_path / "a.parquet", pa.table({"text": texts}), use_dictionary=False)
    sizes = [batch.text.nbytes for batch in shard(path).text_batches(on_error="raise")]
    assert len(sizes) >= 2
    assert max(sizes) < 10 << 20


def test_dictionary_encoded_giants_come_a_few_at_a_time(tmp_path: Path) -> None:
    # 20,000 rows of 10 kB are one value on disk; 200 MB at once if the size on disk were believed.
    path = write(tmp_path / "a.parquet", pa.table({"text": ["y" * 10_000] * 20_000}))
    assert path.stat().st_size < 100_000
    sizes = [batch.text.nbytes for batch in shard(path).text_batches(on_error="raise")]
    assert max(sizes) < 50 << 20


def test_dictionary_columns_stay_dictionaries(tmp_path: Path) -> None:
    table = pa.table({"text": pa.array(["a", "b", "a"]).dictionary_encode()})
    (batch,) = shard(write(tmp_path / "a.parquet", table)).text_batches(on_error="raise")
    assert pa.types.is_dictionary(batch.text.type)


def test_take_keeps_columns_types_order_and_metadata(tmp_path: Path) -> None:
    fields = [
        pa.field("z", pa.list_(pa.struct([("a", pa.int16())])), metadata={"why": "because"}),
        pa.field("text", pa.large_string()),
        pa.field("when", pa.timestamp("ms", "UTC")),
        pa.field("code", pa.dictionary(pa.int32(), pa.string())),
    ]
    schema = pa.schema(fields, metadata={"made": "by hand"})
    rows = [
        {"z": [{"a": i}] * i, "text": str(i), "when": i, "code": "even" if i % 2 == 0 else None}
        for i in range(10)
    ]
    table = pa.Table.from_pylist(rows, schema=schema)
    one = shard(write(tmp_path / "a.parquet", table, row_group_size=4))
    (first, last) = one.take(np.array([1, 2, 9]))
    assert one.schema() == pq.read_schema(tmp_path / "a.parquet")
    for part in (first, last):
        assert part.records.schema.equals(one.schema(), check_metadata=True)
        assert part.lines is None
    assert first.records.to_pylist() + last.records.to_pylist() == table.take([1, 2, 9]).to_pylist()


def test_take_reads_no_row_group_without_need(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", pa.table({"text": ["abc" * 50] * 40}), row_group_size=10)
    start = pq.ParquetFile(path).metadata.row_group(0).column(0).dictionary_page_offset
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * 20)
    one = shard(path)
    assert [part.rows.tolist() for part in one.take(np.array([10, 39]))] == [[10], [39]]
    with pytest.raises(ShardError, match="row group 0"):
        list(one.take(np.array([9])))


def test_take_beyond_the_end(tmp_path: Path) -> None:
    one = shard(write(tmp_path / "a.parquet", pa.table({"text": TEXTS})))
    with pytest.raises(ShardError, match=r"row 7 was asked for, but the shard has 7 rows"):
        list(one.take(np.array([0, 7])))


def test_take_nothing(tmp_path: Path) -> None:
    one = shard(write(tmp_path / "a.parquet", pa.table({"text": TEXTS})))
    assert list(one.take(np.array([], dtype=np.int64))) == []


DOC = pa.struct([("k", pa.int8()), ("body", pa.string())])


def test_nested_text(tmp_path: Path) -> None:
    docs = pa.array(
        [{"k": 1, "body": "a"}, None, {"k": 2, "body": None}, {"k": 3, "body": "d"}], DOC
    )
    path = write(tmp_path / "a.parquet", pa.table({"id": range(4), "doc": docs}), row_group_size=3)
    one = shard(path, "doc.body")
    assert texts_of(one) == ["a", None, None, "d"]
    (first, last) = one.take(np.array([1, 3]))
    assert first.text.to_pylist() + last.text.to_pylist() == [None, "d"]
    assert last.records.to_pylist() == [{"id": 3, "doc": {"k": 3, "body": "d"}}]


def test_text_under_a_null_parent_is_null(tmp_path: Path) -> None:
    docs = pa.StructArray.from_arrays(
        [pa.array(["seen", "hidden"])], ["body"], mask=pa.array([False, True])
    )
    assert texts_of(shard(write(tmp_path / "a.parquet", pa.table({"doc": docs})), "doc.body")) == [
        "seen",
        None,
    ]


def test_exact_column_name_wins_over_nested(tmp_path: Path) -> None:
    docs = pa.array([{"k": 1, "body": "nested"}], DOC)
    path = write(tmp_path / "a.parquet", pa.table({"doc": docs, "doc.body": ["exact"]}))
    assert texts_of(shard(path, "doc.body")) == ["exact"]


@pytest.mark.parametrize(
    ("column", "data_type"),
    [
        (pa.array([1]), "int64"),
        (pa.array([b"bytes"]), "binary"),
        (pa.array([["a"]]), "list<"),
        (pa.array([{"a": "b"}]), "struct<"),
        (pa.nulls(1), "null"),
    ],
)
def test_column_is_not_text(tmp_path: Path, column: pa.Array, data_type: str) -> None:
    one = shard(write(tmp_path / "a.parquet", pa.table({"text": column, "other": ["x"]})))
    with pytest.raises(TextColumnError) as caught:
        list(one.text_batches(on_error="skip"))
    assert f"column 'text' is {data_type}" in str(caught.value)
    assert "other (string)" in str(caught.value)
    assert caught.value.path == str(tmp_path / "a.parquet")


@pytest.mark.parametrize("text", ["text", "body.text", "id.x", "doc.nope", "doc."])
def test_column_is_missing(tmp_path: Path, text: str) -> None:
    table = pa.table({"id": [1], "body": ["x"], "doc": pa.array([{"k": 1, "body": "b"}], DOC)})
    one = shard(write(tmp_path / "a.parquet", table), text)
    message = r"no column '.*'; columns: id \(int64\), body \(string\), doc \(struct<"
    with pytest.raises(TextColumnError, match=message):
        list(one.text_batches(on_error="skip"))
    with pytest.raises(TextColumnError, match="no column"):
        list(one.take(np.array([0])))


def test_column_is_there_twice(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    one = shard(write(tmp_path / "a.parquet", table))
    with pytest.raises(TextColumnError, match="2 columns named 'text'"):
        list(one.text_batches(on_error="raise"))


@pytest.mark.parametrize("table", [pa.table({"text": pa.array([], pa.string())}), "no row groups"])
def test_zero_rows(tmp_path: Path, table: pa.Table | str) -> None:
    path = tmp_path / "a.parquet"
    if isinstance(table, str):
        pq.ParquetWriter(path, pa.schema([("text", pa.string())])).close()
    else:
        write(path, table)
    one = shard(path)
    assert one.rows_in_metadata() == 0
    assert texts_of(one) == []


def test_all_null(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", pa.table({"text": pa.nulls(3, pa.string())}))
    assert texts_of(shard(path)) == [None, None, None]


def test_invalid_utf8_is_left_to_the_core(tmp_path: Path) -> None:
    column = pa.array([b"fine", b"caf\xe9", b"also fine"]).view(pa.string())
    one = shard(write(tmp_path / "a.parquet", pa.table({"text": column})))
    (batch,) = one.text_batches(on_error="raise")
    assert batch.text.cast(pa.binary()).to_pylist() == [b"fine", b"caf\xe9", b"also fine"]
    (part,) = one.take(np.array([1]))
    assert part.text.cast(pa.binary()).to_pylist() == [b"caf\xe9"]


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    one = shard(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes(b"")
    for read in (
        lambda: list(one.text_batches(on_error="skip")),
        one.rows_in_metadata,
        one.schema,
        lambda: list(one.take(np.array([0]))),
    ):
        with pytest.raises(ShardError, match=r"a\.parquet: is empty \(0 bytes\)"):
            read()


@pytest.mark.parametrize("content", [b"PAR1", b"not parquet at all", b"\x1f\x8b" * 40, b"\0" * 999])
def test_not_parquet(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    one = shard(tmp_path / "a.parquet")
    with pytest.raises(ShardError, match=r"a\.parquet: cannot be read as Parquet"):
        list(one.text_batches(on_error="skip"))
    with pytest.raises(ShardError, match="cannot be read as Parquet"):
        one.rows_in_metadata()


def test_truncated(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", pa.table({"text": TEXTS * 100}))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ShardError, match="cannot be read as Parquet"):
        list(shard(path).text_batches(on_error="skip"))


def test_bit_flip_names_the_row_group(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    texts = ["".join(map(chr, rng.integers(97, 122, 80))) for _ in range(300)]
    path = write(
        tmp_path / "a.parquet",
        pa.table({"text": texts}),
        row_group_size=100,
        compression="zstd",
        use_dictionary=False,
    )
    chunk = pq.ParquetFile(path).metadata.row_group(1).column(0)
    content = bytearray(path.read_bytes())
    # The header of the zstd frame: a flip in its midst may give other text of the same length,
    # which nothing but a checksum could tell.
    frame = content.index(b"\x28\xb5\x2f\xfd", chunk.data_page_offset)
    content[frame] ^= 0x01
    path.write_bytes(content)
    one = shard(path)
    assert one.rows_in_metadata() == 300
    batches = one.text_batches(on_error="skip")
    assert next(batches).text.to_pylist() == texts[:100]
    with pytest.raises(ShardError, match="row group 1") as caught:
        next(batches)
    assert caught.value.row_group == 1
    assert caught.value.path == str(path)


def test_page_checksums_are_checked(tmp_path: Path) -> None:
    # Without compression nothing but the checksum can tell.
    path = write(
        tmp_path / "a.parquet",
        pa.table({"text": ["abcdefgh" * 20]}),
        compression="none",
        use_dictionary=False,
        write_statistics=False,
        write_page_checksum=True,
    )
    content = path.read_bytes()
    assert content.count(b"abcdefgh" * 20) == 1
    path.write_bytes(content.replace(b"abcdefgh" * 20, b"abcdefgX" * 20))
    with pytest.raises(ShardError, match="row group 0"):
        list(shard(path).text_batches(on_error="raise"))


@pytest.mark.parametrize("nested", [False, True])
def test_dictionary_index_out_of_bounds(tmp_path: Path, nested: bool) -> None:
    # pyarrow reads such a file without a word, and the text would be whatever lies there.
    words = pa.array(["a", "b", "c"] * 2 + ["a", "b"]).dictionary_encode()
    field = pa.field("text", words.type, nullable=False)
    schema = pa.schema([field])
    columns = [words]
    if nested:
        schema = pa.schema([pa.field("doc", pa.struct([field]), nullable=False)])
        columns = [pa.StructArray.from_arrays([words], fields=[field])]
    table = pa.Table.from_arrays(columns, schema=schema)
    path = write(tmp_path / "a.parquet", table, compression="none", write_statistics=False)
    content = path.read_bytes()
    indices = bytes([2, 3, 0b00_10_01_00, 0b01_00_10_01])
    assert content.count(indices) == 1
    path.write_bytes(content.replace(indices, bytes([2, 3, 0b00_10_01_11, 0b01_00_10_01])))
    one = shard(path, "doc.text" if nested else "text")
    with pytest.raises(ShardError, match="row group 0"):
        list(one.text_batches(on_error="skip"))
    with pytest.raises(ShardError, match="row group 0"):
        list(one.take(np.array([0])))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_flipped_bytes_raise_nothing_but_shard_errors(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("flip") / "a.parquet"
    compression = data.draw(st.sampled_from(["none", "snappy", "zstd"]))
    write(path, pa.table({"text": TEXTS * 5}), row_group_size=11, compression=compression)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    one = shard(path)
    try:
        list(one.text_batches(on_error="skip"))
        list(one.take(np.arange(one.rows_in_metadata())))
    except (ShardError, TextColumnError):
        pass  # Noticed; a flip in a text is not always, but nothing else may come out.


def test_row_count_is_checked_against_the_footer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.parquet", pa.table({"text": TEXTS}))
    whole = pq.ParquetFile.iter_batches

    def short(self: pq.ParquetFile, *args: object, **options: object) -> object:
        for batch in whole(self, *args, **options):
            yield batch.slice(1)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", short)
    with pytest.raises(ShardError, match="holds 6 rows, but the footer says 7"):
        list(shard(path).text_batches(on_error="raise"))


def test_unreadable_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", pa.table({"text": TEXTS}))
    one = shard(path)
    path.unlink()
    with pytest.raises(ShardError, match="no such file"):
        list(one.text_batches(on_error="skip"))


def test_identity_and_change(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", pa.table({"text": TEXTS}))
    one = shard(path)
    status = path.stat()
    assert one.identity() == {
        "path": str(path),
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
    }
    one.check_unchanged()
    os.utime(path, ns=(0, status.st_mtime_ns + 1))
    with pytest.raises(ShardError, match="changed while the run was going on"):
        one.check_unchanged()
    assert one.identity()["mtime_ns"] == status.st_mtime_ns


def test_threads_change_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", pa.table({"text": TEXTS * 50}), row_group_size=64)
    batches = shard(path).text_batches(on_error="raise", threads=4)
    assert [text for batch in batches for text in batch.text.to_pylist()] == TEXTS * 50
