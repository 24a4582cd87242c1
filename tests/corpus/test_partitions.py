"""The `lang=de` of `corpus/lang=de/part-0.parquet` is a column of every row of the file."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.corpus import resolve
from dsir.corpus.partitions import folders_of
from dsir.remote import RemotePath

TARGET = ["the ship and the sea"] * 9
SETTINGS = {"min_tokens": 1, "method": "top-k", "progress": False}
LANGUAGES = ("de", "en", "fr")
ROWS = 20


@pytest.fixture
def corpus(tmp_path):
    """A data set as pyarrow, Spark or pandas write it: three languages, two years."""
    table = pa.table(
        {
            "text": [f"the ship and the sea {row}" for row in range(6 * ROWS)],
            "lang": [LANGUAGES[row % 3] for row in range(6 * ROWS)],
            "year": [2024 + row % 2 for row in range(6 * ROWS)],
        }
    )
    pq.write_to_dataset(table, tmp_path / "corpus", partition_cols=["lang", "year"])
    return tmp_path / "corpus"


def languages(selection):
    return [name.as_py() for name in selection.table["lang"]]


def test_quotas_and_groups_by_it(corpus):
    found = dsir.select(corpus, TARGET, n=2, group_by="lang", **SETTINGS)
    assert sorted(languages(found)) == ["de", "de", "en", "en", "fr", "fr"]
    found = dsir.select(corpus, TARGET, n=8, max_per={"lang": 3, "year": 5}, **SETTINGS)
    assert max(map(languages(found).count, LANGUAGES)) == 3
    assert set(found.table["year"].to_pylist()) == {"2024", "2025"}


def test_it_is_written_with_the_rows_and_verified(corpus, tmp_path):
    out = tmp_path / "out"
    dsir.select(corpus, TARGET, n=30, out=out, max_per={"lang": 0.5}, **SETTINGS)
    table = pads.dataset(out / "data").to_table()
    assert table.column_names == ["text", "lang", "year", "log_weight"]
    whole = pads.dataset(corpus, partitioning="hive").to_table()
    place = dict(zip(whole["text"].to_pylist(), whole["lang"].to_pylist(), strict=True))
    assert [place[text] for text in table["text"].to_pylist()] == table["lang"].to_pylist()
    assert dsir.verify(out, target=TARGET).stands
    assert list(dsir.load(out).to_pandas()["lang"]) == table["lang"].to_pylist()


@pytest.mark.parametrize("windows", [{}, {"chunk_tokens": 3}])
def test_stage_by_stage_gives_the_same_rows(corpus, tmp_path, invoke_dsir, windows):
    wanted = tmp_path / "target.jsonl"
    wanted.write_text("".join(json.dumps({"text": text}) + "\n" for text in TARGET))
    options = [f"--{name.replace('_', '-')}={value}" for name, value in windows.items()]
    model, scores, rows = (tmp_path / name for name in ("m.dsir", "scores", "rows"))

    def run(*call):
        done = invoke_dsir(*call, "-q")
        assert done.returncode == 0, done.stderr

    run("fit", corpus, "-t", wanted, "-o", model, *options)
    run("score", corpus, "-m", model, "-o", scores, "--groups", "lang", *options)
    drawn = ("--min-tokens", 1, "--method", "top-k", "--max-per", "lang=3", "-n", 6)
    run("sample", scores, *drawn, "-o", rows)
    run("write", rows, "-m", model, "-o", tmp_path / "one")
    run("select", corpus, "-t", wanted, *drawn, *options, "-o", tmp_path / "two")
    one, two = (pads.dataset(tmp_path / name / "data").to_table() for name in ("one", "two"))
    assert one.num_rows == 6
    assert one.equals(two)


def test_planned_and_resumed_runs_have_it(corpus, tmp_path, invoke_dsir):
    wanted = tmp_path / "target.jsonl"
    wanted.write_text("".join(json.dumps({"text": text}) + "\n" for text in TARGET))
    given = (corpus, "-t", wanted, "-n", 9, "--min-tokens", 1, "--max-per", "lang=4", "-q")
    work, out = tmp_path / "work", tmp_path / "out"
    assert invoke_dsir("plan", *given, "--workdir", work, "-o", out).returncode == 0
    done = invoke_dsir("work", work, "-q")
    assert done.returncode == 0, done.stderr
    finished = invoke_dsir("finish", work, "-q")
    assert finished.returncode == 0, finished.stderr
    assert invoke_dsir("select", *given, "-o", tmp_path / "other").returncode == 0
    one, two = (pads.dataset(folder / "data").to_table() for folder in (out, tmp_path / "other"))
    assert "lang" in one.column_names
    assert one.equals(two)


def test_the_names_that_other_writers_use(tmp_path):
    table = pa.table({"text": ["a ship"]})
    for folder in ("lang=de%2FAT", "lang=__HIVE_DEFAULT_PARTITION__", "lang=", "no column"):
        (tmp_path / folder).mkdir()
        pq.write_table(table, tmp_path / folder / "a.parquet")
    shards = {shard.name.split("/")[-2]: shard for shard in resolve(tmp_path).shards}
    values = {
        folder: shard.read_table()["lang"].to_pylist()
        for folder, shard in shards.items()
        if folder != "no column"
    }
    assert values == {
        "lang=de%2FAT": ["de/AT"],
        "lang=__HIVE_DEFAULT_PARTITION__": [None],
        "lang=": [""],
    }
    assert shards["no column"].read_table().column_names == ["text"]


def test_a_column_of_the_file_is_kept(tmp_path):
    folder = tmp_path / "lang=de" / "text=x"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"text": ["a ship"], "lang": ["en"]}), folder / "a.parquet")
    [shard] = resolve(tmp_path).shards
    assert shard.schema().names == ["text", "lang"]
    [taken] = shard.take(np.array([0]))
    assert taken.records.to_pylist() == [{"text": "a ship", "lang": "en"}]
    [batch] = shard.text_batches(on_error="raise", groups=["lang"])
    assert batch.groups[0].names[batch.groups[0].codes[0]] == '"en"'


def test_lines_are_written_as_they_are_and_quotas_count(tmp_path):
    for language in LANGUAGES:
        folder = tmp_path / "corpus" / f"lang={language}"
        folder.mkdir(parents=True)
        lines = [json.dumps({"text": f"the ship and the sea {n}"}) + "\n" for n in range(ROWS)]
        (folder / "a.jsonl").write_text("".join(lines))
    out = tmp_path / "out"
    settings = {**SETTINGS, "max_per": {"lang": 10}}
    found = dsir.select(tmp_path / "corpus", TARGET, n=30, out=out, **settings)
    written = "".join(path.read_text() for path in sorted((out / "data").iterdir()))
    assert len(written.splitlines()) == 30
    assert set(json.loads(written.splitlines()[0])) == {"text"}
    assert len(found) == 30
    assert dsir.verify(out, target=TARGET).stands


def test_which_folders_count(tmp_path):
    file = tmp_path / "run=5" / "lang=de" / "2024" / "a=b.parquet"
    assert folders_of(file, tmp_path / "run=5") == "lang=de"
    assert folders_of(file).endswith("run=5/lang=de")
    assert folders_of(RemotePath("s3://bucket/x/lang=de/y.parquet")) == "lang=de"
    remote = RemotePath("s3://bucket/run=5/lang=de/y.parquet")
    assert folders_of(remote, RemotePath("s3://bucket/run=5")) == "lang=de"


def test_the_same_by_folder_by_pattern_and_by_file(corpus):
    given = {"n": 3, "group_by": "lang", **SETTINGS}
    one, two, three = (
        dsir.select(raw, TARGET, **given)
        for raw in (
            corpus,
            str(corpus / "*" / "*" / "*.parquet"),
            sorted(corpus.rglob("*.parquet")),
        )
    )
    assert one.rows.tolist() == two.rows.tolist() == three.rows.tolist()
    assert languages(one) == languages(two) == languages(three)


def test_a_data_set_of_pyarrow_is_sent_to_its_folder(corpus):
    with pytest.raises(dsir.SettingError, match="give its files or folder"):
        dsir.select(pads.dataset(corpus, partitioning="hive"), TARGET, n=3, **SETTINGS)
    assert len(dsir.select(corpus, TARGET, n=3, group_by="year", **SETTINGS)) == 6


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_lexrank_groups_by_it(corpus, tmp_path, invoke_dsir, kind):
    if kind == "jsonl":
        for file in list(corpus.rglob("*.parquet")):
            lines = [
                json.dumps({"text": text})
                for text in pq.ParquetFile(file).read()["text"].to_pylist()
            ]
            file.with_suffix(".jsonl").write_text("\n".join(lines) + "\n")
            file.unlink()
    out = tmp_path / "out"
    done = invoke_dsir("lexrank", corpus, "--group-by", "lang", "--summary", 1, "-o", out, "-q")
    assert done.returncode == 0, done.stderr
    [path] = (out / "data").iterdir()
    summaries = pads.dataset(path, format="json" if path.suffix == ".jsonl" else "parquet")
    assert sorted(set(summaries.to_table()["group"].to_pylist())) == list(LANGUAGES)


def test_gais_learns_labels_of_folders(corpus, tmp_path, invoke_dsir):
    call = ("gais", corpus, "--label", "lang", "--text", "text", "--keep", 9)
    done = invoke_dsir(*call, "-o", tmp_path / "out", "-q")
    assert done.returncode == 0, done.stderr
    table = pads.dataset(tmp_path / "out" / "data").to_table()
    assert set(table["lang"].to_pylist()) <= set(LANGUAGES)
