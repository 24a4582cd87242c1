"""From what a user names to shards."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir.corpus import Corpus, resolve
from dsir.corpus.batches import cut_text
from dsir.errors import EmptyCorpusError, SettingError, ShardError, TextColumnError

TABLE = pa.table({"id": [1, 2, 3], "text": ["a", None, "c"]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of files that are read, and of files that are not."""
    for name in ("b.parquet", "a.pq", "sub/c.PARQUET", "sub/_hidden/x.parquet", "_x.parquet"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(TABLE, tmp_path / name)
    for name in ("d.jsonl", "e.ndjson", "sub/f.jsonl.gz", "settings.json", "g.json.gz", ".h.jsonl"):
        (tmp_path / name).write_bytes(b"\n")
    for name in ("README.md", "_SUCCESS", "data.gz"):
        (tmp_path / name).write_text("words")
    return tmp_path


def names(corpus: Corpus, folder: Path) -> list[str]:
    return [os.path.relpath(shard.name, folder) for shard in corpus.shards]


def texts_of(corpus: Corpus) -> list[str | None]:
    return [
        text
        for shard in corpus.shards
        for batch in shard.text_batches(on_error="raise")
        for text in batch.text.to_pylist()
    ]


def test_folder(folder: Path) -> None:
    expected = ["a.pq", "b.parquet", "d.jsonl", "e.ndjson", "g.json.gz"]
    expected += ["sub/c.PARQUET", "sub/f.jsonl.gz"]
    assert names(resolve(folder), folder) == expected
    assert names(resolve(str(folder)), folder) == expected


def test_folder_without_files(tmp_path: Path) -> None:
    (tmp_path / "notes.log").write_text("words")
    with pytest.raises(EmptyCorpusError, match=r"no file to read in the folder .*\.parquet, "):
        resolve(tmp_path)


def test_linked_folders_are_entered_once(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    pq.write_table(TABLE, tmp_path / "outside" / "a.parquet")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "data" / "circle").symlink_to(tmp_path / "data")
    assert names(resolve(tmp_path / "data"), tmp_path) == ["data/link/a.parquet"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.parquet", ["b.parquet"]),
        ("*.p*q*", ["a.pq", "b.parquet"]),
        ("**/*.jsonl*", ["d.jsonl", "sub/f.jsonl.gz"]),
        ("sub/*", ["sub/c.PARQUET", "sub/f.jsonl.gz"]),
        ("[de].*", ["d.jsonl", "e.ndjson"]),
        ("*.json", ["settings.json"]),
    ],
)
def test_pattern(folder: Path, pattern: str, expected: list[str]) -> None:
    assert names(resolve(f"{folder}/{pattern}"), folder) == expected


def test_pattern_matches_nothing(folder: Path) -> None:
    with pytest.raises(EmptyCorpusError, match=r"raw: no file matches .*/\*\.arrow") as caught:
        resolve(f"{folder}/*.arrow")
    assert caught.value.path == f"{folder}/*.arrow"


def test_pattern_matches_what_is_not_read(folder: Path) -> None:
    corpus = resolve(f"{folder}/*")
    assert names(corpus, folder) == [
        *("a.pq", "b.parquet", "d.jsonl", "e.ndjson", "g.json.gz", "settings.json")
    ]
    left_out = {os.path.relpath(one.path, folder): one.reason for one in corpus.left_out}
    assert left_out == dict.fromkeys(["README.md", "data.gz"], "files of this kind are not read")
    with pytest.raises(EmptyCorpusError, match=r"nothing that matches .* left out .*README\.md"):
        resolve(f"{folder}/*.md")


def test_file_name_with_a_bracket(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "a[1].parquet")
    assert texts_of(resolve(str(tmp_path / "a[1].parquet"))) == ["a", None, "c"]


def test_list_keeps_its_order(folder: Path) -> None:
    corpus = resolve([f"{folder}/b.parquet", folder / "a.pq", f"{folder}/sub/*.gz"])
    assert names(corpus, folder) == ["b.parquet", "a.pq", "sub/f.jsonl.gz"]
    assert not corpus.in_memory
    assert corpus.size == sum(Path(shard.name).stat().st_size for shard in corpus.shards)


@pytest.mark.parametrize("again", ["b.parquet", "sub/../b.parquet", "*.parquet", "."])
def test_file_named_twice(folder: Path, again: str) -> None:
    with pytest.raises(SettingError, match=r"b\.parquet is named twice"):
        resolve([f"{folder}/b.parquet", f"{folder}/{again}"])


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match=r"nope\.parquet: no such file") as caught:
        resolve(tmp_path / "nope.parquet")
    assert caught.value.path == str(tmp_path / "nope.parquet")
    with pytest.raises(ShardError, match=r"nope\.parquet: no such file"):
        resolve(dsir.files([str(tmp_path / "nope.parquet")]))
    with pytest.raises(ShardError, match=r"corpsu: no such file or folder"):
        resolve(str(tmp_path / "corpsu"))


def test_not_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    with pytest.raises(ShardError, match="not a regular file"):
        resolve(tmp_path / "a.jsonl")


