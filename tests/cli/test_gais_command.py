"""`dsir gais`: its options, its output, and wrong calls."""

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


def test_a_label_that_is_no_class_is_called_by_its_name(tmp_path, invoke_dsir):
    columns = {"x": [1.0, 2.0], "kind": [{"a": 1}, {"a": 2}]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    call = ["gais", tmp_path / "a.parquet", "--label", "kind", "--out", tmp_path / "out", "-q"]
    done = invoke_dsir(*call)
    assert done.returncode == 2
    assert done.stderr == (
        "dsir: error: column 'kind' holds struct<a: int64>, which are neither numbers nor names\n"
    )


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
        (
            ["--label", "label", "--features", "a,colour"],
            2,
            "error: column 'colour' (string) does not hold numbers; name it in --categorical, or "
            "leave it out (--exclude)",
        ),
        (
            ["--label", "label", "--categorical", "z"],
            2,
            "error: --categorical z: no column 'z'; columns: a, b, c, ",
        ),
        (["--label", "b"], 2, "error: --label b: 500 classes in 500 rows; "),
        (["--label", "label", "--features", "a", "--text", "b"], 2, "not both"),
        (
            ["--label", "label", "--text", "colour", "--categorical", "a"],
            2,
            "give --text or --categorical, not both",
        ),
        (["--label", "label", "--features", "a", "--keep", "0"], 2, "--keep 0"),
        (["--label", "label", "--features", "a", "--keep", "x"], 2, "--keep x"),
        (["--label", "label", "--features", "a", "--select", "best"], 2, "--select best"),
        (["--label", "label", "--text", "a"], 1, "column 'a' is double, not text"),
    ],
)
def test_wrong_calls(shards, tmp_path, invoke_dsir, arguments, code, message):
    done = invoke_dsir("gais", shards, "--out", tmp_path / "out", "-q", *arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    left = tmp_path / "out"
    assert not left.exists() or not list(left.iterdir())


def test_weights_and_shares(table, shards, tmp_path, invoke_dsir):
    out = tmp_path / "out"
    words = ["gais", shards, "--label", "label", "--features", "a,b", "--epochs", 3]
    done = invoke_dsir(
        *words, "-o", out, "--shares", "in=30,out=12", "--weights", "stands_for", "--report",
        "--metric", "f1_macro",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "f1 macro on 100 rows held out" in done.stdout
    kept = pa.concat_tables(pq.read_table(path) for path in sorted(out.glob("data/*.parquet")))
    labels, weights = kept["label"].to_numpy(), kept["stands_for"].to_numpy()
    assert kept["id"].to_pylist() == ids_in(out)
    everything = table["label"].to_numpy()
    for label, rows in (("in", 30), ("out", 12)):
        assert (labels == label).sum() == rows
        assert weights[labels == label].sum() == (everything == label).sum()
    said = json.loads((out / "_dsir/instances.json").read_text())
    assert said["settings"]["shares"] == {"in": 30, "out": 12}
    assert said["settings"]["keep"] is None
    assert said["settings"]["weights"] == "stands_for"
    assert set(said["report"]) >= {"accuracy", "f1_macro"}
    for wrong, message in (
        (["--weights", "colour"], "--weights colour: the rows have this column"),
        (["--shares", "in=3"], "how many rows of 'out'"),
        (["--shares", "in=3,off=2"], "y has no label 'off'; its labels are 'in', 'out'"),
        (["--shares", "in=3,out=2", "--keep", "9%"], "--keep 9%: the numbers by label already say"),
    ):
        done = invoke_dsir(*words, "-o", tmp_path / "none", *wrong)
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
        assert not (tmp_path / "none").exists()


def test_options_from_a_file(shards, tmp_path, invoke_dsir):
    config = tmp_path / "run.json"
    config.write_text(json.dumps({"shares": {"in": 7, "out": 5}, "select": "sample", "epochs": 3}))
    words = ["gais", shards, "--label", "label", "--exclude", "colour", "--config", config]
    done = invoke_dsir(*words, "-o", tmp_path / "o", "--epochs", 2)  # The command line wins.
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "o/_dsir/instances.json").read_text())
    assert made["settings"]["shares"] == {"in": 7, "out": 5}
    assert (made["settings"]["select"], made["settings"]["epochs"]) == ("sample", 2)
    assert len(made["rows_kept"]) == 12
    config.write_text(json.dumps({"missing": "guess"}))
    done = invoke_dsir(*words, "-o", tmp_path / "p")
    assert (done.returncode, "--missing guess" in done.stderr) == (2, True), done.stderr


def test_shares_of_labels_that_are_numbers(tmp_path, invoke_dsir):
    x = np.random.default_rng(0).normal(size=(200, 2))
    label = (x[:, 0] > 0.5).astype(int)
    given = pa.array([None, *label.tolist()[1:]])  # A row without a label.
    pq.write_table(pa.table({"a": x[:, 0], "b": x[:, 1], "n": given}), tmp_path / "t.parquet")
    words = ["gais", tmp_path / "t.parquet", "--label", "n", "-o", tmp_path / "out", "--epochs", 2]
    done = invoke_dsir(*words, "--shares", "0=9,1=4", "--missing", "drop")
    assert done.returncode == 0, done.stderr
    kept = pq.read_table(tmp_path / "out/data")["n"].to_pylist()
    assert (kept.count(0), kept.count(1)) == (9, 4)


