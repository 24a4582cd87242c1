"""The parts of a folder have one schema, so that every reader opens the folder."""

from __future__ import annotations

import datetime
import json
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.corpus.cast_columns import cast_column
from dsir.errors import DsirWarning
from dsir.output.shared_schema import SharedSchemas, shared_schemas

WORDS = ["court", "judge", "onion", "butter", "clause", "simmer", "appeal", "oven"]
SETTINGS: dict[str, Any] = {"n": 60, "min_tokens": 1, "method": "top-k", "progress": False}
TARGET = ["court judge appeal clause"] * 50
ROWS = 20


def text_of(row: int) -> str:
    return " ".join(WORDS[(row * at + at) % len(WORDS)] for at in range(1, 9))


def runs_of(column: pa.Array) -> pa.Array:
    ends = pa.array(range(1, len(column) + 1), pa.int32())
    return pa.RunEndEncodedArray.from_arrays(ends, column)


def values_of(first: int) -> dict[str, list[Any]]:
    """The values of three shards are of different types, and make one column."""
    rows = range(first, first + ROWS)
    return {
        "id": list(rows),
        "text": [text_of(row) for row in rows],
        "lang": [("en", "fr", None)[row % 3] for row in rows],
        "score": [row / 4 for row in rows],
        "stars": [row % 5 for row in rows],
        "tags": [["x", str(row)] for row in rows],
        "seen": [datetime.datetime(2020, 1, 1 + row % 28) for row in rows],
        "price": [Decimal(row) / 4 for row in rows],
        "note": [None if first == 0 else f"n{row}" for row in rows],
    }


