"""Several targets on the command line: names, proportions, what is printed."""

from __future__ import annotations

import json
import re

import pytest

import dsir

SETTINGS = ["--min-tokens", 20, "--length", "mean", "--temperature", 0.1, "--quiet"]


@pytest.fixture
def targets(world, tmp_path):
    for name in ("sea", "law"):
        texts = [row["text"] for row in world.rows if row["domain"] == name and row["text"]]
        lines = [json.dumps({"text": text}) for text in texts[:30]]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    return tmp_path


def test_separate_targets(run_dsir, parquet, targets, contents):
    given = ["-t", "sea=sea.jsonl", "-t", "law=law.jsonl", "--targets", "separate"]
    done = run_dsir(
        *("select", *parquet, *given, "--proportions", "law=0.25,sea=0.75", "--n", 40, "-o", "out"),
        *SETTINGS[:-1],
        cwd=targets,
    )
    assert done.returncode == 0, done.stderr
    lines = (
        r"target sea +30 +[\d,]+ tokens\s+KL reduction +0\.\d+\s+"
        r"of a random draw +-0\.\d+ +estimated; selection 1\.\d+ better\s+effective sample size +\d"
    )
    assert re.search(lines, done.stdout)
    assert re.search(r"target law +10 ", done.stdout)
    expected = dsir.select(
        parquet,
        {name: targets / f"{name}.jsonl" for name in ("sea", "law")},
        n=40,
        targets="separate",
        proportions={"sea": 0.75, "law": 0.25},
        min_tokens=20,
        length="mean",
        temperature=0.1,
        out=targets / "api",
        progress=False,
    )
    found, wanted = contents(targets / "out"), contents(targets / "api")
    assert found == wanted
    assert expected.target.tolist().count(0) == 30


def test_the_stages_on_their_own(invoke_dsir, parquet, targets, contents):
    given = ["-t", "sea=sea.jsonl", "-t", "law=law.jsonl", "--targets", "separate"]
    whole = invoke_dsir(
        "select", *parquet, *given, "--n", 41, "-o", "whole", *SETTINGS, cwd=targets
    )
    assert whole.returncode == 0, whole.stderr
    draw = ["--n", 41, "--min-tokens", 20, "--temperature", 0.1, "-q"]
    for command in (
        ["fit", *parquet, *given, "--length", "mean", "-o", "m.dsir", "-q"],
        ["score", *parquet, "-m", "m.dsir", "-o", "scores", "-q"],
        ["sample", "scores", "-o", "rows", *draw],
        ["write", "rows", "-m", "m.dsir", "-o", "parts", "--json", "-q"],
    ):
        done = invoke_dsir(*command, cwd=targets)
        assert done.returncode == 0, done.stderr
    manifest = json.loads((targets / "whole" / "_dsir/selection.json").read_text())
    told = json.loads(done.stdout)
    assert told["kl_reduction"] == manifest["metrics"]["kl_reduction"]
    assert set(told["targets"]) == {"sea", "law"}
    for name, data in contents(targets / "parts", without=("run.json", "selection.json")).items():
        assert contents(targets / "whole")[name] == data
    stages = json.loads((targets / "parts" / "_dsir/selection.json").read_text())
    assert stages["metrics"] == manifest["metrics"]
    assert dsir.verify(targets / "parts").stands
    done = invoke_dsir("explain", "m.dsir", "a ship", "--target", "law", cwd=targets)
    assert done.returncode == 0
    done = invoke_dsir("explain", "m.dsir", "a ship", cwd=targets)
    assert done.returncode == 2
    assert "name one of the model's targets: sea, law" in done.stderr


def test_a_mixture_from_a_configuration(invoke_dsir, parquet, targets):
    config = {
        "raw": [str(path) for path in parquet],
        "target": {"sea": "sea.jsonl", "law": ["law.jsonl"]},
        "targets": "mixture",
        "proportions": {"sea": 0.5, "law": 0.5},
        "length": 0.8,
        "n": 30,
        "min_tokens": 20,
    }
    (targets / "run.json").write_text(json.dumps(config))
    done = invoke_dsir("select", "--config", "run.json", "-o", "out", "--json", "-q", cwd=targets)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["metrics"]["targets"]) == {"sea", "law"}
    settings = json.loads((targets / "out" / "_dsir/selection.json").read_text())["settings"]
    assert settings["proportions"] == [0.5, 0.5]
    assert settings["length"] == 0.8


def test_a_path_with_an_equals_sign(invoke_dsir, parquet, targets):
    folder = targets / "year=2020"
    folder.mkdir()
    (targets / "sea.jsonl").rename(folder / "sea.jsonl")
    done = invoke_dsir(
        "select", *parquet, "-t", "year=2020", "-n", 9, "-o", "out", *SETTINGS, cwd=targets
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-t", "sea=sea.jsonl", "-t", "law.jsonl"], "law.jsonl: has no name, but other"),
        (["-t", "sea.jsonl", "--targets", "separate"], "needs targets by name"),
        (["-t", "sea=sea.jsonl", "--targets", "each"], "--targets each"),
        (["-t", "a=sea.jsonl", "--targets", "mixture", "--proportions", "x"], "NAME=NUMBER"),
        (["-t", "a=sea.jsonl", "--targets", "mixture", "--proportions", "b=1"], "given for b"),
        (["-t", "sea.jsonl", "--length", "long"], "--length long"),
        (["-t", "sea.jsonl", "--length", "1.5"], "--length 1.5"),
    ],
)
@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_wrong_calls(invoke_dsir, parquet, targets, options, message, dry):
    done = invoke_dsir("select", *parquet, *options, "-n", 5, "-o", "out", *dry, cwd=targets)
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(rf"dsir: error: [^\n]*{re.escape(message)}[^\n]*\n", done.stderr)
    assert not (targets / "out").exists()
