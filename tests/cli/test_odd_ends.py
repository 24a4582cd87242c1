"""Odd calls and odd places: one line with the way out, never a traceback or another answer."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import dsir

MANY_DIGITS = 10**5000


@pytest.mark.parametrize(
    "options",
    [
        ["--threads", "100000"],
        ["--fit-tokens=--5"],
        ["--n", "9" * 5000],
        ["--max-per", f"source={1 << 70}"],
        ["--max-per", f"source={'9' * 5000}"],
        ["--temperature", "1e-310"],
    ],
)
def test_numbers_that_are_none(parquet, target, tmp_path, invoke_dsir, options):
    done = invoke_dsir("select", *parquet, "-t", target, "--n", 9, *options, "-o", tmp_path / "o")
    assert done.returncode == 2
    assert done.stderr.startswith("dsir: error: ")
    assert (done.stderr.count("\n"), len(done.stderr) < 500) == (1, True)


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: MANY_DIGITS} for name in ("n", "seed", "threads", "fit_tokens", "shard_size")),
        *({name: MANY_DIGITS} for name in ("temperature", "smoothing", "memory", "min_tokens")),
        *({"max_per": {"domain": value}} for value in (1 << 70, float("nan"), [0.5], None)),
        *({name: 7} for name in ("out", "workdir", "text", "weight_column", "target_text")),
        *({name: ["a"]} for name in ("out", "workdir", "text", "weight_column", "target_text")),
        *({name: "a\0b"} for name in ("out", "workdir")),
        {"temperature": 1e-310},
        {"combine": {"dsir": 1, "lexrank": 1}, "candidates": MANY_DIGITS},
    ],
)
def test_arguments_of_wrong_types(parquet, target, wrong):
    with pytest.raises(dsir.SettingError) as caught:
        dsir.select(parquet, target, **{"n": 9, "progress": False, **wrong})
    assert len(str(caught.value)) < 500


def test_numbers_of_numpy_are_numbers(parquet, target):
    keywords = {"n": 9, "min_tokens": 5, "progress": False}
    for one, other in ((np.float64(0.5), 0.5), (np.float32(0.5), 0.5), (np.int64(5), 5)):
        found = dsir.select(parquet, target, max_per={"domain": one}, **keywords)
        again = dsir.select(parquet, target, max_per={"domain": other}, **keywords)
        assert found.rows.tolist() == again.rows.tolist()


@pytest.mark.parametrize("command", ["select", "lexrank", "explain"])
def test_a_kernel_that_there_is_not(parquet, target, tmp_path, dsir_command, command):
    model = tmp_path / "m.dsir"
    dsir.fit(parquet, target, progress=False).save(model)
    words = {
        "select": [*parquet, "-t", target, "-n", 9, "-o", tmp_path / "out", "-q"],
        "lexrank": [*parquet, "-o", tmp_path / "ranked", "-q"],
        "explain": [model, "the ship and the sea"],
    }[command]
    call = [dsir_command, command, *map(str, words)]
    settings = {**os.environ, "DSIR_SIMD": "sse9"}
    done = subprocess.run(call, env=settings, capture_output=True, text=True)
    if command != "lexrank" or done.returncode:  # LexRank has none of these kernels.
        assert done.returncode == 2
        assert done.stderr.startswith("dsir: error: DSIR_SIMD=sse9: expected scalar, ")
    assert "Traceback" not in done.stderr


def test_a_kernel_that_there_is_not_in_python(parquet, target):
    code = (
        "import dsir, sys\n"
        "try:\n    dsir.select(sys.argv[1], sys.argv[2], n=1)\n"
        "except dsir.SettingError as error:\n    print(error)"
    )
    call = [sys.executable, "-c", code, str(parquet[0]), str(target)]
    settings = {**os.environ, "DSIR_SIMD": "sse9"}
    done = subprocess.run(call, env=settings, capture_output=True, text=True)
    assert done.stdout.startswith("DSIR_SIMD=sse9: expected "), done.stderr


def test_lines_and_tables_are_refused_before_the_work(parquet, jsonl, target, monkeypatch):
    def no_work(*arguments: object, **keywords: object) -> None:
        raise AssertionError("the work has begun")

    monkeypatch.setattr("dsir.run.pipeline.score_shard", no_work)
    with pytest.raises(dsir.SettingError, match=r"JSON Lines and tables.*give out="):
        dsir.select([parquet[0], jsonl[0]], target, n=9, progress=False)


def test_a_run_in_a_thread_that_outlives_the_program(parquet, target):
    """Python ends its pools of threads before it waits for other threads."""
    code = """
import dsir, sys, threading, time
def work():
    main = threading.main_thread()
    while main.is_alive():
        time.sleep(0.01)
    time.sleep(0.3)
    try:
        dsir.select(sys.argv[1], sys.argv[2], n=9, min_tokens=5, progress=False)
    except dsir.DsirError as error:
        print(error)
threading.Thread(target=work).start()
"""
    call = [sys.executable, "-c", code, str(parquet[0]), str(target)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in (
        "",  # A version of Python in which threads still work then.
        "the program ended while the run was at work in another thread; wait for that thread "
        "(thread.join()) before the end\n",
    )


@pytest.mark.parametrize(
    ("given", "here"),
    [("--top-k", "--n with --method top-k"), ("--num-proc", "--threads"), ("--output", "--out")],
)
def test_options_of_other_programs_are_named_as_here(given, here):
    command = [sys.executable, "-m", "dsir", "select", "raw.jsonl", given, "5"]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 2
    assert found.stderr.startswith(f"dsir: error: No such option: {given}; give {here} (see ")


@pytest.fixture
def with_few_characters() -> dict[str, str]:
    """The environment of a process that takes names of files as ASCII."""
    return {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_arguments_that_a_locale_has_no_characters_for(
    parquet, target, tmp_path, dsir_command, with_few_characters
):
    for name, words in {
        "\u00e9.parquet": ["\u00e9.parquet", "-t", target, "-o", tmp_path / "out"],
        "\u00f6": [*parquet, "-t", target, "-o", "\u00f6"],
        "\u65e5": [*parquet, "-t", target, "-o", tmp_path / "out", "--group-by", "\u65e5"],
    }.items():
        call = [dsir_command, "select", *map(str, words), "-n", "3"]
        done = subprocess.run(call, env=with_few_characters, capture_output=True, cwd=tmp_path)
        assert done.returncode == 2
        said = done.stderr.decode("ascii")
        assert said.startswith(f"dsir: error: {ascii(name)[1:-1]}: has characters that"), said
        assert "run it with PYTHONUTF8=1, or in another locale (LC_ALL=C.UTF-8)" in said
    assert not list(tmp_path.iterdir())


def test_files_that_a_locale_has_no_characters_for(
    parquet, target, tmp_path, dsir_command, with_few_characters
):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/\u00e9.parquet").write_bytes(parquet[0].read_bytes())
    words = [tmp_path / "raw", "-t", target, "-n", "3", "-o", tmp_path / "out", "-q"]
    call = [dsir_command, "select", *map(str, words)]
    done = subprocess.run(call, env=with_few_characters, capture_output=True)
    assert done.returncode == 1
    said = done.stderr.decode("ascii")
    assert "raw/\\xe9.parquet: the file name has characters that this process cannot have" in said
    assert said.rstrip().endswith("run it with PYTHONUTF8=1")
    assert not (tmp_path / "out").exists()
    done = subprocess.run(call, env=with_few_characters | {"PYTHONUTF8": "1"}, capture_output=True)
    assert done.returncode == 0, done.stderr
