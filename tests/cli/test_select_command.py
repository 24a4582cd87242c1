"""The command `dsir select`, as users run it: words, exit codes, what is printed where."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir

COMMANDS = ["select", "fit", "score", "sample", "write", "explain", "status"]
DRAW = ["--n", 60, "--min-tokens", 20, "--length", "mean"]
SETTINGS = {"n": 60, "min_tokens": 20, "length": "mean", "progress": False}


def one_error(done: subprocess.CompletedProcess[str], code: int, pattern: str) -> None:
    """The command said one line on standard error and nothing else."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert re.fullmatch(rf"dsir: error: [^\n]*{pattern}[^\n]*\n", done.stderr), done.stderr


def test_version(run_dsir):
    done = run_dsir("--version")
    assert (done.returncode, done.stdout) == (0, f"dsir {dsir.__version__}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(invoke_dsir, command):
    done = invoke_dsir(command, "--help")
    assert done.returncode == 0
    assert re.search(rf"Examples?\s+dsir {command} ", done.stdout)
    assert "--debug" in done.stdout
    assert done.stderr == ""


def test_help_lists_the_commands(run_dsir):
    done = run_dsir("-h")
    assert done.returncode == 0
    assert all(re.search(rf"\b{command}\b", done.stdout) for command in COMMANDS)


def test_a_run(run_dsir, parquet, target, tmp_path, contents):
    done = run_dsir("select", *parquet, "--target", target, *DRAW, "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = dsir.select(parquet, target, out=tmp_path / "api", **SETTINGS)
    assert contents(tmp_path / "out") == contents(tmp_path / "api")
    metrics = expected.metrics
    # The table of accounts.
    found = dict(re.findall(r"^ +([a-zA-Z][a-zA-Z, ]+?)  +([\d,.]+)", done.stdout, re.MULTILINE))
    rows = metrics["rows"]
    numbers = {name: float(value.replace(",", "")) for name, value in found.items()}
    assert numbers["rows read"] == rows["read"]
    assert numbers["selected"] == rows["selected"]
    assert numbers["eligible, not drawn"] == rows["passed_over"]["not_drawn"]
    assert numbers["too short"] == rows["passed_over"]["too_short"]
    assert numbers["empty"] == rows["passed_over"]["empty"]
    assert numbers["bad"] == 0
    assert numbers["KL reduction"] == pytest.approx(metrics["kl_reduction"], abs=1e-4)
    by_chance = re.search(r"of a random draw +(-?[\d.]+)", done.stdout)
    assert by_chance is not None
    assert float(by_chance[1]) == pytest.approx(metrics["random_kl_reduction"], abs=1e-4)
    assert numbers["effective sample size"] == pytest.approx(
        metrics["effective_sample_size"], abs=0.1
    )
    assert {"fit", "score", "sample", "write"} <= set(numbers)
    for path in expected.paths:
        assert str(tmp_path / "out" / "data" / path.name) in done.stdout
    # Progress: plain lines where there is no terminal.
    stages = ["fit target", "fit raw", "score", "sample", "write"]
    begun = [re.search(rf"^dsir {stage}: ", done.stderr, re.MULTILINE) for stage in stages]
    assert all(begun)
    assert "\x1b" not in done.stderr + done.stdout
    run = json.loads((tmp_path / "out" / "_dsir/run.json").read_bytes())
    assert run["dsir"] == dsir.__version__
    assert set(run["stages"]) == {"fit", "score", "sample", "write"}


def test_quiet_is_silent(run_dsir, parquet, target, tmp_path):
    done = run_dsir("select", *parquet, "-t", target, *DRAW, "-o", tmp_path / "out", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_json(invoke_dsir, jsonl, target, tmp_path):
    out = tmp_path / "out"
    done = invoke_dsir("select", *jsonl, "-t", target, *DRAW, "-o", out, "--json", "--threads", 1)
    assert done.returncode == 0
    told = json.loads(done.stdout)
    manifest = json.loads((out / "_dsir/selection.json").read_bytes())
    assert {k: v for k, v in told["metrics"].items() if k != "stages"} == manifest["metrics"]
    assert told["paths"] == [str(out / name) for name in manifest["outputs"]]
    assert told["skipped"] == []


def test_dry_run(invoke_dsir, parquet, jsonl, target, tmp_path):
    out = tmp_path / "out"
    done = invoke_dsir("select", *parquet, "-t", target, "-n", 5, "-o", out, "--dry-run")
    assert done.returncode == 0
    assert not list(tmp_path.iterdir())
    assert re.search(r"raw +3 parquet .* 600\b", done.stdout)
    assert re.search(r"target +1 jsonl .* not known", done.stdout)
    raw = [*jsonl, *parquet]
    done = invoke_dsir("select", *raw, "-t", target, "-n", 5, "-o", out, "--dry-run", "--json")
    surveys = json.loads(done.stdout)
    assert surveys[0]["shards"] == 6
    assert surveys[0]["kinds"] == {"jsonl": 3, "parquet": 3}
    assert surveys[0]["bytes"] == sum(path.stat().st_size for path in raw)
    assert surveys[0]["rows"] is None
    assert not list(tmp_path.iterdir())


def test_dry_run_reads_no_row(invoke_dsir, tmp_path, target):
    bad = tmp_path / "bad.jsonl"
    bad.write_text("this is no JSON")
    cut = tmp_path / "cut.parquet"
    cut.write_text("this is no Parquet")
    call = ["select", bad, cut, "-t", target, "-n", 5, "-o", tmp_path / "o", "--dry-run"]
    assert invoke_dsir(*call).returncode == 1
    done = invoke_dsir(*call, "--on-error", "skip")
    assert done.returncode == 0
    assert re.search(rf"cannot be read: {re.escape(str(cut))}", done.stdout)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.jsonl", "cut.parquet"]
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "mine").touch()
    done = invoke_dsir("select", bad, "-t", target, "-n", 5, "-o", tmp_path / "o", "--dry-run")
    one_error(done, 1, "is not empty")


@pytest.mark.parametrize("kind", ["yaml", "json"])
def test_config(invoke_dsir, parquet, target, tmp_path, contents, kind):
    options = {
        "raw": [str(path) for path in parquet],
        "target": str(target),
        "n": 60,
        "min-tokens": 20,
        "length": "mean",
        "hash": "sha256",
        "buckets": 500,
        "seed": 1,
        "quiet": True,
        "out": str(tmp_path / "out"),
    }
    config = tmp_path / f"run.{kind}"
    if kind == "json":
        config.write_text(json.dumps(options))
    else:
        lines = [f"{name}: {json.dumps(value)}" for name, value in options.items()]
        config.write_text("# A run.\n" + "\n".join(lines))
    done = invoke_dsir("select", "--config", config, "--seed", 7)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    features = dsir.HashedNgrams(buckets=500, hash="sha256")
    dsir.select(parquet, target, features=features, seed=7, out=tmp_path / "api", **SETTINGS)
    assert contents(tmp_path / "out") == contents(tmp_path / "api")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("run.yaml", "n: 5\nflavour: mild\nspice: 1\n", "unknown option flavour, spice"),
        ("run.json", '{"n": 5, "flavour": 1}', "unknown option flavour"),
        ("run.json", "[1]", "expected options by name"),
        ("run.json", "{", "cannot be read"),
        ("run.yaml", "a: [", "cannot be read"),
        ("gone.yaml", None, "cannot be read"),
        ("run.yaml", "seed: many", "Invalid value for '--seed'"),
        ("run.yaml", "n: many", "--n many: expected a whole number"),
    ],
)
def test_wrong_config(invoke_dsir, parquet, target, tmp_path, name, content, message):
    config = tmp_path / name
    if content is not None:
        config.write_text(content)
    done = invoke_dsir("select", *parquet, "-t", target, "-o", tmp_path / "out", "--config", config)
    assert done.returncode == 2
    assert done.stdout == ""
    words = " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stderr).split())
    assert message in words
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "exactly one of --n, --fraction, --tokens and --bytes"),
        (["--n", 5, "--tokens", 5], "exactly one of --n, --fraction, --tokens and --bytes"),
        (["--n", 0], "--n 0: expected a whole number"),
        (["--n", 5, "--hash", "md5"], "--hash md5: expected"),
        (["--n", 5, "--buckets", 1], "--buckets 1: expected"),
        (["--n", 5, "--ngrams", 9], "--ngrams 9: expected"),
        (["--n", 5, "--method", "best"], "--method best: expected"),
        (["--n", 5, "--fit-tokens", "few"], "--fit-tokens few"),
        (["--n", 5, "--shard-size", "big"], "--shard-size big: expected"),
        (["--n", 5, "--threads", 0], "--threads 0: expected"),
        (["--n", 5, "--on-error", "cry"], "--on-error cry: expected"),
    ],
)
def test_wrong_calls(invoke_dsir, parquet, target, tmp_path, options, message):
    done = invoke_dsir("select", *parquet, "-t", target, "-o", tmp_path / "out", *options)
    one_error(done, 2, re.escape(message))
    assert not (tmp_path / "out").exists()


