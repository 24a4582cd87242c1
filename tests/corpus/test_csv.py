"""CSV and TSV as corpora and targets: what the contract of readers does not ask."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsir
from dsir.corpus import resolve

SETTINGS = {"n": 20, "min_tokens": 3, "length": "mean", "temperature": 0.1, "progress": False}


@pytest.fixture
def table(world) -> pa.Table:
    return world.table().select(["id", "domain", "text"])


def written(path: Path, table: pa.Table, **form: object) -> Path:
    with io.StringIO(newline="") as text:
        writer = csv.writer(text, **form)
        writer.writerow(table.column_names)
        writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
        data = text.getvalue().encode()
    codec = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    with pa.output_stream(str(path), compression=codec) as out:
        out.write(data)
    return path


def rows_of(path: Path) -> list[tuple[int, list[str | None], list[int]]]:
    [shard] = resolve(path).shards
    return [
        (batch.unit_row, batch.text.to_pylist(), [bad.row for bad in batch.bad])
        for batch in shard.text_batches(on_error="skip")
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz", "a.tsv.zst", "A.CSV"])
def test_the_same_rows_as_of_parquet_with_all_columns(tmp_path, table, world, name):
    pq.write_table(table, tmp_path / "a.parquet")
    raw = written(tmp_path / name, table, delimiter="\t" if "tsv" in name else ",")
    out = tmp_path / "out"
    found = dsir.select(raw, world.target, out=out, **SETTINGS)
    same = dsir.select(tmp_path / "a.parquet", world.target, out=tmp_path / "same", **SETTINGS)
    assert found.rows.tolist() == same.rows.tolist()
    assert found.log_weights.tolist() == same.log_weights.tolist()
    assert [path.name for path in found.paths] == ["part-00000.parquet"]
    rows = pq.read_table(found.paths[0]).select(table.column_names)
    assert rows.schema == pa.schema([(name, pa.string()) for name in table.column_names])
    expected = pq.read_table(same.paths[0]).select(table.column_names).to_pylist()
    assert rows.to_pylist() == [{**row, "id": str(row["id"])} for row in expected]
    assert dsir.verify(out, target=world.target).stands
    assert dsir.load(out).rows.tolist() == found.rows.tolist()


def test_everything_that_lines_can_do(tmp_path, table, world):
    raw = written(tmp_path / "a.csv", pa.concat_tables([table, table]))
    lines = tmp_path / "a.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist() * 2))
    for more in (
        {"dedup": "exact"},
        {"max_per": {"domain": 0.4}},
        {"group_by": "domain", "n": 5},
        {"chunk_tokens": 12, "chunk_stride": 6},
        {"filters": {"min_words": 8}},
        {"threads": 3},
        {"memory": "300MB"},
    ):
        call = SETTINGS | more
        found = dsir.select(raw, world.target, **call)
        same = dsir.select(lines, world.target, **call)
        assert found.rows.tolist() == same.rows.tolist(), more
        assert found.log_weights.tolist() == same.log_weights.tolist(), more
    work = tmp_path / "work"
    first = dsir.select(raw, world.target, out=tmp_path / "out", workdir=work, **SETTINGS)
    again = dsir.select(raw, world.target, out=tmp_path / "out", workdir=work, **SETTINGS)
    assert first.rows.tolist() == again.rows.tolist()


def test_a_target_is_csv(tmp_path, table, world):
    target = written(tmp_path / "want.csv", pa.table({"body": world.target, "x": world.target}))
    pq.write_table(table, tmp_path / "a.parquet")
    found = dsir.select(tmp_path / "a.parquet", target, target_text="body", **SETTINGS)
    same = dsir.select(tmp_path / "a.parquet", world.target, **SETTINGS)
    assert found.rows.tolist() == same.rows.tolist()
    with pytest.raises(dsir.TextColumnError, match=r"no column 'bodi'.*did you mean body\?"):
        dsir.fit(tmp_path / "a.parquet", target, target_text="bodi", progress=False)


def test_rows_with_more_or_fewer_values_are_bad(tmp_path, world):
    lines = [f"{number},the ship {number} sails out" for number in range(30)]
    lines[7] = "7"
    lines[9] = "9,a,b"
    lines[29] = "29"
    path = tmp_path / "a.csv"
    path.write_text("id,text\n" + "\n\n".join(lines) + "\n")
    batches = rows_of(path)
    texts = [text for _, these, _ in batches for text in these]
    assert [row for _, _, bad in batches for row in bad] == [7, 9, 29]
    assert texts[28] == "the ship 28 sails out"
    with pytest.raises(dsir.RowError, match=r"row 7: has 1 value, but the first line names 2"):
        dsir.fit(path, world.target, progress=False)
    call = SETTINGS | {"n": 27, "on_error": "skip", "method": "top-k"}
    found = dsir.select(path, world.target, out=tmp_path / "out", **call)
    assert sorted(found.rows.tolist()) == [row for row in range(30) if row not in (7, 9, 29)]
    rejects = (tmp_path / "out/_dsir/rejects.jsonl").read_text().splitlines()
    assert [json.loads(line)["row"] for line in rejects] == [7, 9, 29]
    assert json.loads(rejects[1])["snippet"] == "9,a,b"


def test_bytes_that_are_not_utf8_are_bad_rows_and_harm_no_other(tmp_path):
    path = tmp_path / "a.csv"
    good = "".join(f"{number},voil\u00e0 {number}\n" for number in range(20_000)).encode()
    path.write_bytes(b"id,text\n" + good + b'20000,voil\xe0\n20001,"a\nb",\xe0\n20002,\n' + good)
    texts, bad = [], []
    for first, found, these in [
        (batch.unit_row, batch.text.cast(pa.binary()).to_pylist(), batch.bad)
        for batch in resolve(path).shards[0].text_batches(on_error="skip")
    ]:
        assert first == len(texts)
        texts += found
        bad += these
    assert texts[20_000:20_003] == [b"voil\xe0", None, None]
    assert texts[:20_000] == texts[20_003:] == [f"voil\u00e0 {n}".encode() for n in range(20_000)]
    assert [(one.row, one.snippet) for one in bad] == [(20_001, '20001,"a\nb",\\xe0')]


def test_a_row_longer_than_a_block(tmp_path):
    texts = ["short", "word " * 300_000, "x", "y " * 80_000, "z"]
    path = written(tmp_path / "a.csv", pa.table({"id": range(5), "text": texts}))
    [shard] = resolve(path).shards
    found = [
        text
        for batch in shard.text_batches(on_error="raise", batch_bytes=1)
        for text in batch.text.to_pylist()
    ]
    assert found == texts
    assert next(iter(shard.take(np.array([3])))).text.to_pylist() == [texts[3]]


@pytest.mark.parametrize(
    "tail", ['2,"never closed', '2,"never closed\n3,c\n4,d\n', '2,"""\n', '"\n']
)
def test_a_quote_that_is_not_closed(tmp_path, tail):
    path = tmp_path / "a.csv"
    path.write_text("id,text\n0,a\n1,b\n" + tail)
    with pytest.raises(dsir.ShardError, match=r"row 2: a quoted value is not closed"):
        rows_of(path)


