"""Parts of files: together they are the file, row for row, wherever it was cut."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsir
from dsir.corpus import Shard, resolve
from dsir.corpus.line_blocks import line_starts
from dsir.corpus.windows.shard import chunked
from dsir.stages.units import CutTask, cut_shard, unit_layout, units_of_layout


def shard_of(path: Path, text: str = "text") -> Shard:
    [shard] = resolve(path, text=text).shards
    return shard


def cut(shard: Shard, size: int) -> tuple[Shard, ...]:
    return cut_shard(CutTask(shard, size), lambda _: None)


def texts_of(shard: Shard) -> list[str | None]:
    found: list[str | None] = []
    for batch in shard.text_batches(on_error="skip"):
        assert batch.unit_row == len(found)
        found += batch.text.to_pylist()
    return found


@given(st.lists(st.binary(max_size=9).map(lambda b: b.replace(b"\r", b"")), max_size=30), st.data())
def test_lines_are_cut_where_they_begin(tmp_path_factory, lines, data):
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    content = b"\n".join(lines)
    path.write_bytes(content)
    every = data.draw(st.integers(1, max(1, len(content))))
    starts = line_starts(str(path), len(content), every)
    begins = [0, *(i + 1 for i, byte in enumerate(content) if byte == ord("\n"))]
    expected = []
    for wanted in range(0, max(1, len(content)), every):
        expected += [begin for begin in begins if wanted <= begin < len(content)][:1] or []
    assert starts == (*sorted({0, *expected}), len(content))


@pytest.mark.parametrize("size", [900, 20_000])
@pytest.mark.parametrize("kind", ["parquet", "jsonl", "awkward"])
def test_parts_are_the_file(world, tmp_path, kind, size):
    if kind == "parquet":
        path = world.write_parquet(tmp_path, parts=1, group=23)[0]
    else:
        path = world.write_jsonl(tmp_path, [".jsonl"])[0]
    if kind == "awkward":
        lines = path.read_bytes().splitlines(keepends=True)
        for at in range(0, len(lines), 7):
            lines[at] = lines[at].replace(b"\n", b"\r\n") + b"\n \n"
        path.write_bytes(b"\xef\xbb\xbf" + b"".join(lines).rstrip(b"\n"))
    whole = shard_of(path)
    parts = cut(whole, size)
    assert len(parts) > 2
    assert sum(part.size for part in parts) == whole.size == path.stat().st_size
    assert {part.name for part in parts} == {whole.name}
    assert parts == cut(whole, size)
    expected = texts_of(whole)
    found = [texts_of(part) for part in parts]
    assert list(itertools.chain.from_iterable(found)) == expected == world.texts
    before = 0
    for part, texts in zip(parts, found, strict=True):
        part.check_unchanged()
        assert part.rows_before() == before
        assert part.whole().rows_in_metadata() == whole.rows_in_metadata()
        assert part.whole().size == whole.size
        rows = np.arange(0, len(texts), 3)
        taken = [text for one in part.take(rows) for text in one.text.to_pylist()]
        those = [text for one in whole.take(rows + before) for text in one.text.to_pylist()]
        assert taken == those == texts[::3]
        with pytest.raises(dsir.ShardError, match="was asked for, but the shard has"):
            list(part.take(np.array([len(texts)])))
        before += len(texts)
    layout = json.loads(json.dumps(unit_layout(parts)))
    assert units_of_layout([whole.surveyed()], layout) == list(parts)
    blank = sum(b.blank_lines for part in parts for b in part.text_batches(on_error="skip"))
    assert blank == sum(b.blank_lines for b in whole.text_batches(on_error="skip"))


def test_what_is_not_cut(world, tmp_path):
    arrow = tmp_path / "a.arrow"
    table = world.table()
    with pa.OSFile(str(arrow), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    packed = world.write_jsonl(tmp_path / "packed", [".jsonl.gz", ".jsonl.zst"])
    for source in (arrow, *packed, table):
        [shard] = resolve(source).shards
        assert cut(shard, 100) == (shard,)
    # Only all of the file can tell that no line has the field.
    lacking = shard_of(world.write_jsonl(tmp_path / "plain", [".jsonl"])[0], "body")
    assert cut(lacking, 100) == (lacking,)


@pytest.mark.parametrize("damage", [b"PAR1", b"x" * 900])
def test_what_cannot_be_read_is_left_whole(tmp_path, damage):
    for name in ("a.parquet", "b.jsonl"):
        path = tmp_path / name
        path.write_bytes(damage)
        shard = shard_of(path)
        assert cut(shard, 10) == (shard,)
        gone = shard_of(path)
        path.unlink()
        assert cut(gone, 10) == (gone,)


def test_a_nested_field_is_found_by_the_first_line_of_the_file(tmp_path):
    path = tmp_path / "a.jsonl"
    lines = [{"doc.body": "flat"}, *[{"doc": {"body": "nested"}, "doc.body": "flat"}] * 40]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    parts = cut(shard_of(path, "doc.body"), 200)
    assert len(parts) > 5
    assert {text for part in parts for text in texts_of(part)} == {"flat"}


def test_a_footer_is_named_and_parsed_once_for_many_parts(world, tmp_path, monkeypatch):
    path = world.write_parquet(tmp_path, parts=1, group=9)[0]
    other = tmp_path / "other.parquet"
    pq.write_table(world.table(), other, row_group_size=10)
    one, two = shard_of(path).surveyed(), shard_of(other).surveyed()
    assert one.identity()["footer"] != two.identity()["footer"]
    assert one.identity() == shard_of(path).surveyed().identity()
    parts = cut(shard_of(path), 1)
    assert len(parts) == 67
    monkeypatch.setattr("dsir.corpus.parquet_footer._footer_bytes", None)
    assert sum(len(texts_of(part)) for part in parts) == 600
    assert [part.identity() for part in parts] == [one.identity()] * 67


def test_windows_of_parts_say_their_row_in_the_file(world, tmp_path):
    for path in (
        world.write_parquet(tmp_path, parts=1, group=23)[0],
        world.write_jsonl(tmp_path, [".jsonl"])[0],
    ):
        [shard] = chunked(resolve(path), 16).shards
        for part in cut(shard, 900)[5:9]:
            [batch, *_] = part.text_batches(on_error="raise")
            assert batch.origin is not None
            chosen = np.flatnonzero(np.array([t is not None for t in batch.text.to_pylist()]))[:3]
            starts = batch.origin.start[chosen].astype(np.int64)
            lengths = np.array([len(batch.text[int(i)].as_py().encode()) for i in chosen])
            rows = batch.origin.row[chosen]
            [taken] = part.take_windows(rows, starts, lengths)  # type: ignore[attr-defined]
            if taken.records is not None:
                found = taken.records["source_row"].to_pylist()
            else:
                found = [json.loads(line)["source_row"] for line in taken.lines.to_pylist()]
            assert found == (rows + part.rows_before()).tolist()


def test_a_file_that_changed_is_not_cut_as_it_was(world, tmp_path):
    path = world.write_parquet(tmp_path, parts=1, group=23)[0]
    layout = unit_layout(cut(shard_of(path), 900))
    pq.write_table(world.table(), path, row_group_size=40)
    with pytest.raises(dsir.ShardError, match="it changed since it was cut"):
        units_of_layout([shard_of(path).surveyed()], layout)