def test_what_the_parser_refuses(run_dsir, parquet, target):
    for arguments in (
        ["select", *parquet],
        ["select", *parquet, "-t", target, "-o", "out", "--seed", "many"],
        ["select", *parquet, "-t", target, "-o", "out", "--flavour", "mild"],
        ["sort"],
    ):
        done = run_dsir(*arguments)
        assert done.returncode == 2
        assert re.fullmatch(r"dsir: error: [^\n]*--help\)\n", done.stderr), done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""


def test_a_dry_run_checks_the_settings(invoke_dsir, parquet, target, tmp_path):
    base = ["select", *parquet, "-t", target, "-o", tmp_path / "out", "--dry-run"]
    one_error(invoke_dsir(*base, "--n", 5, "--method", "best"), 2, "--method best: expected")
    one_error(invoke_dsir(*base, "--n", 5, "--shard-size", "x"), 2, "--shard-size x: expected")
    assert invoke_dsir(*base, "--n", 5).returncode == 0


def test_a_folder_that_cannot_be_made_is_found_before_the_work(invoke_dsir, parquet, target):
    out = Path(target) / "out"  # Below a file.
    done = invoke_dsir("select", *parquet, "-t", target, "-o", out, "--n", 5)
    assert done.stderr.count("\n") == 1
    one_error(done, 1, "is not a folder")


