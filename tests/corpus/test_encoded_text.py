"""Text columns of bytes are read as text in the encoding that the caller names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.corpus import resolve
from dsir.corpus.cast_columns import cast_column
from dsir.corpus.windows.shard import chunked
from dsir.errors import RowError, SettingError, TextColumnError

TEXTS = ["café judge", None, "", "naïve court appeal", "¡olé clause!", "ship"]
SETTINGS: dict[str, Any] = {"min_tokens": 1, "method": "top-k", "progress": False}
TARGET = ["café judge naïve court"] * 50
TYPES = [
    pa.binary(),
    pa.large_binary(),
    pa.binary_view(),
    pa.dictionary(pa.int32(), pa.binary()),
]


def column_of(encoding: str, kind: pa.DataType, texts: list[str | None] = TEXTS) -> pa.Array:
    values = [None if text is None else text.encode(encoding) for text in texts]
    return cast_column(pa.array(values, pa.binary()), kind)


def write(folder: Path, table: pa.Table, kind: str = "parquet") -> Path:
    path = folder / f"a.{kind}"
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=4)
    else:
        with pa.ipc.new_file(path, table.schema) as file:
            file.write_table(table, max_chunksize=4)
    return path


def texts_of(source: Any, encoding: str) -> list[str | None]:
    (shard,) = resolve(source, encoding=encoding).shards
    found: list[str | None] = []
    for batch in shard.text_batches(on_error="raise"):
        found += batch.text.to_pylist()
    assert len(shard.identity()) == len(resolve(source, encoding="utf-8").shards[0].identity())
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16", "cp1252", "utf-8-sig"])
@pytest.mark.parametrize("kind", TYPES, ids=str)
@pytest.mark.parametrize("reader", ["parquet", "arrow", "memory"])
def test_bytes_are_read_as_text(tmp_path, encoding, kind, reader):
    table = pa.table({"id": range(len(TEXTS)), "text": column_of(encoding, kind)})
    source = table if reader == "memory" else write(tmp_path, table, reader)
    assert texts_of(source, encoding) == TEXTS


def test_a_selection_is_that_of_the_same_texts_and_writes_the_bytes(tmp_path, invoke_dsir):
    texts = [one or "" for one in TEXTS]
    plain = dsir.select(pa.table({"text": texts}), TARGET, n=3, **SETTINGS)
    table = pa.table({"id": range(6), "text": column_of("latin-1", pa.binary())})
    raw = write(tmp_path, table)
    given = {**SETTINGS, "n": 3, "text_encoding": "latin-1"}
    target = tmp_path / "target.jsonl"
    target.write_text("".join(json.dumps({"text": text}) + "\n" for text in TARGET))
    found = dsir.select(raw, target, out=tmp_path / "out", workdir=tmp_path / "w", **given)
    assert found.rows.tolist() == plain.rows.tolist()
    written = pq.read_table(found.paths[0])
    assert written["text"].type == pa.binary()
    assert written.drop_columns("log_weight").to_pylist() == table.take(found.rows).to_pylist()
    assert dsir.verify(tmp_path / "out").stands
    assert dsir.diff(tmp_path / "out", tmp_path / "out").rows.common == 3
    again = dsir.select(raw, target, out=tmp_path / "out", workdir=tmp_path / "w", **given)
    assert again.log_weights.tolist() == found.log_weights.tolist()
    other = {**given, "text_encoding": "utf-8", "on_error": "skip"}
    with pytest.raises(dsir.WorkdirError):
        dsir.select(raw, target, out=tmp_path / "o", workdir=tmp_path / "w", **other)

    def ran(*words: Any) -> None:
        done = invoke_dsir(*words, "-q")
        assert done.returncode == 0, done.stderr

    encoded = ["--text-encoding", "latin-1"]
    ran("fit", raw, "-t", target, "-o", tmp_path / "m", *encoded)
    ran("score", raw, "-m", tmp_path / "m", "-o", tmp_path / "scores", *encoded)
    draw = ["-n", 3, "--min-tokens", 1, "--method", "top-k"]
    ran("sample", tmp_path / "scores", "-o", tmp_path / "rows", *draw)
    ran("write", tmp_path / "rows", "-m", tmp_path / "m", "-o", tmp_path / "staged")
    staged = pq.read_table(tmp_path / "staged/data/part-00000.parquet")
    assert staged["text"].to_pylist() == written["text"].to_pylist()
    assert dsir.verify(tmp_path / "staged").stands
    ran("lexrank", raw, "-o", tmp_path / "ranked", "--top", 2, *encoded)


def test_windows_are_texts():
    table = pa.table({"text": column_of("utf-16", pa.large_binary(), ["café judge naïve court"])})
    raw = chunked(resolve(table, encoding="utf-16"), 2)
    (shard,) = raw.shards
    texts = [text for one in shard.text_batches(on_error="raise") for text in one.text.to_pylist()]
    assert texts == ["café judge", "naïve court"]
    found = dsir.select(
        table, ["naïve court"] * 50, n=1, chunk_tokens=2, text_encoding="utf-16", **SETTINGS
    ).table
    assert found["text"].to_pylist() == ["naïve court"]


@pytest.mark.parametrize(
    ("encoding", "broken", "kind"),
    [("utf-8", b"caf\xe9", "not_utf8"), ("utf-16", b"abc", "not_decodable")],
)
@pytest.mark.parametrize("reader", ["parquet", "arrow", "memory"])
def test_a_text_that_does_not_decode_is_a_bad_row(tmp_path, encoding, broken, kind, reader):
    values = column_of(encoding, pa.binary()).to_pylist()
    values[4] = broken
    table = pa.table({"text": pa.array(values, pa.binary())})
    source = table if reader == "memory" else write(tmp_path, table, reader)
    given = {**SETTINGS, "n": 3, "text_encoding": encoding}
    with pytest.raises(RowError, match=rf"row 4: the text is not (UTF-8|{encoding}); on_error="):
        dsir.select(source, TARGET, **given)
    found = dsir.select(source, TARGET, on_error="skip", **given)
    assert found.rows.tolist() == [0, 3, 5]
    (skipped,) = found.skipped
    assert (skipped.row, skipped.kind) == (4, kind)
    assert skipped.snippet in ("caf\\xe9", "abc")


def test_without_the_option_the_error_names_it(tmp_path, invoke_dsir):
    table = pa.table({"text": column_of("utf-8", pa.binary())})
    with pytest.raises(TextColumnError, match=r"is binary, not text.*text_encoding='utf-8'"):
        dsir.select(table, TARGET, n=1, **SETTINGS)
    raw = write(tmp_path, table)
    for dry in ([], ["--dry-run"]):
        done = invoke_dsir("select", raw, "-t", raw, "-n", 1, "-o", tmp_path / "o", "-q", *dry)
        assert (done.returncode, "--text-encoding" in done.stderr) == (1, True)
    with pytest.raises(TextColumnError) as raised:
        dsir.select(pa.table({"text": [1]}), TARGET, n=1, **SETTINGS)
    assert "text_encoding" not in str(raised.value)


@pytest.mark.parametrize("name", ["utf-9", "base64", "rot13", "", 8, "a\0b"])
def test_what_is_no_encoding(name):
    with pytest.raises(SettingError, match="text_encoding="):
        dsir.select(["a b"], TARGET, n=1, text_encoding=name, **SETTINGS)


def test_strings_are_read_whatever_the_encoding_is():
    mixed = [pa.table({"text": ["café"]}), pa.table({"text": column_of("latin-1", pa.binary())})]
    found = resolve(mixed, encoding="latin-1").shards
    texts = [t for s in found for b in s.text_batches(on_error="raise") for t in b.text.to_pylist()]
    assert texts == ["café", *TEXTS]