@pytest.mark.parametrize("name", ["a.log", "a.gz", "a", "a.tab"])
def test_unknown_suffix(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(SettingError, match=r"unknown file type; dsir reads \.parquet"):
        resolve(tmp_path / name)


def test_urls_of_stores_that_are_not_known() -> None:
    pytest.importorskip("fsspec")
    url = "nothing://bucket/a.parquet"
    for source in (url, [url]):
        with pytest.raises(SettingError, match="nothing://: unknown protocol"):
            resolve(source)


def test_relative_paths_are_pinned(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (shard,) = resolve("b.parquet").shards
    monkeypatch.chdir("/")
    assert shard.name == "b.parquet"
    assert shard.identity()["path"] == str(folder / "b.parquet")
    assert shard.rows_in_metadata() == 3


def test_shards_travel(folder: Path) -> None:
    corpus = resolve([folder / "b.parquet", folder / "d.jsonl", TABLE])
    again = pickle.loads(pickle.dumps(corpus))
    assert again == corpus
    assert texts_of(again) == texts_of(corpus)


class Stream:
    """Anything that speaks the stream protocol and nothing else."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return TABLE.__arrow_c_stream__(requested_schema)


class Array:
    """Anything that speaks the array protocol and nothing else."""

    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return TABLE.to_batches()[0].__arrow_c_array__(requested_schema)


class Dataset:
    """The part of `datasets.Dataset` that is used, over a selection in another order."""

    column_names = ("id", "text")

    def with_format(self, form: str) -> Dataset:
        assert form == "arrow"
        return self

    def iter(self, batch_size: int) -> Iterator[pa.Table]:
        yield TABLE.slice(0, 1)
        yield TABLE.slice(1)


@pytest.mark.parametrize(
    "source",
    [
        TABLE,
        TABLE.to_batches()[0],
        TABLE.to_reader(),
        pl.DataFrame({"id": [1, 2, 3], "text": ["a", None, "c"]}),
        pd.DataFrame({"id": [1, 2, 3], "text": ["a", None, "c"]}),
        Stream(),
        Array(),
        Dataset(),
    ],
    ids=lambda source: type(source).__name__,
)
def test_tables(source: object) -> None:
    corpus = resolve(source)
    assert corpus.in_memory
    assert texts_of(corpus) == ["a", None, "c"]
    (shard,) = corpus.shards
    assert shard.rows_in_metadata() == 3
    identity = shard.identity()
    assert (identity["name"], identity["num_rows"]) == ("raw", 3)
    # The same texts, whatever holds them, and no others.
    assert identity == resolve(["a", None, "c"]).shards[0].identity()
    assert identity != resolve(["a", "", "c"]).shards[0].identity()
    assert identity != resolve(["", None, "ac"]).shards[0].identity()
    assert shard.schema().names == ["id", "text"]
    parts = list(shard.take(np.array([0, 2])))
    records = [row for part in parts for row in part.records.to_pylist()]
    assert records == [{"id": 1, "text": "a"}, {"id": 3, "text": "c"}]
    assert all(part.records.schema == shard.schema() for part in parts)
    shard.check_unchanged()


@pytest.mark.parametrize(
    "source",
    [
        pa.array(["a", None]),
        pa.chunked_array([["a"], [None]]),
        pl.Series(["a", None]),
        ["a", None],
        ("a", None),
        (text for text in ["a", None]),
        np.array(["a", None], dtype=object),
        pa.array(["a", None]).dictionary_encode(),
    ],
    ids=lambda source: type(source).__name__,
)
def test_texts(source: object) -> None:
    corpus = resolve(source, text="body", name="target")
    assert texts_of(corpus) == ["a", None]
    assert corpus.name == "target"
    assert corpus.shards[0].schema().names == ["body"]


def test_list_of_tables_and_paths(folder: Path) -> None:
    corpus = resolve([TABLE, folder / "b.parquet", ["x", "y"]])
    assert texts_of(corpus) == ["a", None, "c", "a", None, "c", "x", "y"]
    assert [shard.kind for shard in corpus.shards] == ["memory", "parquet", "memory"]
    assert not corpus.in_memory


def test_dictionary_text_in_memory() -> None:
    table = pa.table({"text": pa.array(["a", "b", "a"]).dictionary_encode()})
    (shard,) = resolve(table).shards
    (batch,) = shard.text_batches(on_error="raise")
    assert pa.types.is_dictionary(batch.text.type)


def test_nested_text_in_memory() -> None:
    assert texts_of(resolve(pa.table({"d": [{"t": "x"}, None]}), text="d.t")) == ["x", None]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (pa.table({"body": ["x"]}), r"no column 'text'; columns: body \(string\)"),
        (pa.table({"text": [1]}), "column 'text' is int64"),
        (pa.array([1.5]), "column 'text' is double"),
        (pd.DataFrame({"text": [1]}), "column 'text' is int64"),
    ],
)
def test_table_without_text(source: object, message: str) -> None:
    with pytest.raises(TextColumnError, match=message):
        resolve(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (["a", 3], "element 1 is int, not str"),
        (["a", b"b"], "element 1 is bytes, not str"),
        ((x for x in ["a", 2.5]), "element 1 is float"),
        (["a", "\ud800"], "element 1 holds half a surrogate pair"),
        ([3], "element 0 is int, not str"),
        ([float("nan"), "a"], "element 0 is float, .* give None for a text that is missing"),
        ([None, pd.NA, "a"], "element 1 is NAType, .* give None for a text that is missing"),
        ([b"a", "b"], r"element 0 is bytes, .* decode such elements, by \.decode\(\)"),
        (pl.DataFrame({"text": ["a"], "o": pl.Series([object()])}), r"column 'o' .*drop\('o'\)"),
        (3, "int cannot be read as a corpus"),
        (None, "NoneType cannot be read"),
        (b"abc", "bytes cannot be read"),
        ({"text": "x"}, "dict cannot be read"),
        ({"a", "b"}, "a set has no order"),
        (pl.LazyFrame({"text": ["a"]}), r"LazyFrame cannot be read .*\.collect\(\)"),
        ("", "is not a path"),
        ("a\0b", "is not a path"),
        ([TABLE, None], "element 1 is None"),
    ],
)
def test_not_a_corpus(source: object, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        resolve(source)


def test_a_masked_text_is_missing() -> None:
    for kind in ("U1", object):
        texts = np.ma.array(np.array(["a", "b", "c"], dtype=kind), mask=[False, True, False])
        [shard] = resolve(texts).shards
        assert [
            one for batch in shard.text_batches(on_error="raise") for one in batch.text.to_pylist()
        ] == [
            "a",
            None,
            "c",
        ]


@pytest.mark.parametrize("source", [[], ()])
def test_empty_list(source: object) -> None:
    with pytest.raises(EmptyCorpusError, match="raw: the list of inputs is empty"):
        resolve(source)


def test_texts_and_paths_are_not_mixed(folder: Path) -> None:
    path = str(folder / "b.parquet")
    with pytest.raises(
        SettingError, match=r"element 0 names a file .* element 1 does not .* raw=dsir.files"
    ):
        resolve([path, "some text"])
    with pytest.raises(
        SettingError, match=r"element 1 names a file .* element 0 does not .* raw=dsir.texts"
    ):
        resolve(["some text", path])


def test_texts_that_look_a_little_like_paths() -> None:
    texts = ["what is this? [a] *b*", "", "/no/such/place", "x" * 5000, "a\0b", "~nobody/x", None]
    assert texts_of(resolve(texts)) == texts


def test_a_known_suffix_makes_a_path(tmp_path: Path) -> None:
    # Better an error about a file than a corpus that consists of file names.
    with pytest.raises(SettingError, match="there is none of that name"):
        resolve([f"{tmp_path}/a.parquet", f"{tmp_path}/b.parquet"])


def test_memory_batches_are_bounded() -> None:
    (shard,) = resolve(["x" * 1000] * 20_000).shards
    batches = list(shard.text_batches(on_error="raise"))
    assert len(batches) >= 2
    assert max(batch.text.nbytes for batch in batches) < 9 << 20
    with pytest.raises(ShardError, match="has 20,000 rows"):
        list(shard.take(np.array([20_000])))


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.none() | st.text(max_size=20), max_size=40),
    start=st.integers(0, 10),
    batch_bytes=st.integers(1, 60),
    data_type=st.sampled_from([pa.string(), pa.large_string(), pa.string_view()]),
)
def test_cut_text(
    texts: list[str | None], start: int, batch_bytes: int, data_type: pa.DataType
) -> None:
    array = pa.array(texts).cast(data_type).slice(min(start, len(texts)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dsir.corpus.batches.BATCH_BYTES", batch_bytes)
        parts = list(cut_text(array))
    assert [text for _, part in parts for text in part.to_pylist()] == array.to_pylist()
    assert [first for first, _ in parts] == np.cumsum([0] + [len(p) for _, p in parts])[
        :-1
    ].tolist()
    for _, part in parts:
        size = sum(len((text or "").encode()) for text in part.to_pylist())
        assert size <= batch_bytes or len(part) == 1


def test_cut_text_of_dictionaries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsir.corpus.batches.BATCH_BYTES", 100)
    array = pa.array(["a" * 40, "b" * 40, "a" * 40, None] * 10).dictionary_encode()
    parts = [part for _, part in cut_text(array)]
    assert len(parts) > 1
    assert [text for part in parts for text in part.to_pylist()] == array.to_pylist()


def test_json_is_read_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"text": "x"}))
    assert texts_of(resolve(tmp_path / "a.json")) == ["x"]


def test_a_data_set_of_ray_is_refused_with_the_way_out() -> None:
    """A real one begins a cluster, so this one only has the name of its class."""
    source = type("MaterializedDataset", (), {"__module__": "ray.data.dataset"})()
    with pytest.raises(SettingError, match=r"raw: MaterializedDataset cannot be .*\.write_parquet"):
        resolve(source)
