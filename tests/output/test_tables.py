"""Parquet and Arrow output: what is written is what came, however it came."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsir.corpus import TakenRows, resolve
from dsir.errors import OutputError
from dsir.output import AddedColumns, Writer, open_writer
from dsir.output.row_groups import RowGroups, row_bytes
from dsir.primitive_arrays import to_arrow

KINDS = ["parquet", "arrow"]
LEVELS = ["low", "middle", "high"]
SCHEMA = pa.schema(
    [
        pa.field("z", pa.int8(), nullable=False, metadata={"unit": "none"}),
        pa.field("text", pa.string()),
        pa.field("large", pa.large_string()),
        pa.field("view", pa.string_view()),
        pa.field("code", pa.dictionary(pa.int32(), pa.string())),
        pa.field("level", pa.dictionary(pa.int32(), pa.string(), ordered=True)),
        pa.field("deep", pa.struct([("c", pa.list_(pa.dictionary(pa.int32(), pa.string())))])),
        pa.field("map", pa.map_(pa.string(), pa.int32())),
        pa.field("pair", pa.list_(pa.float32(), 2)),
        pa.field("price", pa.decimal128(9, 2)),
        pa.field("when", pa.timestamp("us", "UTC")),
        pa.field("raw", pa.binary()),
        pa.field("nothing", pa.null()),
    ],
    metadata={"made": "by hand"},
)


def row(number: int) -> dict[str, object]:
    word = f"word {number % 7}"
    return {
        "z": number % 100,
        "text": None if number % 5 == 0 else word * (number % 4),
        "large": word,
        "view": word * 3,
        "code": None if number % 6 == 0 else word,
        "level": LEVELS[number % 3],
        "deep": None if number % 4 == 0 else {"c": None if number % 3 == 0 else [word, None, word]},
        "map": [("k", number)] * (number % 3),
        "pair": [float(number), 0.5],
        "price": Decimal(number) / 4,
        "when": datetime(2024, 1, 1 + number % 28, tzinfo=timezone.utc),
        "raw": bytes([number % 256]),
        "nothing": None,
    }


def batch_of(numbers: list[int]) -> pa.RecordBatch:
    """Make rows whose dictionaries hold what these rows need, in the order they need it."""
    rows = [row(number) for number in numbers]
    columns = []
    for field in SCHEMA:
        values = [one[field.name] for one in rows]
        if field.name == "level":
            indices = pa.array([LEVELS.index(value) for value in values], pa.int32())
            columns.append(pa.DictionaryArray.from_arrays(indices, LEVELS, ordered=True))
        elif field.name == "deep":
            plain = pa.array(values, pa.struct([("c", pa.list_(pa.string()))]))
            columns.append(plain.cast(field.type))
        else:
            columns.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def taken_of(numbers: list[int]) -> TakenRows:
    records = batch_of(numbers)
    return TakenRows(np.array(numbers), records.column("text"), records=records)


def write(writer: Writer, numbers: list[int], cuts: list[int]) -> list[Path]:
    with writer:
        for first, last in zip([0, *cuts], [*cuts, len(numbers)], strict=True):
            part = numbers[first:last]
            weights = np.array(part, dtype=np.float64) / 8
            writer.write(taken_of(part), [to_arrow(weights)], np.array(part, dtype=np.int64))
        return writer.close()


def read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Name the kinds of tables one after the other."""
    return request.param


def test_everything_is_kept(tmp_path: Path, kind: str) -> None:
    numbers = list(range(50))
    writer = open_writer(
        kind, tmp_path / "part-00000", schema=SCHEMA, added=AddedColumns("log_weight")
    )
    (path,) = write(writer, numbers, [1, 20, 20, 33])
    assert path == tmp_path / f"part-00000.{kind}"
    assert list(tmp_path.iterdir()) == [path]
    table = read(path)
    assert table.schema.names == [*SCHEMA.names, "log_weight"]
    assert table.schema.field("log_weight").type == pa.float64()
    assert not table.schema.field("log_weight").nullable
    assert table.schema.metadata == SCHEMA.metadata
    assert table.schema.field("z").metadata == SCHEMA.field("z").metadata
    if kind == "arrow":
        assert table.schema.equals(
            SCHEMA.append(pa.field("log_weight", pa.float64(), nullable=False)),
            check_metadata=True,
        )
    else:
        # Parquet has its own names for what lists and maps hold.
        alike = [name for name in SCHEMA.names if name not in ("deep", "map", "pair")]
        assert [table.schema.field(name).type for name in alike] == [
            SCHEMA.field(name).type for name in alike
        ]
    assert table.drop_columns("log_weight").to_pylist() == [row(number) for number in numbers]
    assert table["log_weight"].to_pylist() == [number / 8 for number in numbers]
    assert table["level"].chunk(0).dictionary.to_pylist() == LEVELS