def test_failures(invoke_dsir, parquet, target, tmp_path):
    out = tmp_path / "out"
    base = ["-t", target, "-o", out]
    one_error(invoke_dsir("select", tmp_path / "a.parquet", *base, "-n", 5), 1, "no such file")
    one_error(
        invoke_dsir("select", "a*.parquet", *base, "-n", 5), 1, r"no file matches a\*\.parquet"
    )
    done = invoke_dsir("select", *parquet, *base, "-n", 10_000, "-q")
    one_error(done, 1, r"--n 10,000 .*only 600 rows.*--allow-fewer")
    assert not out.exists()
    # As the command says what it does, progress may stand before the error.
    done = invoke_dsir("select", *parquet, *base, "-n", 10_000)
    assert done.stderr.splitlines()[-1].startswith("dsir: error: --n 10,000")


def test_debug_shows_the_traceback(run_dsir, target, tmp_path):
    arguments = ["select", tmp_path / "a.parquet", "-t", target, "-n", 5, "-o", tmp_path / "out"]
    assert "Traceback" not in run_dsir(*arguments).stderr
    done = run_dsir(*arguments, "--debug")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert re.match(r"dsir: error: .*no such file", done.stderr.splitlines()[-1])


def test_a_warning_is_one_line(run_dsir, parquet, target, tmp_path):
    done = run_dsir(
        "select", *parquet, "-t", target, "-n", 60, "--min-tokens", 20, "-o", tmp_path / "o", "-q"
    )
    assert done.returncode == 0
    assert re.fullmatch(r"dsir: warning: effective sample size [^\n]*\n", done.stderr)


