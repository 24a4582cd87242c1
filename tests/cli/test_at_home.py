"""What a new user tries first: `python -m dsir`, options in the wrong place, other text columns."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.cli.main import _COMMANDS
from dsir.settings.plan import Plan

TEXTS = [f"words {i} and more words " * 20 for i in range(30)]
QUIET = {"method": "top-k", "min_tokens": 1, "progress": False}


def test_python_dash_m(run_dsir):
    command = [sys.executable, "-m", "dsir", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == run_dsir("--version").stdout == f"dsir {dsir.__version__}\n"


@pytest.mark.parametrize("command", sorted(_COMMANDS))
def test_flags_take_no_value_in_help(command, invoke_dsir):
    assert "<bool>" not in invoke_dsir(command, "--help").stdout
    assert "<bool>" not in invoke_dsir("--help").stdout


@pytest.mark.parametrize(
    "words",
    [
        ["--dedup", "-q"],
        ["--text", "--quiet"],
        ["-t", "--n"],
        ["--max-per", "--json"],
        ["--shard-size", "--dry-run"],
    ],
)
def test_an_option_is_no_value_of_another(tmp_path, invoke_dsir, words):
    done = invoke_dsir(
        "select", "raw.jsonl", "-t", "x.jsonl", "-o", "out", "-n", 5, *words, cwd=tmp_path
    )
    assert done.returncode == 2
    option = "--target" if words[0] == "-t" else words[0]
    assert f"{option}: expected a value, found the option {words[1]}" in done.stderr


@pytest.fixture
def two_columns(tmp_path):
    pq.write_table(pa.table({"text": TEXTS}), tmp_path / "raw.parquet")
    pq.write_table(pa.table({"content": TEXTS[:5], "text": [1] * 5}), tmp_path / "want.parquet")
    return str(tmp_path / "raw.parquet"), str(tmp_path / "want.parquet")


def test_a_target_with_another_text_column(two_columns, tmp_path, invoke_dsir):
    raw, want = two_columns
    same = dsir.select(raw, TEXTS[:5], n=7, **QUIET)
    found = dsir.select(raw, want, n=7, target_text="content", out=tmp_path / "out", **QUIET)
    assert found.rows.tolist() == same.rows.tolist()
    assert dsir.verify(tmp_path / "out").stands
    model = dsir.fit(raw, want, target_text="content", progress=False)
    assert (
        model.score(TEXTS).tolist()
        == dsir.fit(raw, TEXTS[:5], progress=False).score(TEXTS).tolist()
    )
    call = [
        "select",
        raw,
        "-t",
        want,
        "-n",
        7,
        "--target-text",
        "content",
        "-o",
        tmp_path / "o",
        "-q",
    ]
    for more in (["--dry-run"], []):
        assert invoke_dsir(*call, "--min-tokens", 1, "--method", "top-k", *more).returncode == 0
    settings = json.loads((tmp_path / "o" / "_dsir/selection.json").read_text())["settings"]
    assert settings["target_text"] == "content"
    with pytest.raises(dsir.TextColumnError):
        dsir.select(raw, want, n=7, target_text="contents", **QUIET)


def test_a_work_directory_knows_the_text_column_of_the_target(two_columns, tmp_path):
    raw, _ = two_columns
    pq.write_table(
        pa.table({"a": TEXTS[:9], "b": ["more words " * 20] * 9}), tmp_path / "t.parquet"
    )
    rows = [
        dsir.select(raw, str(tmp_path / "t.parquet"), n=7, target_text=column, **QUIET,
                    workdir=tmp_path / "work").log_weights.tolist()
        for column in ("a", "b", "a")
    ]  # fmt: skip
    assert rows[0] == rows[2] != rows[1]


@pytest.mark.parametrize("given", [5, b"out", ["out"], True, "", "a\0b", object()])
@pytest.mark.parametrize("name", ["out", "workdir"])
def test_a_folder_is_a_path_or_a_url(name, given):
    with pytest.raises(dsir.SettingError, match=rf"^{name}="):
        dsir.select(TEXTS, TEXTS[:5], n=3, **QUIET, **{name: given})


@pytest.mark.parametrize("name", ["text", "target_text", "weight_column", "target_column"])
@pytest.mark.parametrize("given", [5, b"text", ["text"], True, ""])
def test_a_column_is_a_name(name, given):
    with pytest.raises(dsir.SettingError, match=rf"^{name}="):
        Plan.of({"n": 1, name: given}, ())


@pytest.mark.parametrize("threads", [0, 100_000, 1.5, "4", True, 10**9])
def test_threads_are_as_many_as_a_machine_can_have(threads):
    with pytest.raises(dsir.SettingError, match=r"^threads="):
        dsir.select(TEXTS, TEXTS[:5], n=3, **QUIET, threads=threads)


def test_status_of_a_folder_of_scores(two_columns, tmp_path, invoke_dsir):
    raw, _ = two_columns
    dsir.fit(raw, TEXTS[:5], progress=False).save(tmp_path / "m.dsir")
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"text": TEXTS[:9]}), other)
    call = ["score", raw, other, "-m", tmp_path / "m.dsir", "-o", tmp_path / "scores", "-q"]
    assert invoke_dsir(*call, "--part", "1/2").returncode == 0
    done = invoke_dsir("status", tmp_path / "scores")
    assert "score   1 of 2 units" in done.stdout
    assert invoke_dsir(*call, "--part", "0/2").returncode == 0
    assert invoke_dsir("status", tmp_path / "scores").stdout == "finished\n  score   2 of 2 units\n"
