import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.graph import GAIS


@pytest.fixture
def table():
    random = np.random.default_rng(0)
    x = random.normal(size=(500, 3))
    label = np.where(np.abs(x[:, 0]) > 0.8, "out", "in")
    colour = np.where(label == "in", "red", random.choice(["red", "blue"], 500))
    names = {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "colour": colour, "label": label}
    return pa.table({**names, "id": np.arange(500)})


@pytest.fixture
def shards(table, tmp_path):
    """Parquet, JSON Lines and Arrow."""
    folder = tmp_path / "in"
    folder.mkdir()
    pq.write_table(table.slice(0, 200), folder / "a.parquet")
    lines = [json.dumps(row) + "\n" for row in table.slice(200, 150).to_pylist()]
    (folder / "b.jsonl").write_text("".join(lines))
    with pa.ipc.new_file(str(folder / "c.arrow"), table.schema) as writer:
        writer.write_table(table.slice(350))
    return folder


def ids_in(out):
    tables = [pq.read_table(path) for path in sorted(out.glob("data/part-*.parquet"))]
    return [value for one in tables for value in one.column("id").to_pylist()]


def test_rows_of_files(table, shards, tmp_path, invoke_dsir):
    out = tmp_path / "out"
    options = ["--features", "a,b,colour", "--categorical", "colour", "--keep", "8%", "--json"]
    options += ["--epochs", "8", "--report"]
    done = invoke_dsir("gais", shards, "--label", "label", "--out", out, *options)
    assert done.returncode == 0, done.stderr
    gais = GAIS(0.92, categorical=["colour"], epochs=8)
    expected = gais.fit(table.select(["a", "b", "colour"]), table["label"]).sample_indices_
    assert ids_in(out) == expected.tolist()
    said = json.loads(done.stdout)
    assert (said["rows"], said["written"]) == (500, 40)
    report = said["report"]
    assert report["held_out"] == 100
    assert report["rows_kept"] == 32
    assert list(report["accuracy"]) == ["1-NN", "forest", "linear"]
    nearest = report["accuracy"]["1-NN"]
    assert 0.5 < nearest["kept"] <= 1
    assert 0.7 < nearest["everything"] <= 1
    assert report["accuracy"]["forest"]["everything"] > report["majority"]
    kept = json.loads((out / "_dsir/instances.json").read_text())
    assert kept["rows_kept"] == expected.tolist()
    assert kept["report"] == report


def test_threads_change_no_byte(shards, tmp_path, invoke_dsir, contents):
    made = []
    for threads in (1, 3):
        out = tmp_path / f"out-{threads}"
        options = ["--features", "a,b", "--keep", "25", "--epochs", "5", "--threads", threads]
        done = invoke_dsir("gais", shards, "--label", "label", "--out", out, *options)
        assert done.stdout.strip().endswith("25 of 500 rows")
        made.append(contents(out))
    assert made[0] == made[1]


def test_labelled_text(world, tmp_path, invoke_dsir):
    rows = [row for row in world.rows if row["text"] and len(row["text"]) > 30][:150]
    path = tmp_path / "texts.parquet"
    columns = {name: [row[name] for row in rows] for name in ("id", "text", "domain")}
    pq.write_table(pa.table(columns), path)
    out = tmp_path / "out"
    options = ["--text", "text", "--keep", "10%", "--ngrams", "1", "--buckets", "500"]
    options += ["--epochs", "10", "--report"]
    done = invoke_dsir("gais", path, "--label", "domain", "--out", out, *options)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[-5].startswith("accuracy on 30 rows held out")
    assert [line.split()[0] for line in said[-3:]] == ["1-NN", "forest", "linear"]
    assert all(line.count("%") == 3 for line in said[-3:])
    features = dsir.HashedNgrams(n=1, buckets=500)
    gais = GAIS(0.9, features=features, epochs=10).fit(columns["text"], columns["domain"])
    assert ids_in(out) == [columns["id"][row] for row in gais.sample_indices_]


def test_overwrite(shards, tmp_path, invoke_dsir):
    out = tmp_path / "out"
    call = ["gais", shards, "--label", "label", "--features", "a", "--out", out, "--epochs", "2"]
    assert invoke_dsir(*call).returncode == 0
    done = invoke_dsir(*call)
    assert done.returncode == 1
    assert "--overwrite" in done.stderr
    done = invoke_dsir(*call, "--overwrite", "--keep", "2")
    assert done.returncode == 0, done.stderr
    assert len(ids_in(out)) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--label", "no"], 1, "no column 'no'"),
        (["--label", "label", "--features", "a,z"], 1, "no column 'z'"),
        (["--label", "label", "--features", "a,colour"], 2, "--categorical"),
        (["--label", "label", "--features", "a", "--text", "b"], 2, "not both"),
        (["--label", "label", "--features", "a", "--keep", "0"], 2, "--keep 0"),
        (["--label", "label", "--features", "a", "--keep", "x"], 2, "--keep x"),
        (["--label", "label", "--features", "a", "--select", "best"], 2, "--select best"),
        (["--label", "label", "--text", "a"], 2, "row 0 is float"),
    ],
)
def test_wrong_calls(shards, tmp_path, invoke_dsir, arguments, code, message):
    done = invoke_dsir("gais", shards, "--out", tmp_path / "out", *arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    left = tmp_path / "out"
    assert not left.exists() or not list(left.iterdir())