def test_paths_with_odd_names(run_dsir, world, target, tmp_path):
    names = ["with space.parquet", "[brackets].parquet", "ünï — 文.parquet", "a'b\".parquet"]
    for name, path in zip(names, world.write_parquet(tmp_path / "raw", parts=4), strict=True):
        path.rename(tmp_path / name)
    raw = [tmp_path / name for name in names]
    done = run_dsir("select", *raw, "-t", target, *DRAW, "-o", tmp_path / "[out] 文")
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path / '[out] 文'}/data/part-00000.parquet" in done.stdout
    manifest = json.loads((tmp_path / "[out] 文" / "_dsir/selection.json").read_bytes())
    assert [shard["path"] for shard in manifest["inputs"]["raw"]] == [str(path) for path in raw]


def test_arguments_are_paths_and_never_texts(invoke_dsir, target, tmp_path):
    done = invoke_dsir("select", "some words", "-t", target, "-n", 5, "-o", tmp_path / "out")
    assert done.returncode in (1, 2)
    assert "some words" in done.stderr
    assert "Traceback" not in done.stderr


def started(process: subprocess.Popen[bytes], word: bytes) -> None:
    """Wait until the command says the word on standard error."""
    assert process.stderr is not None
    for line in process.stderr:
        if word in line:
            return
    raise AssertionError(f"the command ended before {word!r}")


@pytest.mark.parametrize(
    ("stage", "kept", "sent", "code", "word"),
    [
        ("fit raw", True, signal.SIGINT, 130, b"interrupted"),
        ("fit raw", False, signal.SIGTERM, 143, b"terminated"),
        ("score", True, signal.SIGTERM, 143, b"terminated"),
        ("score", False, signal.SIGINT, 130, b"interrupted"),
    ],
)
def test_interrupted(
    dsir_command, run_dsir, tmp_path, target, stage, kept, sent, code, word, contents
):
    """Ctrl-C and SIGTERM end the run at once, with one line; the same command continues."""
    raw = tmp_path / "raw.parquet"
    texts = ["the ship sails from the harbour to the storm " * 60] * 1500
    pq.write_table(pa.table({"text": texts}), raw, row_group_size=100)
    shards = []
    for number in range(12):
        shard = tmp_path / f"raw-{number:02}.parquet"
        shutil.copy(raw, shard)
        shards.append(shard)
    out = tmp_path / "out"
    arguments = ["select", *shards, "-t", target, "-n", 9, "-o", out, "--threads", 1]
    arguments += ["--method", "top-k", "--ngrams", 8, "--hash", "sha256"]
    arguments += ["--workdir", tmp_path / "work"] if kept else []
    process = subprocess.Popen(
        [dsir_command, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    started(process, f"dsir {stage}: ".encode())
    time.sleep(0.05)
    process.send_signal(sent)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    assert stdout == b""
    hint = b"; run the same command again to continue" if kept else b""
    assert stderr.splitlines()[-1] == b"dsir: error: " + word + hint
    assert b"Traceback" not in stderr
    assert not out.exists()
    assert not list(tmp_path.glob("dsir-*"))  # The scratch folder is gone.
    assert not list(tmp_path.rglob("*.tmp-*"))
    if kept and stage == "score":
        again = run_dsir(*arguments, "-q")
        assert (again.returncode, again.stderr) == (0, "")
        assert Path(out / "_dsir/selection.json").exists()


def test_what_an_earlier_run_read_is_not_given_as_a_speed(run_dsir, parquet, target, tmp_path):
    call = ["select", *parquet, "--target", target, "-o", "out", "--workdir", "work"]
    run_dsir(*call, *DRAW, cwd=tmp_path)
    again = run_dsir(*call, *DRAW, "--seed", "9", "--overwrite", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    for stage in ("fit", "score"):
        assert re.search(rf"^ +{stage} +[\d.]+ s +all from the work directory", again.stdout, re.M)
