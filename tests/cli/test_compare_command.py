"""dsir compare, through its entry point."""

from __future__ import annotations

import json

import pytest

import dsir

SMALL = ("--budgets", "n=40", "--seeds", 1, "--min-tokens", 20)


def test_a_table_and_a_recommendation(parquet, target, invoke_dsir):
    done = invoke_dsir("compare", *parquet, "-t", target, "--methods", "top-k,cap", *SMALL)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[:3] == ["budget", "method", "perplexity"]
    assert all(any(name in line for line in lines[1:4]) for name in ("top-k", "cap", "random"))
    assert any(line.startswith("take ") for line in lines)
    assert "dsir score: " in done.stderr
    assert "dsir draw: 3 selections" in done.stderr


def test_json_is_what_python_returns(parquet, target, invoke_dsir):
    methods = "wide: temperature=2,length=mean,top-k: ngrams=1"
    words = ("--methods", methods, "--hold-out", "40%", "--shares-by", "domain", "--seed", 3)
    done = invoke_dsir("compare", *parquet, "-t", target, *words, *SMALL, "--json", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    found = dsir.compare(
        [str(one) for one in parquet],
        str(target),
        methods={
            "wide": {"temperature": 2.0, "length": "mean"},
            "top-k": {"method": "top-k", "features": dsir.HashedNgrams(n=1)},
        },
        budgets=["n=40"],
        hold_out=0.4,
        shares_by="domain",
        seed=3,
        seeds=1,
        min_tokens=20,
        progress=False,
    ).describe()
    mine = json.loads(done.stdout)
    for content in (mine, found):
        for cell in content["cells"]:
            del cell["fit_seconds"], cell["draw_seconds"]
    for name in ("cells", "overlaps", "shares"):
        assert mine[name] == found[name]


def test_a_folder_has_the_comparison_and_the_page(parquet, target, invoke_dsir, tmp_path):
    out = tmp_path / "compared"
    words = ("compare", *parquet, "-t", target, "--methods", "top-k", *SMALL, "-o", out)
    done = invoke_dsir(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"the page: {out}/_dsir/report.html"
    assert dsir.Comparison.load(out).recommendation.method in ("top-k", "random")
    again = invoke_dsir(*words, "-q")
    assert (again.returncode, again.stdout) == (1, "")
    assert "is not empty" in again.stderr
    assert "--overwrite" in again.stderr
    assert invoke_dsir(*words, "-q", "--overwrite").returncode == 0
    assert invoke_dsir("report", out).stdout.strip().endswith("_dsir/report.html")


def test_methods_in_a_file(parquet, target, invoke_dsir, tmp_path):
    config = tmp_path / "compare.yaml"
    config.write_text(
        "methods:\n  coverage:\n"
        "  flat: {method: resample, temperature: 2, length: mean, allow_fewer: true}\n"
        "  both: {method: top-k, combine: {dsir: 1, lexrank: 0.5}, candidates: 2}\n"
        "budgets: [n=20, n=40]\nseeds: 1\nmin-tokens: 20\n"
    )
    words = ("compare", *parquet, "-t", target, "--config", config, "--json", "-q")
    done = invoke_dsir(*words)
    assert done.returncode == 0, done.stderr
    settings = json.loads(done.stdout)["settings"]
    assert list(settings["methods"]) == ["coverage", "flat", "both", "random"]
    assert settings["methods"]["flat"] == {
        "method": "resample",
        "temperature": 2.0,
        "length": "mean",
        "allow_fewer": True,
    }
    assert settings["methods"]["both"] == {
        "method": "top-k",
        "combine": {"dsir": 1.0, "lexrank": 0.5},
        "candidates": 2.0,
    }
    assert settings["budgets"] == ["n=20", "n=40"]
    config.write_text("methods: [coverage, 3]\nmethods2: 1\n")
    assert invoke_dsir(*words).returncode == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--methods", "coverag"), "--methods coverag: is no method"),
        (("--methods", "top-k", "--hold-out", "1"), "--hold-out"),
        (("--methods", "top-k", "--seeds", "0"), "--seeds 0: expected a whole number"),
        (("--methods", "top-k", "--budgets", "x"), "--budgets x: expected a whole number"),
        (("--methods", "a: temperature=hot"), "--methods a: --temperature hot: is no value"),
        (("--methods", "top-k", "--shares-by", ""), "--shares-by"),
    ],
)
def test_a_wrong_call_is_said_in_options(words, message, parquet, target, invoke_dsir):
    done = invoke_dsir("compare", *parquet, "-t", target, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_small_target_is_an_error(parquet, invoke_dsir, tmp_path):
    small = tmp_path / "small.jsonl"
    small.write_text("".join(f'{{"text": "ship {number}"}}\n' for number in range(9)))
    done = invoke_dsir("compare", *parquet, "-t", small, "--methods", "top-k", "-q")
    assert done.returncode == 2
    assert "too small to compare methods on: with --hold-out 0.5" in done.stderr


def test_the_target_may_come_through_a_pipe(parquet, target, invoke_dsir):
    words = ("compare", *parquet, "-t", "-", "--methods", "top-k", *SMALL, "--json", "-q")
    done = invoke_dsir(*words, stdin=target.read_bytes())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["settings"]["command"] is None