VIEW, LARGE = pa.string_view(), pa.large_string()
TYPES = [
    [
        pa.int32(),
        pa.string(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.float32(),
        pa.int8(),
        pa.list_(pa.string()),
        pa.timestamp("ms"),
        pa.decimal128(9, 2),
        pa.null(),
    ],
    [
        pa.int64(),
        LARGE,
        LARGE,
        pa.float64(),
        pa.uint8(),
        pa.large_list(VIEW),
        pa.timestamp("us"),
        pa.decimal128(12, 2),
        VIEW,
    ],
    [
        pa.uint16(),
        VIEW,
        pa.dictionary(pa.int32(), VIEW),
        pa.float64(),
        pa.int16(),
        pa.list_(LARGE),
        pa.timestamp("s"),
        pa.decimal128(9, 3),
        pa.string(),
    ],
]
SHARED = [
    pa.int64(),
    LARGE,
    LARGE,
    pa.float64(),
    pa.int16(),
    pa.large_list(LARGE),
    pa.timestamp("us"),
    pa.decimal128(13, 3),
    LARGE,
]


def table_of(number: int) -> pa.Table:
    columns = values_of(number * ROWS)
    arrays = [
        cast_column(pa.array(values), kind)
        for values, kind in zip(columns.values(), TYPES[number], strict=True)
    ]
    return pa.table(arrays, list(columns))


def write_parquet(table: pa.Table, path: Path) -> None:
    # pyarrow writes no dictionary of views to Parquet.
    if "lang" in table.column_names and pa.types.is_dictionary(table["lang"].type):
        lang = cast_column(table["lang"].combine_chunks(), pa.dictionary(pa.int32(), LARGE))
        table = table.set_column(2, "lang", lang)
    pq.write_table(table, path)


EXPECTED = [row for number in range(3) for row in pa.table(values_of(number * ROWS)).to_pylist()]


@pytest.fixture(scope="module", params=["parquet", "arrow"])
def selected(request, tmp_path_factory) -> Path:
    """All rows of three shards, whose types differ in every column."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "raw").mkdir()
    for number in range(3):
        table = table_of(number)
        if request.param == "parquet":
            write_parquet(table, folder / "raw" / f"{number}.parquet")
        else:
            with pa.ipc.new_file(folder / "raw" / f"{number}.arrow", table.schema) as file:
                file.write_table(table)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DsirWarning)
        dsir.select(folder / "raw", TARGET, out=folder / "out", shard_size=1000, **SETTINGS)
    return folder / "out"


@pytest.fixture
def parquet(selected) -> Path:
    """The rows, if they are Parquet."""
    if not list(selected.glob("data/*.parquet")):
        pytest.skip("this reader is for Parquet")
    return selected / "data"


def verified(out: Path) -> dsir.Verification:
    return dsir.verify(out, target=TARGET)


def without_weight(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in EXPECTED[0]} for row in rows]


def test_parts_have_one_schema(selected):
    parts = sorted((selected / "data").iterdir())
    assert len(parts) > 3
    kind = parts[0].suffix.removeprefix(".")
    schemas = [pads.dataset(part, format=kind).schema for part in parts]
    assert all(one.equals(schemas[0], check_metadata=True) for one in schemas)
    assert schemas[0].names == [*EXPECTED[0], "log_weight"]
    assert schemas[0].types == [*SHARED, pa.float64()]


def test_pyarrow_reads_every_row(selected):
    kind = next((selected / "data").iterdir()).suffix.removeprefix(".")
    for folder in (selected, selected / "data"):
        assert without_weight(pads.dataset(folder, format=kind).to_table().to_pylist()) == EXPECTED


def test_pandas_reads_every_row(parquet):
    pandas = pytest.importorskip("pandas")
    for folder in (parquet, parquet.parent):
        found = pandas.read_parquet(folder)
        assert found["id"].tolist() == [row["id"] for row in EXPECTED]
        assert found["text"].tolist() == [row["text"] for row in EXPECTED]
        assert [list(tags) for tags in found["tags"]] == [row["tags"] for row in EXPECTED]
        assert found["seen"].tolist() == [row["seen"] for row in EXPECTED]


def test_polars_reads_every_row(selected):
    polars = pytest.importorskip("polars")
    parts = selected / "data"
    if list(parts.glob("*.parquet")):
        found = polars.read_parquet(parts)
        lazily = polars.scan_parquet(parts / "*.parquet").collect()
    else:
        found = polars.read_ipc(parts / "*.arrow")
        lazily = polars.scan_ipc(parts / "*.arrow").collect()
    assert without_weight(found.to_dicts()) == without_weight(lazily.to_dicts()) == EXPECTED


def test_duckdb_reads_every_row(parquet):
    duckdb = pytest.importorskip("duckdb")
    for pattern in (f"{parquet}/*.parquet", f"{parquet.parent}/**/*.parquet"):
        query = f"select id, text, tags from read_parquet('{pattern}') order by id"
        assert duckdb.sql(query).fetchall() == [
            (row["id"], row["text"], row["tags"]) for row in EXPECTED
        ]


def test_datasets_reads_every_row(parquet, tmp_path):
    datasets = pytest.importorskip("datasets")
    found = datasets.load_dataset(str(parquet), split="train", cache_dir=str(tmp_path))
    assert without_weight(list(found)) == EXPECTED


def test_datatrove_reads_every_row(parquet):
    readers = pytest.importorskip("datatrove.pipeline.readers")
    found = list(readers.ParquetReader(str(parquet), glob_pattern="*.parquet").run())
    assert [one.text for one in found] == [row["text"] for row in EXPECTED]


def test_a_torch_data_loader_reads_every_row(parquet):
    data = pytest.importorskip("torch.utils.data")

    class Rows(data.IterableDataset):  # type: ignore[name-defined, misc]
        def __iter__(self):
            for batch in pads.dataset(parquet).to_batches(columns=["text"]):
                yield from batch.column("text").to_pylist()

    found = [text for batch in data.DataLoader(Rows(), batch_size=7) for text in batch]
    assert found == [row["text"] for row in EXPECTED]


def test_it_is_verified_and_compared(selected, tmp_path):
    found = verified(selected)
    assert (found.findings, found.rows.stand) == ([], 60)
    dsir.select(
        selected / "data", TARGET, out=tmp_path / "other", weight_column="w", **SETTINGS | {"n": 6}
    )
    assert dsir.diff(selected, selected, by="lang").rows.common == 60
    assert verified(tmp_path / "other").stands


def test_tables_in_memory_become_one_table():
    tables = [table_of(number) for number in range(3)]
    found = dsir.select(tables, TARGET, **SETTINGS).table
    assert found.schema.types == [*SHARED, pa.float64()]
    assert without_weight(found.to_pylist()) == EXPECTED


def write_shards(folder: Path, *tables: pa.Table) -> Path:
    folder.mkdir()
    for number, table in enumerate(tables):
        write_parquet(table, folder / f"{number}.parquet")
    return folder


def small(**columns: Any) -> pa.Table:
    return pa.table({"text": ["court judge", "onion oven"], **columns})


def test_types_are_kept_on_request(tmp_path, invoke_dsir):
    kinds = [pa.int32(), pa.int64(), pa.int32()]
    raw = write_shards(tmp_path / "raw", *(small(x=pa.array([1, 2], kind)) for kind in kinds))
    given = {**SETTINGS, "n": 6}
    with warnings.catch_warnings():
        warnings.simplefilter("error", DsirWarning)
        kept = dsir.select(raw, TARGET, out=tmp_path / "kept", keep_types=True, **given)
    assert [pq.read_schema(path).field("x").type for path in kept.paths] == kinds
    assert verified(tmp_path / "kept").stands
    (path,) = dsir.select(raw, TARGET, out=tmp_path / "one", **given).paths
    assert pq.read_schema(path).field("x").type == pa.int64()
    target = tmp_path / "target.jsonl"
    target.write_text("".join(json.dumps({"text": text}) + "\n" for text in TARGET))
    options = ["-n", 6, "--min-tokens", 1, "--method", "top-k", "--keep-types"]
    done = invoke_dsir("select", raw, "-t", target, "-o", tmp_path / "cli", *options)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "cli" / "data").iterdir())) == 3


def test_views_are_kept_on_request(tmp_path):
    raw = write_shards(tmp_path / "raw", small(x=pa.array(["a", "b"], VIEW)))
    for keep, kind in ((True, VIEW), (False, LARGE)):
        out = tmp_path / str(keep)
        (path,) = dsir.select(raw, TARGET, out=out, keep_types=keep, **SETTINGS | {"n": 2}).paths
        assert pq.read_schema(path).field("x").type == kind
        assert verified(out).stands


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (pa.array([1, 2]), pa.array(["a", "b"]), "'x' is int64 in one shard and string"),
        (pa.array([1, 2]), pa.array([0.5, 1]), "'x' is int64 in one shard and double"),
        (pa.array([1, 2]), None, "'x' is in one shard and not in another"),
    ],
)
def test_other_types_go_into_parts_of_their_own_and_the_run_says_so(tmp_path, one, other, told):
    tables = [small(x=one), small() if other is None else small(x=other)]
    raw = write_shards(tmp_path / "raw", *tables * 3)
    with pytest.warns(DsirWarning) as warned:
        found = dsir.select(raw, TARGET, out=tmp_path / "out", **SETTINGS | {"n": 12})
    assert len(found.paths) == 6
    assert len(warned) == 1
    for word in (told, "0.parquet", "1.parquet"):
        assert word in str(warned[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DsirWarning)  # The run that selected has said so.
        assert verified(tmp_path / "out").stands


def test_shards_of_one_type_share_parts_behind_a_shard_of_another(tmp_path):
    """Parts of one schema, not only neighbours, so that a reader of some parts needs one schema."""
    columns = [pa.array([1, 2], pa.int32()), pa.array(["a", "b"]), pa.array([1, 2], pa.int64())]
    raw = write_shards(tmp_path / "raw", *(small(x=column) for column in columns))
    with pytest.warns(DsirWarning):
        found = dsir.select(raw, TARGET, out=tmp_path / "out", **SETTINGS | {"n": 6})
    types = [pq.read_schema(path).field("x").type for path in found.paths]
    assert types == [pa.int64(), pa.string(), pa.int64()]


def test_columns_in_another_order_share_parts(tmp_path):
    table = small(a=[1, 2], b=["x", "y"])
    raw = write_shards(tmp_path / "raw", table, table.select(["b", "text", "a"]))
    (path,) = dsir.select(raw, TARGET, out=tmp_path / "out", **SETTINGS | {"n": 4}).paths
    assert pq.read_table(path).drop_columns("log_weight").to_pylist() == table.to_pylist() * 2
    assert verified(tmp_path / "out").stands


def test_the_schemas_do_not_depend_on_threads_or_a_restart(tmp_path):
    raw = write_shards(tmp_path / "raw", *(table_of(number) for number in (1, 0, 2)))
    contents = []
    for threads in (1, 3):
        for run in ("first", "again"):
            out, work = tmp_path / f"out{threads}", tmp_path / f"work{threads}"
            if run == "again":  # As a run that was ended before its last part.
                (out / "_dsir/selection.json").unlink()
                sorted((out / "data").iterdir())[-1].unlink()
            given = {**SETTINGS, "threads": threads, "workdir": work}
            dsir.select(raw, TARGET, out=out, shard_size=1500, **given)
            parts = sorted((out / "data").iterdir())
            contents.append([part.read_bytes() for part in parts])
    assert len(contents[0]) > 2
    assert all(one == contents[0] for one in contents)


def test_the_pandas_metadata_agree_with_the_columns(tmp_path):
    pandas = pytest.importorskip("pandas")
    (tmp_path / "raw").mkdir()
    for number, kinds in enumerate((("Int8", "int16", "category"), ("Int64", "int64", "string"))):
        frame = pandas.DataFrame(
            {
                "text": ["court judge", "onion oven"],
                "some": pandas.array([1, None], dtype=kinds[0]),
                "all": pandas.array([1, 2], dtype=kinds[1]),
                "name": pandas.array(["a", "b"], dtype=kinds[2]),
            },
            index=pandas.Index([7 + number, 9 + number], name="key"),
        )
        frame.to_parquet(tmp_path / "raw" / f"{number}.parquet")
    (path,) = dsir.select(
        tmp_path / "raw", TARGET, out=tmp_path / "out", **SETTINGS | {"n": 4}
    ).paths
    found = pandas.read_parquet(path)
    assert found.index.tolist() == [7, 9, 8, 10]
    assert [str(found[name].dtype) for name in ("some", "all")] == ["Int64", "int64"]
    assert found["name"].tolist() == ["a", "b", "a", "b"]
    assert found["some"].isna().tolist() == [False, True, False, True]


def test_a_promoted_schema_has_no_schema_of_spark():
    key, told = "org.apache.spark.sql.parquet.row.metadata", {"org.apache.spark.version": "2.4"}
    one, other = (
        pa.schema([("x", kind)], {**told, key: f'{{"type":"{kind}"}}'})
        for kind in (pa.int32(), pa.int64())
    )
    shared = shared_schemas([("parquet", one, "a"), ("parquet", other, "b")])
    encoded = {name.encode(): value.encode() for name, value in told.items()}
    assert [schema.metadata for schema in shared] == [encoded, encoded]
    (alone,) = shared_schemas([("parquet", one, "a")])
    assert alone is one or alone.equals(one, check_metadata=True)


def test_field_metadata_tell_columns_apart_and_field_ids_do_not():
    def schema(**metadata: str) -> pa.Schema:
        return pa.schema([pa.field("x", pa.int32(), metadata=metadata)])

    schemas = SharedSchemas()
    numbers = [
        schemas.add("parquet", one, name)
        for name, one in (
            ("a", schema(unit="m")),
            ("b", schema(unit="km")),
            ("c", schema(unit="m", **{"PARQUET:field_id": "3"})),
        )
    ]
    assert numbers == [0, 1, 0]
    assert schemas.clash is None  # Readers open a folder with both.


def test_shards_of_other_formats_never_share_a_schema():
    schema = pa.schema([("x", pa.int32())])
    schemas = SharedSchemas()
    kinds = ("parquet", "memory", "arrow")
    assert [schemas.add(kind, schema, kind) for kind in kinds] == [0, 0, 1]
    assert schemas.clash is None


def test_many_categories_fit_though_each_shard_has_few(tmp_path):
    kind = pa.dictionary(pa.int8(), pa.string())
    (tmp_path / "raw").mkdir()
    for number in range(3):
        words = [f"w{number}-{row}" for row in range(100)]
        table = pa.table({"text": [text_of(row) for row in range(100)]})
        table = table.append_column("name", cast_column(pa.array(words), kind))
        with pa.ipc.new_file(tmp_path / "raw" / f"{number}.arrow", table.schema) as file:
            file.write_table(table)
    (path,) = dsir.select(
        tmp_path / "raw", TARGET, out=tmp_path / "out", **SETTINGS | {"n": 300}
    ).paths
    with pa.OSFile(str(path)) as file:
        names = pa.ipc.open_file(file).read_all()["name"].to_pylist()
    assert names == [f"w{number}-{row}" for number in range(3) for row in range(100)]
    assert verified(tmp_path / "out").stands


def test_lexrank_and_gais_write_one_schema(tmp_path, invoke_dsir):
    raw = write_shards(tmp_path / "raw", *(table_of(number) for number in range(3)))
    commands = {
        "lexrank": ["--top", "50%"],
        "gais": ["--label", "stars", "--features", "id,score", "--keep", "50%", "--epochs", 2],
    }
    for command, options in commands.items():
        out = tmp_path / command
        done = invoke_dsir(command, raw, "--out", out, "-q", *options)
        assert done.returncode == 0, done.stderr
        schemas = [pq.read_schema(path) for path in sorted((out / "data").iterdir())]
        assert len(schemas) == 3
        assert all(schema.equals(schemas[0], check_metadata=True) for schema in schemas)
        assert schemas[0].types[: len(SHARED)] == SHARED
        found = pads.dataset(out / "data").to_table().to_pylist()
        assert without_weight(found) == [EXPECTED[row["id"]] for row in found]