@settings(max_examples=30, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 200), max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=5),
    max_rows=st.integers(1, 50),
    max_bytes=st.sampled_from([1, 400, 3000, 32 << 20]),
    kind=st.sampled_from(KINDS),
)
def test_the_same_rows_give_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory,
    numbers: list[int],
    cuts: list[int],
    max_rows: int,
    max_bytes: int,
    kind: str,
) -> None:
    folder = tmp_path_factory.mktemp("same")
    cuts = sorted(min(cut, len(numbers)) for cut in cuts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dsir.output.row_groups.MAX_BYTES", max_bytes)
        patch.setattr(
            RowGroups.__init__,
            "__kwdefaults__",
            {
                "plain": False,
                "max_rows": max_rows,
            },
        )
        patch.setattr("dsir.output.parquet.MAX_ROWS", max_rows)
        options = {"schema": SCHEMA, "added": AddedColumns("log_weight")}
        (whole,) = write(open_writer(kind, folder / "whole", **options), numbers, [])
        (parts,) = write(open_writer(kind, folder / "parts", **options), numbers, cuts)
    assert whole.read_bytes() == parts.read_bytes()
    table = read(parts)
    assert table.drop_columns("log_weight").to_pylist() == [row(number) for number in numbers]


def groups_of(columns: list[pa.Array], max_rows: int) -> Iterator[int]:
    groups = RowGroups(pa.schema([("a", columns[0].type)]), max_rows=max_rows)
    for column in columns:
        yield from (len(group) for group in groups.add([column]))
    yield from (len(group) for group in groups.flush())


def test_row_groups_end_by_rows_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = pa.array(range(10), pa.int64())
    assert list(groups_of([numbers], 4)) == [4, 4, 2]
    assert list(groups_of([numbers.slice(0, 3), numbers.slice(3)], 5)) == [5, 5]
    assert list(groups_of([numbers.slice(0, 0)], 5)) == []
    monkeypatch.setattr("dsir.output.row_groups.MAX_BYTES", 100)
    # A text counts its bytes and 8 more.
    texts = pa.array(["x" * 42, "x" * 42, "x", "x" * 500, "x" * 500, "x" * 42])
    assert list(groups_of([texts], 1000)) == [2, 1, 1, 1, 1]


def test_row_bytes_look_into_columns() -> None:
    lists = pa.array([["ab", "c"], None, [], ["defg"]])
    assert row_bytes(lists).tolist() == [8 + 19, 8, 8, 8 + 12]
    assert row_bytes(lists.slice(3)).tolist() == [20]
    assert row_bytes(pa.array([{"a": "xyz", "b": 1}, None])).tolist() == [19, 16]
    pairs = pa.array([[("k", b"12345")], []], pa.map_(pa.string(), pa.binary()))
    assert row_bytes(pairs).tolist() == [8 + 9 + 13, 8]


def test_row_groups_are_not_those_of_the_input(tmp_path: Path) -> None:
    source = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": [str(i) for i in range(100)]}), source, row_group_size=3)
    (shard,) = resolve(source).shards
    with open_writer(
        "parquet", tmp_path / "out", schema=shard.schema(), added=AddedColumns("w")
    ) as writer:
        for taken in shard.take(np.arange(0, 100, 2)):
            writer.write(taken, [to_arrow(np.zeros(len(taken.rows)))], taken.rows)
    assert pq.ParquetFile(tmp_path / "out.parquet").num_row_groups == 1
    assert read(tmp_path / "out.parquet")["text"].to_pylist() == [str(i) for i in range(0, 100, 2)]


def test_rows_of_other_text_types_fit_in(tmp_path: Path, kind: str) -> None:
    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    texts = [
        pa.array(["a", "b"]),
        pa.array(["c", "d"], pa.large_string()),
        pa.array(["e", "e"]).dictionary_encode(),
        pa.array(["f", None], pa.string_view()),
    ]
    with open_writer(kind, tmp_path / "a", schema=schema, added=AddedColumns("w")) as writer:
        for text in texts:
            records = pa.record_batch({"text": text, "id": [1, 2]})
            writer.write(
                TakenRows(np.arange(2), text, records=records),
                [to_arrow(np.zeros(2))],
                np.arange(2),
            )
    table = read(tmp_path / f"a.{kind}")
    assert table.schema.types == [pa.int64(), pa.string(), pa.float64()]
    assert table["text"].to_pylist() == ["a", "b", "c", "d", "e", "e", "f", None]


@pytest.mark.parametrize(
    "records",
    [
        pa.record_batch({"text": ["a"]}),
        pa.record_batch({"text": ["a"], "other": [1]}),
        pa.record_batch({"text": ["a"], "id": ["not a number"]}),
    ],
)
def test_rows_of_other_columns_do_not(tmp_path: Path, kind: str, records: pa.RecordBatch) -> None:
    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    taken = TakenRows(np.arange(1), records.column("text"), records=records)
    with (
        pytest.raises(OutputError),
        open_writer(kind, tmp_path / "a", schema=schema, added=AddedColumns("w")) as writer,
    ):
        writer.write(taken, [to_arrow(np.zeros(1))], np.arange(1))
    assert list(tmp_path.iterdir()) == []


def test_invalid_utf8_passes_through(tmp_path: Path, kind: str) -> None:
    text = pa.array([b"caf\xe9"]).view(pa.string())
    records = pa.record_batch({"text": text})
    writer = open_writer(kind, tmp_path / "a", schema=records.schema, added=AddedColumns("w"))
    writer.write(
        TakenRows(np.arange(1), text, records=records), [to_arrow(np.zeros(1))], np.arange(1)
    )
    (path,) = writer.close()
    assert read(path)["text"].cast(pa.binary()).to_pylist() == [b"caf\xe9"]


def test_arrow_dictionaries_are_read_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsir.output.row_groups.MAX_BYTES", 1)
    # polars takes one dictionary a column and no deltas; this column's values come one by one.
    schema = pa.schema([("code", pa.dictionary(pa.int8(), pa.string()))])
    with open_writer("arrow", tmp_path / "a", schema=schema, added=AddedColumns("w")) as writer:
        for word in (None, "x", "y", "x"):
            code = pa.array([word], pa.string()).dictionary_encode().cast(schema.types[0])
            records = pa.record_batch([code], schema=schema)
            writer.write(
                TakenRows(np.arange(1), code, records=records),
                [to_arrow(np.zeros(1))],
                np.arange(1),
            )
    frame = pl.read_ipc(tmp_path / "a.arrow")
    assert frame.n_chunks() == 4
    assert frame["code"].cast(pl.String).to_list() == [None, "x", "y", "x"]


VALUES = {
    "strings": pa.array(["x", "y"], pa.large_string()),
    "whole numbers": pa.array([7, -7], pa.int16()),
    "numbers": pa.array([0.5, float("inf")]),
    "half numbers": pa.array([0.5, 2], pa.float16()),
    "flags": pa.array([False, True]),
    "dates": pa.array([1, 2], pa.date32()),
    "times": pa.array([1, 2], pa.timestamp("s", "UTC")),
    "durations": pa.array([1, 2], pa.duration("ms")),
    "decimals": pa.array([Decimal("0.10"), Decimal(2)], pa.decimal128(5, 2)),
    "bytes of one size": pa.array([b"ab", b"cd"], pa.binary(2)),
    "lists": pa.array([[1], [2, 3]]),
    "records": pa.array([{"a": 1}, {"a": 2}]),
}
NESTS = {
    "plain": lambda codes: codes,
    "ordered": lambda codes: pa.DictionaryArray.from_arrays(
        codes.indices, codes.dictionary, ordered=True
    ),
    "struct": lambda codes: pa.StructArray.from_arrays([codes], ["c"]),
    "list": lambda codes: pa.ListArray.from_arrays(pa.array([0, 1, 1, 4], pa.int32()), codes),
    "pair": lambda codes: pa.FixedSizeListArray.from_arrays(codes, 1),
    "map": lambda codes: pa.MapArray.from_arrays(
        pa.array([0, 1, 1, 4], pa.int32()), pa.array(list("abcd")), codes
    ),
}


@pytest.mark.parametrize("nest", NESTS)
@pytest.mark.parametrize("values", VALUES)
def test_dictionaries_of_any_values(tmp_path: Path, kind: str, values: str, nest: str) -> None:
    """As pandas makes of a category of numbers; pyarrow casts to dictionaries of strings alone."""
    indices = pa.array([1, 0, None, 1], pa.int8())
    column = NESTS[nest](pa.DictionaryArray.from_arrays(indices, VALUES[values]))
    schema = pa.schema([("code", column.type)])
    with open_writer(kind, tmp_path / "a", schema=schema, added=AddedColumns("w")) as writer:
        for rows in (slice(0, 1), slice(1, len(column))):
            part = column[rows]
            records = pa.record_batch([part], schema=schema)
            writer.write(
                TakenRows(np.arange(len(part)), part, records=records),
                [to_arrow(np.zeros(len(part)))],
                np.arange(len(part)),
            )
        (path,) = writer.close()
    assert read(path)["code"].to_pylist() == column.to_pylist()


def test_too_many_values_for_the_index_type(tmp_path: Path, kind: str) -> None:
    schema = pa.schema([("code", pa.dictionary(pa.int8(), pa.string()))])
    writer = open_writer(kind, tmp_path / "a", schema=schema, added=AddedColumns("w"))
    for first in (0, 100):
        words = pa.array([str(number) for number in range(first, first + 100)])
        code = words.dictionary_encode().cast(schema.types[0])
        records = pa.record_batch([code], schema=schema)
        writer.write(
            TakenRows(np.arange(100), code, records=records),
            [to_arrow(np.zeros(100))],
            np.arange(100),
        )
    with pytest.raises(OutputError, match=r"a\..*: the rows cannot be written: "):
        writer.close()
    assert list(tmp_path.iterdir()) == []


def test_no_rows(tmp_path: Path, kind: str) -> None:
    (path,) = open_writer(kind, tmp_path / "a", schema=SCHEMA, added=AddedColumns("w")).close()
    table = read(path)
    assert table.num_rows == 0
    assert table.schema.names == [*SCHEMA.names, "w"]


def test_memory_is_written_as_parquet(tmp_path: Path) -> None:
    writer = open_writer(
        "memory", tmp_path / "deep" / "a.b", schema=SCHEMA, added=AddedColumns("w")
    )
    assert writer.close() == [tmp_path / "deep" / "a.b.parquet"]


def test_weight_column_is_there_already(tmp_path: Path, kind: str) -> None:
    schema = pa.schema([("text", pa.string()), ("log_weight", pa.float64())])
    with pytest.raises(OutputError, match=r"a column 'log_weight'; .*weight_column=\.\.\."):
        AddedColumns("log_weight").refuse_taken_names(schema)
    AddedColumns("weight").refuse_taken_names(schema)
    with pytest.raises(OutputError, match="already"):
        open_writer(kind, tmp_path / "a", schema=schema, added=AddedColumns("log_weight"))
    assert list(tmp_path.iterdir()) == []


def test_nothing_under_the_name_until_it_is_whole(tmp_path: Path, kind: str) -> None:
    writer = open_writer(kind, tmp_path / "a", schema=SCHEMA, added=AddedColumns("w"))
    writer.write(taken_of([1, 2]), [to_arrow(np.zeros(2))], np.arange(2))
    unfinished = [path.name for path in tmp_path.iterdir()]
    assert unfinished
    assert all(name.startswith(f".a.{kind}.") and ".tmp-" in name for name in unfinished)
    writer.close()
    assert [path.name for path in tmp_path.iterdir()] == [f"a.{kind}"]
    writer.abort()
    assert [path.name for path in tmp_path.iterdir()] == [f"a.{kind}"]
    assert writer.close() == [tmp_path / f"a.{kind}"]


def test_an_exception_leaves_nothing(tmp_path: Path, kind: str) -> None:
    def interrupted() -> None:
        with open_writer(kind, tmp_path / "a", schema=SCHEMA, added=AddedColumns("w")) as writer:
            writer.write(taken_of([1, 2]), [to_arrow(np.zeros(2))], np.arange(2))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    gc.collect()  # A footer written late would be an unraisable exception, and fail the test.
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_until_the_new_one_is_whole(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_bytes(b"old")
    open_writer(kind, tmp_path / "a", schema=SCHEMA, added=AddedColumns("w")).abort()
    assert path.read_bytes() == b"old"
    open_writer(kind, tmp_path / "a", schema=SCHEMA, added=AddedColumns("w")).close()
    assert path.read_bytes() != b"old"