def test_excluded_columns_are_no_features(table, shards, tmp_path, invoke_dsir):
    call = ["gais", shards, "--label", "label", "--epochs", 2, "-o", tmp_path / "out"]
    done = invoke_dsir(*call, "--exclude", "id, colour,c", "-q")
    assert done.returncode == 0, done.stderr
    gais = GAIS(0.96, epochs=2).fit(table.select(["a", "b"]), table["label"])
    assert ids_in(tmp_path / "out") == gais.sample_indices_.tolist()
    for options, message in (
        (["--exclude", "id,none"], "no column 'none'"),
        (["--exclude", "id", "--features", "a"], "give --features or --exclude, not both"),
        (["--exclude", "a,b,c,colour,id"], "no column is left to learn from"),
    ):
        done = invoke_dsir(*call, "-q", "--overwrite", *options)
        assert done.returncode in (1, 2)
        assert message in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ngrams", "1"], "--ngrams 1: n-grams are of a text column; give --text as well"),
        (["--buckets", "64"], "--buckets 64: n-grams are of a text column"),
        (["--tokenizer", "chars"], "--tokenizer chars: n-grams are of a text column"),
        (["--no-lower"], "--no-lower: n-grams are of a text column"),
        (["--tokenizer", "string:capwords"], "--tokenizer capwords: n-grams are of a text column"),
        (["--select", "top", "--passes", "3"], "--passes 3.0: is for --select coverage, not for"),
        (["--rank-by", "confidence"], "--rank-by confidence: is for --select top or --select"),
        (
            ["--select", "top", "--metric", "log_loss"],
            "--metric log_loss: there are no trials with it for --select top; leave one",
        ),
    ],
)
def test_options_that_would_do_nothing_are_refused(invoke_dsir, tmp_path, options, said):
    table = pa.table({"x": [float(i) for i in range(40)], "class": [i % 2 for i in range(40)]})
    pq.write_table(table, tmp_path / "raw.parquet")
    out = tmp_path / "out"
    done = invoke_dsir("gais", tmp_path / "raw.parquet", "--label", "class", "-o", out, *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert not out.exists()


def test_passes_and_metric_of_texts_are_read_where_there_are_trials(invoke_dsir, tmp_path):
    """Few buckets are columns like others; with more, texts are selected by them."""
    table = pa.table({"text": [f"word{i % 7} and {i}" for i in range(60)], "class": [0, 1] * 30})
    pq.write_table(table, tmp_path / "raw.parquet")
    call = ["gais", tmp_path / "raw.parquet", "--label", "class", "--text", "text", "--keep", "10"]
    said = {
        "--passes": "--passes 3.0: is for --select coverage, not",
        "--metric": "--metric log_loss: there are no trials with it for --select column-coverage",
    }
    for option, value in (("--passes", "3"), ("--metric", "log_loss")):
        done = invoke_dsir(*call, option, value, "-o", tmp_path / "no")
        assert done.returncode == 2
        assert said[option] in done.stderr
        for number, way in enumerate((["--buckets", "512"], ["--select", "coverage"])):
            out = tmp_path / f"out{option}{number}"
            done = invoke_dsir(*call, option, value, "--epochs", "2", "-q", "-o", out, *way)
            assert done.returncode == 0, done.stderr


def test_texts_are_searched_by_the_metric(invoke_dsir, tmp_path):
    words = ["wind sail", "oven flour", "judge clause"]
    rows = [
        (f"{words[c]} {i % 7} {i % 11} {i % 13}", str(c)) for i in range(300) for c in [i % 12 % 3]
    ]
    table = pa.table({"text": [one for one, _ in rows], "class": [one for _, one in rows]})
    pq.write_table(table, tmp_path / "raw.parquet")
    call = ["gais", tmp_path / "raw.parquet", "--label", "class", "--text", "text", "-q"]
    call += ["--keep", "20", "--epochs", "2"]
    found = {}
    for metric in ("accuracy", "f1_macro", "log_loss"):
        more = ["--report"] if metric == "log_loss" else []
        done = invoke_dsir(*call, "--metric", metric, "-o", tmp_path / metric, *more)
        assert done.returncode == 0, done.stderr
        said = json.loads((tmp_path / metric / "_dsir/instances.json").read_text())
        found[metric] = said["rows_kept"]
    assert found["log_loss"] == found["accuracy"]  # Of the report alone.


def test_texts_are_cut_by_any_tokenizer(invoke_dsir, tmp_path):
    """Texts of a language without spaces; characters tell their label, and words do not."""
    texts = [f"{'春夏'[i % 2]}{'花鳥風月雪雨'[i % 6]}{'山川草木日火水'[i % 7]}" for i in range(240)]
    table = pa.table({"text": texts, "class": [i % 2 for i in range(240)]})
    pq.write_table(table, tmp_path / "raw.parquet")
    (tmp_path / "cut.py").write_text("def signs(text):\n    return list(text)\n")
    call = ["gais", tmp_path / "raw.parquet", "--label", "class", "--text", "text", "-q"]
    call += ["--keep", "12", "--ngrams", "1", "--network", "never"]
    kept = {}
    for tokenizer in ("chars", f"{tmp_path / 'cut.py'}:signs", "wordpunct"):
        out = tmp_path / f"out{len(kept)}"
        done = invoke_dsir(*call, "--tokenizer", tokenizer, "-o", out)
        assert done.returncode == 0, done.stderr
        said = json.loads((out / "_dsir/instances.json").read_text())
        kept[tokenizer.rpartition(":")[2]] = said["rows_kept"]
        described = said["settings"]["ngram_features"]
    assert described["tokenizer"] == "wordpunct"
    assert kept["chars"] == kept["signs"] != kept["wordpunct"]
    signs = {sign for row in kept["chars"] for sign in texts[row]}
    assert set("春夏") <= signs
