"""dsir score --with: tables of what several models say, made unit by unit."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.corpus import Paths, resolve
from dsir.model.scorers import Scorers
from dsir.run.pipeline import Pipeline
from dsir.run.score_columns import score_columns_to_folder
from dsir.settings.machine import Machine
from dsir.settings.reading import ReadSettings
from dsir.stages import units

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))

from fasttext_file import FastTextFile


@pytest.fixture(scope="module")
def models(world, tmp_path_factory):
    """Files of a model of fastText, a ratio and a classifier, by name."""
    folder = tmp_path_factory.mktemp("models")
    quality = folder / "quality.bin"
    quality.write_bytes(FastTextFile().encode())
    found = {"quality": quality}
    for kind in ("ratio", "classifier"):
        found[kind] = folder / f"{kind}.dsir"
        features = dsir.HashedNgrams(buckets=3000)
        model = dsir.fit(
            world.texts, world.target, estimator=kind, features=features, progress=False
        )
        model.save(found[kind])
    return found


def columns_of(raw, models, out, *, threads=2, share=(0, 1), **reading):
    """Score as the command does; the counts of the units."""
    settings = ReadSettings.of(reading)
    machine = Machine.of({"threads": threads, "progress": False})
    corpus = resolve(
        Paths(list(map(str, raw))), text="text", name="raw", on_error=settings.on_error
    )
    pipeline = Pipeline(machine, settings)
    return score_columns_to_folder(pipeline, corpus, Scorers(models), out, share)


def table_in(out):
    return ds.dataset(str(out / "data")).to_table()


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_columns_are_those_of_dsir_score(form, world, models, tmp_path, monkeypatch):
    """Large Parquet files are cut, and rows are numbered in their file."""
    write = world.write_parquet if form == "parquet" else world.write_jsonl
    raw = write(tmp_path / "raw")
    monkeypatch.setattr(units, "UNIT_BYTES", 9000)
    done = columns_of(raw, models, tmp_path / "out")
    assert (len(done) > 6) == (form == "parquet")
    table = table_in(tmp_path / "out")
    expected = dsir.score(world.texts, models)
    assert table.column_names == ["source", "source_row", *expected.column_names]
    assert table.select(expected.column_names).equals(expected)
    rows = [(str(path), row) for path, part in zip(raw, world.cut(3), strict=True)
            for row in range(len(part))]  # fmt: skip
    found = zip(table["source"].to_pylist(), table["source_row"].to_pylist(), strict=True)
    assert list(found) == rows


def test_jobs_share_a_folder_and_a_unit_is_done_once(
    world, models, tmp_path, monkeypatch, contents
):
    raw = world.write_parquet(tmp_path / "raw")
    monkeypatch.setattr(units, "UNIT_BYTES", 9000)
    columns_of(raw, models, tmp_path / "alone", threads=1)
    expected = contents(tmp_path / "alone")
    out = tmp_path / "out"
    for part in range(3):
        columns_of(raw, models, out, share=(part, 3), threads=3)
    assert contents(out) == expected
    lost, damaged = out / "data/part-00001.parquet", out / "data/part-00002.parquet"
    lost.unlink()
    damaged.write_bytes(damaged.read_bytes()[:-1])
    before = {path: path.stat().st_mtime_ns for path in (out / "data").iterdir()}
    columns_of(raw, models, out)
    assert contents(out) == expected
    changed = {
        path for path in (out / "data").iterdir() if path.stat().st_mtime_ns != before.get(path)
    }
    assert changed == {lost, damaged}


def test_rows_that_cannot_be_read_are_null(models, tmp_path):
    good = b'{"text": "ship and sail"}\n'
    (tmp_path / "a.jsonl").write_bytes(good + b'{"text": 5}\n' + b"{\n" + good)
    (tmp_path / "b.parquet").write_bytes(b"PAR1 no")
    raw = [tmp_path / "a.jsonl", tmp_path / "b.parquet"]
    with pytest.raises(dsir.RowError, match="row 1"):
        columns_of(raw[:1], models, tmp_path / "x")
    with pytest.warns(dsir.DsirWarning, match=r"passed over 1 file.*b\.parquet"):
        [first, _] = columns_of(raw, models, tmp_path / "out", on_error="skip")
    assert (first.bad, [one.row for one in first.skipped]) == (2, [1, 2])
    table = table_in(tmp_path / "out")
    assert table["source_row"].to_pylist() == [0, 1, 2, 3]
    for name in table.column_names[2:]:
        values = table[name].to_pylist()
        assert values[1:3] == [None, None]
        assert values[0] == values[3] is not None
    with pytest.raises(dsir.BadDataError):
        columns_of(raw[:1], models, tmp_path / "y", on_error="skip", max_bad_rows=1)


@pytest.fixture(scope="module")
def corpus(small_world, tmp_path_factory):
    return small_world.write_parquet(tmp_path_factory.mktemp("raw"), parts=2)


def test_the_command(corpus, models, tmp_path, invoke_dsir):
    call = ["score", *corpus, "--with", models["quality"], "--with", f"sea={models['ratio']}"]
    done = invoke_dsir(*call, "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "out: 90 rows of 2 units" in done.stdout
    names = table_in(tmp_path / "out").column_names[2:]
    assert names == ["quality.sea", "quality.law", "sea"]
    status = invoke_dsir("status", "out", "--json", cwd=tmp_path)
    assert json.loads(status.stdout)["stages"][0]["done"] == 2
    other = invoke_dsir("score", *corpus, "--with", models["ratio"], "-o", "out", cwd=tmp_path)
    assert other.returncode == 1
    assert "belongs to another run" in other.stderr
    drawn = invoke_dsir("sample", "out", "-n", 3, "-o", "rows", cwd=tmp_path)
    assert drawn.returncode == 1
    assert "has columns of several models, and no weights to draw by" in drawn.stderr
    plain = invoke_dsir("score", *corpus, "--with", models["classifier"], "-o", "b", cwd=tmp_path)
    assert plain.returncode == 0, plain.stderr
    assert pq.read_schema(tmp_path / "b/data/part-00001.parquet").names[2:] == ["classifier"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--model, --with: neither is given"),
        (["-m", "RATIO", "--with", "RATIO"], "--model, --with: both are given"),
        (["--with", "RATIO", "--filters", "paper"], "--filters: is for weights to sample by"),
        (["--with", "RATIO", "--groups", "a"], "--groups: is for weights to sample by"),
        (["--with", "none.bin"], "--with none.bin: "),
        (["--with", "a=RATIO", "--with", "a=RATIO"], "give each model another NAME="),
        (["--with", "source=RATIO"], "'source' is of the row"),
    ],
)
def test_calls_that_are_refused(options, said, corpus, models, tmp_path, invoke_dsir):
    words = [word.replace("RATIO", str(models["ratio"])) for word in options]
    done = invoke_dsir("score", *corpus, *words, "-o", tmp_path / "out")
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_folder_of_a_selection_is_refused(corpus, models, target, tmp_path):
    dsir.select(corpus, target, n=5, min_tokens=5, out=tmp_path / "out", progress=False)
    with pytest.raises(dsir.OutputError, match="holds a selection"):
        columns_of(corpus, models, tmp_path / "out")


def test_scorers_travel_to_other_processes(world, models):
    import pickle

    scorers = pickle.loads(pickle.dumps(Scorers(models)))
    found, bad = scorers.score_batch(pa.array(world.texts), threads=2)
    expected = dsir.score(world.texts, models)
    assert len(bad) == 0
    for column, name in zip(found, expected.column_names, strict=True):
        assert np.array_equal(column, expected[name].to_numpy())
