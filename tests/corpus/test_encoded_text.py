"""Text columns of bytes are read as text in the encoding that the caller names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
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


BYTES = pa.table({"text": column_of("latin-1", pa.binary())})
STRINGS = pa.table({"text": pa.array(TEXTS)})
FEATURES = dsir.HashedNgrams(buckets=64)
READERS = {
    "kl_reduction": lambda source, **given: dsir.kl_reduction(
        source, source, source, features=FEATURES, **given
    ),
    "score": lambda source, **given: dsir.fit(TARGET, TARGET, progress=False).score(
        source, **given
    ),
    "counts": lambda source, **given: FEATURES.counts(source, **given),
    "lexrank": lambda source, **given: dsir.graph.lexrank(source, **given),
    "centrality": lambda source, **given: dsir.graph.centrality(source, **given).scores,
    "similarity_join": lambda source, **given: (
        dsir.graph.similarity_join(source, threshold=0.1, **given).neighbours
    ),
    "Idf": lambda source, **given: dsir.graph.Idf().fit(source, **given)["café"],
    "sentences": lambda source, **given: dsir.graph.sentences(source, **given).to_pylist(),
    "summarize": lambda source, **given: str(dsir.graph.summarize(source, **given)),
    "summarize without splitting": lambda source, **given: str(
        dsir.graph.summarize(source, split=False, **given)
    ),
}


@pytest.mark.filterwarnings("ignore::dsir.DsirWarning")
@pytest.mark.parametrize("read", READERS.values(), ids=READERS.keys())
def test_everything_that_reads_a_text_column_takes_the_encoding(read):
    expected, found = read(STRINGS), read(BYTES, text_encoding="latin-1")
    np.testing.assert_array_equal(np.asarray(found, dtype=object), np.asarray(expected, object))
    with pytest.raises(TextColumnError, match="text_encoding='utf-8'"):
        read(BYTES)
    with pytest.raises(SettingError, match="text_encoding='latin-7000': expected an encoding"):
        read(BYTES, text_encoding="latin-7000")
    with pytest.raises(RowError, match="row 0"):
        read(BYTES, text_encoding="utf-8")


def test_gais_reads_texts_labels_and_names_of_bytes(tmp_path, invoke_dsir):
    texts = [f"{('café', 'ship')[row % 2]} {row}" for row in range(40)]
    labels = [("né", "sea")[row % 2] for row in range(40)]
    table = pa.table({"text": texts, "label": labels, "x": range(40)})
    stored = pa.table(
        {
            "text": pa.array([one.encode("latin-1") for one in texts], pa.binary()),
            "label": pa.array([one.encode("latin-1") for one in labels], pa.binary()),
            "x": range(40),
        }
    )
    pq.write_table(table, tmp_path / "strings.parquet")
    pq.write_table(stored, tmp_path / "bytes.parquet")
    words = ["--label", "label", "--text", "text", "--keep", "25%", "--epochs", 2, "-q"]
    names = ["--label", "x", "--bins", 2, "--features", "label", "--categorical", "label", "-q"]
    for number, options in enumerate((words, [*names, "--keep", "25%", "--epochs", 2])):
        kept = {}
        for kind in ("strings", "bytes"):
            out = tmp_path / f"{kind}-{number}"
            more = [] if kind == "strings" else ["--text-encoding", "latin-1"]
            done = invoke_dsir("gais", tmp_path / f"{kind}.parquet", *options, *more, "-o", out)
            assert done.returncode == 0, done.stderr
            kept[kind] = pq.read_table(out / "data/part-00000.parquet")
        assert kept["bytes"]["x"].equals(kept["strings"]["x"])
        assert kept["bytes"].schema.field("text").type == pa.binary()
    broken = invoke_dsir(
        "gais", tmp_path / "bytes.parquet", *words, "--text-encoding", "utf-8", "-o", tmp_path / "o"
    )
    assert broken.returncode == 1
    assert "column 'label': the text of row 0 is not utf-8: 'n\\\\xe9'" in broken.stderr
    told = invoke_dsir("gais", tmp_path / "bytes.parquet", *words, "-o", tmp_path / "o")
    assert "column 'text' is binary, not text" in told.stderr
    assert "--text-encoding utf-8" in told.stderr


def test_errors_name_the_option_that_gave_the_column(tmp_path, invoke_dsir):
    raw, other = tmp_path / "raw.parquet", tmp_path / "other.jsonl"
    pq.write_table(pa.table({"stars": [1, 2], "text": ["a ship", "a sea"]}), raw)
    other.write_text('{"content": "a ship"}\n')
    table = tmp_path / "other.parquet"
    pq.write_table(pa.table({"content": ["a ship"]}), table)
    for target in (other, table):
        words = ["select", raw, "-t", target, "-n", 1, "-o", tmp_path / "o"]
        assert "name the right one with --target-text" in invoke_dsir(*words).stderr
    words = ["select", raw, "-t", table, "-n", 1, "-o", tmp_path / "o", "--dry-run"]
    assert "name the right one with --target-text" in invoke_dsir(*words).stdout
    words = ["lexrank", raw, "--group-by", "nosuch", "-o", tmp_path / "o"]
    assert "name the right one with --group-by" in invoke_dsir(*words).stderr
