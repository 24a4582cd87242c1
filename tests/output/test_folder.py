"""The output folder: rows in data/, everything else in _dsir/, and any reader opens it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.output.folder import DATASET_NOTE

SETTINGS: dict[str, Any] = {"n": 40, "min_tokens": 20, "length": "mean", "progress": False}


@pytest.fixture(scope="module")
def one(small_world, tmp_path_factory) -> list[Path]:
    """A corpus of one Parquet shard."""
    return small_world.write_parquet(tmp_path_factory.mktemp("one"), parts=1)


@pytest.fixture(scope="module")
def selected(one, target, tmp_path_factory) -> Path:
    """A selection. Not to be changed."""
    out = tmp_path_factory.mktemp("selected") / "out"
    dsir.select(one, target, out=out, **SETTINGS)
    return out


def ids_of(selected: Path) -> list[int]:
    return pq.read_table(selected / "data/part-00000.parquet")["id"].to_pylist()


def test_side_files_are_not_parquet(selected):
    assert [path.name for path in selected.rglob("*.parquet")] == ["part-00000.parquet"]
    assert {path.name for path in selected.iterdir()} == {"data", "_dsir", DATASET_NOTE}
    assert {path.suffix for path in (selected / "data").iterdir()} == {".parquet"}


@pytest.mark.parametrize("below", ["", "data"])
def test_pyarrow_opens_it(selected, below):
    assert pads.dataset(selected / below).to_table()["id"].to_pylist() == ids_of(selected)
    assert pq.read_table(selected / below)["id"].to_pylist() == ids_of(selected)


@pytest.mark.parametrize("below", ["", "data"])
def test_pandas_opens_it(selected, below):
    pandas = pytest.importorskip("pandas")
    assert pandas.read_parquet(selected / below)["id"].tolist() == ids_of(selected)


def test_polars_opens_it(selected):
    polars = pytest.importorskip("polars")
    assert polars.read_parquet(selected / "data")["id"].to_list() == ids_of(selected)
    assert polars.scan_parquet(selected / "**/*.parquet").collect().height == 40


def test_duckdb_opens_it(selected):
    duckdb = pytest.importorskip("duckdb")
    count = f"select count(*) from read_parquet('{selected}/**/*.parquet')"
    assert duckdb.sql(count).fetchall() == [(40,)]


def test_datasets_opens_it(selected, tmp_path):
    datasets = pytest.importorskip("datasets")
    for folder in (selected, selected / "data"):
        found = datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path))
        assert found["id"] == ids_of(selected)


def test_dsir_reads_the_rows_and_nothing_else(selected, target):
    for raw in (selected, selected / "data", f"{selected}/**/*.parquet"):
        again = dsir.select(raw, target, weight_column="again", **SETTINGS)
        assert again.metrics["rows"]["read"] == 40


def test_foreign_files_in_its_folders_are_kept(one, target, tmp_path):
    out = tmp_path / "out"
    (out / "data").mkdir(parents=True)
    mine = out / "data" / "part-00000.parquet"
    mine.write_bytes(b"mine")
    with pytest.raises(dsir.OutputError, match=r"no selection has \(data/part-00000\.parquet\)"):
        dsir.select(one, target, out=out, overwrite=True, **SETTINGS)
    assert mine.read_bytes() == b"mine"
    mine.unlink()
    dsir.select(one, target, out=out, **SETTINGS)
    for name in ("data/notes.txt", "_dsir/notes.txt", "_dsir/rows/notes.txt"):
        (out / name).write_text("mine")
        with pytest.raises(dsir.OutputError, match=f"no selection has .{name}"):
            dsir.select(one, target, out=out, overwrite=True, **SETTINGS)
        (out / name).unlink()


def test_the_earlier_layout_is_not_overwritten(one, target, tmp_path):
    (tmp_path / "selection.json").write_text("{}")
    with pytest.raises(dsir.OutputError, match="earlier version of dsir"):
        dsir.select(one, target, out=tmp_path, overwrite=True, **SETTINGS)


def test_ranked_and_thinned_rows_are_in_data(one, tmp_path, invoke_dsir):
    for command, note, options in (
        ("lexrank", "ranking.json", ["--top", 5]),
        ("gais", "instances.json", ["--label", "domain", "--features", "id", "--keep", "20%"]),
    ):
        out = tmp_path / command
        done = invoke_dsir(command, *one, "--out", out, "-q", *options)
        assert done.returncode == 0, done.stderr
        assert {path.name for path in out.iterdir()} == {"data", "_dsir", DATASET_NOTE}
        written = json.loads((out / "_dsir" / note).read_text())["accounts"]["written"]
        assert pads.dataset(out).count_rows() == written > 0


def test_the_model_is_in_the_folder(one, target, selected, tmp_path, invoke_dsir):
    model = dsir.fit(one, target, length="mean", progress=False)
    assert dsir.ImportanceModel.load(selected / "_dsir/model.dsir").fingerprint == model.fingerprint
    model.save(tmp_path / "m.dsir")
    explained = []
    for place in (selected, tmp_path / "m.dsir"):
        done = invoke_dsir("explain", place, "the ship sails home")
        assert done.returncode == 0, done.stderr
        explained.append(done.stdout)
    assert explained[0] == explained[1]


def test_a_folder_without_a_model_is_said(tmp_path, invoke_dsir):
    done = invoke_dsir("explain", tmp_path, "the ship")
    assert (done.returncode, f"{tmp_path}" in done.stderr) == (1, True)