def test_headers(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id;text\n1;a\n")
    with pytest.raises(dsir.ShardError, match="the first line has no ',' but ';'"):
        rows_of(path)
    path.write_text("\n\n")
    with pytest.raises(dsir.ShardError, match="no line that names the columns"):
        rows_of(path)
    path.write_text("id,text,text\n1,a,b\n")
    with pytest.raises(dsir.TextColumnError, match="2 columns named 'text'"):
        rows_of(path)
    path.write_text("id,Text\n1,a\n")
    with pytest.raises(dsir.TextColumnError, match=r"did you mean Text\?"):
        rows_of(path)
    path.write_text("id,text")
    assert rows_of(path) == []
    path.write_bytes(b"\xef\xbb\xbftext,id\r\na,1\r\n\r\nb,2")
    assert rows_of(path) == [(0, ["a", "b"], [])]


def test_csv_in_a_folder_is_read_where_it_is_alone(tmp_path, table):
    folder = tmp_path / "c"
    folder.mkdir()
    written(folder / "a.csv", table)
    written(folder / "b.tsv", table, delimiter="\t")
    assert [shard.name for shard in resolve(folder).shards] == [
        str(folder / "a.csv"),
        str(folder / "b.tsv"),
    ]
    pq.write_table(table, folder / "c.parquet")
    corpus = resolve(folder)
    assert [shard.name for shard in corpus.shards] == [str(folder / "c.parquet")]
    assert [(one.path, one.reason) for one in corpus.left_out] == [
        (str(folder / name), "CSV beside other formats is read only when it is named")
        for name in ("a.csv", "b.tsv")
    ]
    assert len(resolve(f"{folder}/*").shards) == 3


def test_gais_takes_the_types_of_csv(tmp_path, invoke_dsir):
    path = tmp_path / "a.csv"
    rows = "".join(f"{n % 7},{n / 3},{['x', 'y'][n % 2]}\n" for n in range(80))
    path.write_text("small,wide,label\n" + rows)
    found = resolve(path, text="label").shards[0].read_table()
    assert found.schema == pa.schema(
        [("small", pa.int64()), ("wide", pa.float64()), ("label", pa.string())]
    )
    done = invoke_dsir("gais", path, "--label", "label", "--keep", "20", "-o", tmp_path / "kept")
    assert done.returncode == 0, done.stderr


values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=12)


@given(st.lists(st.tuples(values, values), min_size=1, max_size=9))
def test_what_python_writes_is_read(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["text", "id"])
        writer.writerows(rows)
    found = [text for _, texts, _ in rows_of(path) for text in texts]
    assert found == [text for text, _ in rows]
