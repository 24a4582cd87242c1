"""Lists of the selected rows: a table of files and rows, and arrays of document numbers."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir

pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")  # Of small targets.

TARGET = dsir.texts(["ships sail the sea"] * 9)
TEXTS = [f"{'ships sail' if i % 3 else 'stocks fell'} {i} the sea {i % 5}" for i in range(60)]


@pytest.fixture
def corpus(tmp_path):
    """Three files of two formats; the second has no row that is ever selected."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    pq.write_table(pa.table({"text": TEXTS[:25]}), folder / "a.parquet")
    pq.write_table(pa.table({"text": ["", None, " "]}), folder / "b.parquet")
    lines = "".join(json.dumps({"text": text}) + "\n\n" for text in TEXTS[25:])
    (folder / "c.jsonl").write_text(lines)
    return folder


def selected(corpus, tmp_path, **more):
    return dsir.select(
        sorted(map(str, corpus.iterdir())), TARGET, min_tokens=1, progress=False,
        out=tmp_path / "out", **{"n": 20, **more},
    )  # fmt: skip


def test_the_table_names_file_and_row_of_every_selected_row(corpus, tmp_path):
    chosen = selected(corpus, tmp_path)
    assert chosen.write_row_list(tmp_path / "lists" / "rows.parquet")
    table = pq.read_table(tmp_path / "lists" / "rows.parquet")
    assert table.column_names == ["file", "row", "log_weight"]
    starts = {"a.parquet": 0, "b.parquet": 25, "c.jsonl": 28}
    files = [name.rpartition("/")[2] for name in table["file"].to_pylist()]
    assert [starts[name] + row for name, row in zip(files, table["row"].to_pylist(), strict=True)] \
        == sorted(chosen.rows.tolist())  # fmt: skip
    assert sorted(table["log_weight"].to_pylist()) == sorted(chosen.log_weights.tolist())


def test_arrays_number_the_documents_of_each_file_and_of_all(corpus, tmp_path):
    chosen = selected(corpus, tmp_path)
    folder = dsir.load(tmp_path / "out").write_row_list(tmp_path / "rows")
    whole = np.load(folder / "corpus.npy", allow_pickle=False)
    assert whole.dtype == np.int64
    assert whole.tolist() == sorted(chosen.rows.tolist())
    files = json.loads((folder / "files.json").read_text())
    assert [one["path"].rpartition("/")[2] for one in files] == [
        "a.parquet",
        "b.parquet",
        "c.jsonl",
    ]
    assert [one["rows"] for one in files] == [25, 3, 35]
    before = 0
    found = []
    for one in files:
        rows = np.load(folder / one["indices"], allow_pickle=False)
        assert len(rows) == one["selected"]
        found += (before + rows).tolist()
        before += one["rows"]
    assert found == whole.tolist()
    assert sorted(path.name for path in folder.iterdir()) == [
        "00000.npy", "00001.npy", "00002.npy", "corpus.npy", "files.json",
    ]  # fmt: skip


def test_windows_list_their_documents(corpus, tmp_path):
    chosen = selected(corpus, tmp_path, chunk_tokens=3, n=40)
    folder = chosen.write_row_list(tmp_path / "rows")
    assert not (folder / "corpus.npy").exists()
    rows = np.load(folder / "00000.npy")
    assert (np.diff(rows) > 0).all()
    chosen.write_row_list(tmp_path / "rows.parquet")
    table = pq.read_table(tmp_path / "rows.parquet")
    assert table.column_names == ["file", "row", "start", "log_weight"]
    assert len(table) == 40
    first = table.filter(pa.compute.ends_with(table["file"].cast(pa.string()), "a.parquet"))
    assert sorted(set(first["row"].to_pylist())) == rows.tolist()


def test_separate_targets_are_named(corpus, tmp_path):
    chosen = dsir.select(
        corpus, {"sea": TARGET, "stocks": dsir.texts(["stocks fell"] * 9)}, targets="separate",
        n=10, min_tokens=1, progress=False, out=tmp_path / "out",
    )  # fmt: skip
    chosen.write_row_list(tmp_path / "rows.parquet")
    assert set(pq.read_table(tmp_path / "rows.parquet")["target"].to_pylist()) == {"sea", "stocks"}


def test_the_option(invoke_dsir, corpus, tmp_path):
    pq.write_table(pa.table({"text": [*TARGET]}), tmp_path / "target.parquet")
    call = ["select", str(corpus), "-t", str(tmp_path / "target.parquet"), "-o",
            str(tmp_path / "out"), "-n", "5", "--min-tokens", "1"]  # fmt: skip
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    for wrong, says in (("full", "is not empty"), ("s3://bucket/rows", "--rows-out")):
        path = wrong if "://" in wrong else str(tmp_path / wrong)
        done = invoke_dsir(*call, "--rows-out", path)
        assert done.returncode != 0
        assert says in done.stderr
        assert not (tmp_path / "out").exists()  # It is said before the work.
    done = invoke_dsir(*call, "--rows-out", str(tmp_path / "rows.parquet"))
    assert done.returncode == 0, done.stderr
    assert len(pq.read_table(tmp_path / "rows.parquet")) == 5


def test_what_is_no_place_for_a_list(corpus, tmp_path):
    chosen = selected(corpus, tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "folder.parquet").mkdir()
    for wrong in ("file", "folder.parquet"):
        with pytest.raises(dsir.OutputError, match=wrong):
            chosen.write_row_list(tmp_path / wrong)
    for other in (None, 5, "", "s3://bucket/rows"):
        with pytest.raises(dsir.SettingError, match="rows_out="):
            chosen.write_row_list(other)
    memory = dsir.select(dsir.texts(TEXTS), TARGET, n=5, min_tokens=1, progress=False)
    with pytest.raises(dsir.SettingError, match="in memory"):
        memory.write_row_list(tmp_path / "rows")
