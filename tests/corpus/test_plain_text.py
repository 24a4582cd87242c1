"""Plain text as corpora and targets: every line that is not blank is a row of one column."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir.corpus import resolve
from dsir.corpus.batches import ReadLimits

SETTINGS = {"n": 20, "min_tokens": 3, "length": "mean", "temperature": 0.1, "progress": False}


@pytest.fixture
def texts(world) -> list[str]:
    found = [" ".join((text or "").split()) for text in world.table()["text"].to_pylist()]
    return [text for text in found if text]


def written(path: Path, data: bytes) -> Path:
    codec = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".lz4": "lz4"}.get(path.suffix)
    with pa.output_stream(str(path), compression=codec) as out:
        out.write(data)
    return path


def rows_of(path: Path) -> list[str]:
    [shard] = resolve(path).shards
    batches = list(shard.text_batches(on_error="raise"))
    starts = [0, *itertools.accumulate(len(batch.text) for batch in batches)]
    assert [batch.unit_row for batch in batches] == starts[:-1]
    return [text for batch in batches for text in batch.text.to_pylist()]


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a.txt.zst", "a.txt.bz2", "A.TXT"])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_same_rows_as_of_parquet(tmp_path, texts, world, name, threads):
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")
    written(tmp_path / name, "\n".join(texts).encode())
    out = tmp_path / "out"
    given = {**SETTINGS, "threads": threads}
    found = dsir.select(tmp_path / name, world.target, out=out, **given)
    expected = dsir.select(tmp_path / "a.parquet", world.target, out=tmp_path / "other", **given)
    assert found.rows.tolist() == expected.rows.tolist()
    assert found.log_weights.tolist() == expected.log_weights.tolist()
    table = pq.read_table(out / "data")
    assert table.column_names == ["text", "log_weight"]
    assert table["text"].to_pylist() == [texts[row] for row in found.rows.tolist()]
    assert dsir.verify(out, target=world.target).stands


def test_blank_lines_marks_and_ends_of_lines_are_no_part_of_a_row(tmp_path):
    data = b'\xef\xbb\xbfthe ship\r\n\r\n \t\nthe  sea \n\n{"a": 1}\rend'
    assert rows_of(written(tmp_path / "a.txt", data)) == [
        "the ship",
        "the  sea ",
        '{"a": 1}\rend',
    ]
    selection = dsir.select(
        tmp_path / "a.txt", ["the ship and the sea"] * 9, n=1, min_tokens=1, progress=False
    )
    assert selection.metrics.rows.blank_lines == 3
    assert selection.metrics.rows.read == 3


@settings(max_examples=40)
@given(st.lists(st.text(st.sampled_from("ab é語\t "), max_size=6), max_size=40), st.data())
def test_parts_of_a_file_have_the_rows_of_the_whole(tmp_path_factory, lines, data):
    path = tmp_path_factory.mktemp("parts") / "a.txt"
    path.write_bytes("\n".join(lines).encode() or b"\n")
    [shard] = resolve(path).shards
    parts = shard.parts(shard.bounds(data.draw(st.integers(1, 40))))
    found = [
        (part.rows_before() + batch.unit_row + at, text)
        for part in parts
        for batch in part.text_batches(on_error="raise")
        for at, text in enumerate(batch.text.to_pylist())
    ]
    expected = [line for line in lines if line.strip("\t ")]
    assert found == list(enumerate(expected))
    wanted = data.draw(st.sets(st.integers(0, max(0, len(expected) - 1)))) if expected else set()
    taken = [
        text
        for one in shard.take(np.array(sorted(wanted), dtype=np.int64))
        for text in one.text.to_pylist()
    ]
    assert taken == [expected[row] for row in sorted(wanted)]


def test_a_line_that_is_not_utf8_is_a_bad_row(tmp_path, texts, world):
    lines = [text.encode() for text in texts]
    lines[17] = b"caf\xe9 by the sea"
    path = written(tmp_path / "a.txt", b"\n".join(lines))
    with pytest.raises(dsir.RowError, match=r"row 17: .*UTF-8"):
        dsir.select(path, world.target, **SETTINGS)
    selection = dsir.select(path, world.target, on_error="skip", **SETTINGS)
    assert [entry.row for entry in selection.skipped] == [17]


def test_a_line_longer_than_memory_allows_is_refused(tmp_path):
    path = written(tmp_path / "a.txt", b"the ship\n" + b"a " * 200_000)
    [shard] = resolve(path).shards
    narrow = shard.limited(ReadLimits(batch_bytes=1 << 14, row_bytes=1 << 15))
    with pytest.raises(dsir.ShardError, match="the line after 1 rows is longer than 32,768 bytes"):
        list(narrow.text_batches(on_error="skip"))


def test_beside_other_formats_only_files_that_are_named_are_read(tmp_path, texts):
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")
    written(tmp_path / "LICENSE.txt", b"do what you want\n")
    assert [shard.file.name for shard in resolve(tmp_path).shards] == ["a.parquet"]
    named = resolve([tmp_path / "a.parquet", tmp_path / "LICENSE.txt"])
    assert [shard.file.name for shard in named.shards] == ["a.parquet", "LICENSE.txt"]


def test_another_column_than_the_text_is_refused(tmp_path, texts, world):
    path = written(tmp_path / "a.txt", "\n".join(texts).encode())
    with pytest.raises(dsir.TextColumnError, match="no column 'body'; columns: text"):
        dsir.select(path, world.target, text="body", **SETTINGS)
    with pytest.raises(dsir.InputError, match="no column 'source'"):
        dsir.select(path, world.target, max_per={"source": 0.5}, **SETTINGS)
