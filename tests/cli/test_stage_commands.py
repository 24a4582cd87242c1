"""The stages as commands of their own, as the jobs of an array run them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pytest

import dsir

DRAW = ["--n", 60, "--min-tokens", 20, "--length", "mean"]


@pytest.fixture(scope="module")
def stages(run_dsir, parquet, jsonl, target, tmp_path_factory) -> Path:
    """A folder with what the stage commands make. Not to be changed."""
    folder = tmp_path_factory.mktemp("stages")
    raw = [*parquet, *jsonl]

    def run(*arguments: object) -> str:
        done = run_dsir(*arguments, "--quiet", cwd=folder)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stderr
        return done.stdout

    run("fit", *raw, "-t", target, "--length", "mean", "--out", "model.dsir")
    for part in (2, 0, 1):
        run("score", *raw, "--model", "model.dsir", "--out", "scores", "--part", f"{part}/3")
    run("sample", "scores", "--n", 60, "--min-tokens", 20, "--out", "rows")
    run(*["write", "rows", "--model", "model.dsir", "--out", "selected", "--shard-size", "20kB"])
    run("select", *raw, "-t", target, *DRAW, "-o", "at_once", "--shard-size", "20kB",
        "--workdir", "work")  # fmt: skip
    return folder


def test_stages_make_the_files_of_select(stages, contents):
    at_once = contents(stages / "at_once")
    in_stages = contents(stages / "selected")
    del at_once["_dsir/selection.json"]
    in_stages.pop("_dsir/selection.json", None)
    assert len(at_once) > 4
    assert in_stages == at_once
    work = contents(stages / "work")
    assert (stages / "model.dsir").read_bytes() == work["model.dsir"]
    for name in ("scores", "rows"):
        made = contents(stages / name)
        assert {f"{name}/{file}": data for file, data in made.items()} == {
            file: data for file, data in work.items() if file.startswith(f"{name}/")
        }
        # Six shards, their markers, the manifest; of rows the accounts of the draw.
        assert len(made) == 13 + (name == "rows")


def test_parts_leave_out_none(invoke_dsir, stages, parquet, jsonl, tmp_path, contents):
    raw = [*parquet, *jsonl]
    score = ["score", *raw, "-m", stages / "model.dsir", "-o", tmp_path / "scores"]
    done = invoke_dsir(*score, "--part", "1/4")
    assert done.returncode == 0
    assert "rows of 2 units" in done.stdout
    done = invoke_dsir("sample", tmp_path / "scores", "--n", 60, "-o", tmp_path / "rows")
    assert done.returncode == 1
    assert re.search(
        r"dsir: error: .*4 of 6 units are not scored yet \(the first: .*part-0\.parquet\)",
        done.stderr,
    )
    assert invoke_dsir(*score, "--part", "7/20").stdout.endswith("0 rows of 0 units\n")
    assert invoke_dsir(*score).returncode == 0
    assert contents(tmp_path / "scores") == contents(stages / "scores")


@pytest.mark.parametrize("part", ["3/3", "1", "a/b", "-1/3", "0/0"])
def test_wrong_part(invoke_dsir, stages, parquet, tmp_path, part):
    done = invoke_dsir(
        "score", *parquet, "-m", stages / "model.dsir", "-o", tmp_path / "s", f"--part={part}"
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"dsir: error: --part {part}: ")
    assert not (tmp_path / "s").exists()


def test_drawing_again_from_a_work_directory(invoke_dsir, stages, parquet, jsonl, target, tmp_path):
    rows = tmp_path / "rows"
    done = invoke_dsir(
        "sample", stages / "work" / "scores", "--n", 33, "--min-tokens", 20, "--seed", 4,
        "-o", rows, "--json",
    )  # fmt: skip
    assert done.returncode == 0
    metrics = json.loads(done.stdout)["metrics"]
    assert metrics["rows"]["selected"] == 33
    expected = dsir.select(
        [*parquet, *jsonl], target, n=33, min_tokens=20, length="mean", seed=4,
        out=tmp_path / "api", progress=False,
    )  # fmt: skip
    found = [
        first + pa.ipc.open_file(rows / f"{number:05d}.arrow").read_all()["shard_row"].to_numpy()
        for number in range(6)
        for first in [json.loads((rows / f"{number:05d}.json").read_bytes())["result"]["first_row"]]
    ]
    assert np.concatenate(found).tolist() == expected.rows.tolist()
    for name in ("rows", "tokens", "shards", "effective_sample_size"):
        assert metrics[name] == expected.metrics[name]
    done = invoke_dsir(
        "write", rows, "-m", stages / "model.dsir", "-o", tmp_path / "out", "--json", "-q"
    )
    told = json.loads(done.stdout)
    assert told["rows"] == 33
    assert told["kl_reduction"] == expected.metrics["kl_reduction"]
    assert [Path(path).name for path in told["paths"]] == [path.name for path in expected.paths]


def test_another_draw_into_the_same_folder_is_refused(invoke_dsir, stages, tmp_path):
    shutil.copytree(stages / "rows", tmp_path / "rows")
    sample = ["sample", stages / "scores", "--min-tokens", 20, "-o", tmp_path / "rows"]
    assert invoke_dsir(*sample, "--n", 60).returncode == 0
    done = invoke_dsir(*sample, "--n", 61, "--seed", 3, "-q")
    assert done.returncode == 1
    assert re.fullmatch(
        r"dsir: error: .*belongs to another run: settings\.n is 61, was 60; "
        r"settings\.seed is 3, was 0; .*\n",
        done.stderr,
    )


def test_another_model_is_refused(invoke_dsir, stages, parquet, target, tmp_path):
    shutil.copytree(stages / "scores", tmp_path / "scores")
    model = tmp_path / "model.dsir"
    done = invoke_dsir("fit", *parquet, "-t", target, "-o", model)
    assert done.returncode == 0
    assert done.stdout.startswith(f"{model}: ImportanceModel(")
    done = invoke_dsir("score", *parquet, "-m", model, "-o", tmp_path / "scores", "-q")
    assert done.returncode == 1
    assert "belongs to another run" in done.stderr


def test_folders_mixed_up(invoke_dsir, stages, tmp_path):
    cases = [
        (["sample", stages / "rows", "-n", 5, "-o", tmp_path / "o"], "not a folder of scores"),
        (["sample", tmp_path, "-n", 5, "-o", tmp_path / "o"], "not a work directory"),
        (
            ["write", stages / "scores", "-m", stages / "model.dsir", "-o", tmp_path / "o"],
            "not a folder of selected rows",
        ),
        (
            ["write", stages / "rows", "-m", stages / "rows" / "manifest.json", "-o", tmp_path],
            "is not a dsir model",
        ),
        (
            ["write", stages / "rows", "-m", stages / "model.dsir", "-o", stages / "scores"],
            "not empty",
        ),
    ]
    for arguments, message in cases:
        done = invoke_dsir(*arguments)
        assert done.returncode == 1
        assert re.fullmatch(rf"dsir: error: [^\n]*{message}[^\n]*\n", done.stderr)
        assert done.stdout == ""


def test_write_refuses_inputs_that_changed(invoke_dsir, world, target, tmp_path):
    raw = world.write_parquet(tmp_path / "raw")
    model = dsir.fit(raw, target, progress=False)
    model.save(tmp_path / "model.dsir")
    invoke_dsir("score", *raw, "-m", tmp_path / "model.dsir", "-o", tmp_path / "scores")
    invoke_dsir("sample", tmp_path / "scores", "-n", 9, "-o", tmp_path / "rows")
    raw[1].touch()
    done = invoke_dsir(
        "write", tmp_path / "rows", "-m", tmp_path / "model.dsir", "-o", tmp_path / "o"
    )
    assert done.returncode == 1
    assert re.search(r"part-1\.parquet: changed since it was scored", done.stderr)
    assert not (tmp_path / "o").exists()


def test_fit_refuses_a_place_it_cannot_write_to(invoke_dsir, parquet, target, tmp_path):
    done = invoke_dsir("fit", *parquet, "-t", target, "-o", target / "model.dsir", "-q")
    assert done.returncode == 1
    assert re.fullmatch(r"dsir: error: [^\n]*target\.jsonl[^\n]*: [^\n]+\n", done.stderr)


def test_explain(invoke_dsir, stages):
    text = "The captain [bold]sails[/bold] the ship"
    model = dsir.ImportanceModel.load(stages / "model.dsir")
    table = model.explain(text)
    done = invoke_dsir("explain", stages / "model.dsir", text, "--top", 3)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == (
        f"log-weight {model.score([text])[0]:+.3f}; 3 of {table.num_rows} n-grams shown"
    )
    for row in table.slice(0, 3).to_pylist():
        pattern = rf"{row['contribution']:+.3f} +{row['count']} +{row['bucket']} +"
        assert re.search(re.sub(r"^\+", r"\\+", pattern) + re.escape(row["ngram"]), done.stdout)
    done = invoke_dsir("explain", stages / "model.dsir", "--json", "--top", 0, stdin=text)
    told = json.loads(done.stdout)
    assert told["ngrams"] == table.to_pylist()
    assert told["log_weight"] == model.score([text])[0]


def test_explain_warns_when_a_text_is_the_name_of_a_file(invoke_dsir, stages, tmp_path):
    (tmp_path / "doc.txt").write_text("the ship and the sea")
    done = invoke_dsir("explain", stages / "model.dsir", "doc.txt", cwd=tmp_path)
    assert done.returncode == 0
    assert "'doc.txt': is explained as a text" in done.stderr
    assert "give --file" in done.stderr
    for words in (["--file", "doc.txt"], ["no such doc.txt"]):
        done = invoke_dsir("explain", stages / "model.dsir", *words, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")


def test_explain_of_bytes_that_are_no_text(dsir_command, stages):
    done = subprocess.run(
        [dsir_command, "explain", str(stages / "model.dsir")],
        input=b"a \xff ship",
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
    )
    assert done.returncode == 1
    assert done.stderr == b"dsir: error: standard input: is not UTF-8 (at byte 2)\n"


def test_explain_of_odd_texts(invoke_dsir, stages):
    done = invoke_dsir("explain", stages / "model.dsir", stdin="")
    assert done.returncode == 0
    assert "log-weight +0.000; 0 of 0 n-grams shown" in done.stdout
    assert done.stderr == "dsir: warning: the text is empty: there is nothing to explain\n"
    done = invoke_dsir("explain", stages / "model.dsir", stdin=b"a \xff ship")
    assert done.returncode == 1
    assert re.fullmatch(r"dsir: error: [^\n]*\n", done.stderr)
    done = invoke_dsir("explain", stages / "gone.dsir", "a ship")
    assert done.returncode == 1
    assert re.fullmatch(r"dsir: error: [^\n]*gone\.dsir: cannot be read[^\n]*\n", done.stderr)


def test_accounts_of_a_sample(invoke_dsir, stages, tmp_path):
    done = invoke_dsir(
        "sample", stages / "scores", "--fraction", 0.05, "--min-tokens", 20, "-o", tmp_path / "r"
    )
    assert done.returncode == 0
    assert re.search(r"rows read +1,200 +6 shards", done.stdout)
    assert re.search(r"selected +60 ", done.stdout)
    assert str(tmp_path / "r") in done.stdout
    done = invoke_dsir("sample", stages / "scores", "-o", tmp_path / "s")
    assert done.returncode == 2
    assert "exactly one of --n, --fraction, --tokens and --bytes" in done.stderr
