"""Budgets in bytes, duplicates and quotas from the command line, at once and in stages."""

from __future__ import annotations

import json
from collections import Counter

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsir
from dsir.errors import SettingError
from dsir.settings.option_text import combine_in, max_per_in, proportions_in, target_text_in
from dsir.settings.quotas import check_quotas

MEAN = ["--min-tokens", 20, "--length", "mean", "--quiet"]


@pytest.fixture(scope="module")
def doubled(world, tmp_path_factory):
    """The corpus twice over: every text has a copy in the second file."""
    folder = tmp_path_factory.mktemp("doubled")
    for name in ("a", "b"):
        pq.write_table(world.table(), folder / f"{name}.parquet", row_group_size=100)
    return folder


def test_select_equals_the_call(invoke_dsir, doubled, target, contents, tmp_path):
    done = invoke_dsir(
        *["select", doubled, "-t", target, "-o", tmp_path / "out", "--bytes", "20kB"],
        *["--dedup", "exact", "--max-per", "domain=0.4,meta.chars=3", *MEAN, "--json"],
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["metrics"]
    selection = dsir.select(
        doubled,
        target,
        bytes=20_000,
        dedup="exact",
        max_per={"domain": 0.4, "meta.chars": 3},
        min_tokens=20,
        length="mean",
        out=tmp_path / "call",
        progress=False,
    )
    assert contents(tmp_path / "out") == contents(tmp_path / "call")
    assert 18_000 < found["text_bytes"]["selected"] <= 20_000
    duplicates = found["rows"]["passed_over"]["duplicates"]
    assert found["duplicates"]["by_shard"][1] >= found["rows"]["eligible"]
    assert sum(found["duplicates"]["by_shard"]) == duplicates
    assert selection.metrics["groups"]["domain"]["values"] == 3


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (max_per_in, "source=1, source=2"),
        (combine_in, "dsir=1,lexrank=0.5,dsir=1"),
        (proportions_in, "web=0.5,web=0.5"),
        (target_text_in, "law=body,news=body,law=text"),
    ],
)
def test_a_name_twice_is_refused(read, text):
    name = text.partition("=")[0]
    with pytest.raises(SettingError, match=rf"^--\S+ {text}: {name} is given twice$"):
        read(text)


NAMES = st.lists(
    st.text("ab,:. ", min_size=1, max_size=6).filter(
        lambda name: all(part.strip() for part in name.split(",")) and name == name.strip()
    ),
    min_size=1,
    max_size=4,
    unique=True,
)


@given(NAMES)
def test_names_may_have_commas(names):
    """So may labels of fastText, columns and targets; a config file gives them in the same way."""
    numbers = {name: 0.25 * (number + 1) for number, name in enumerate(names)}
    text = ",".join(f"{name}={number}" for name, number in numbers.items())
    for read in (combine_in, proportions_in):
        assert read(text) == numbers
    assert max_per_in(text) == {name: str(number) for name, number in numbers.items()}


@pytest.mark.parametrize("text", ["dsir", "dsir=1,", "dsir=1,,lexrank=1", "dsir=1,lexrank", "a=b"])
def test_what_is_no_name_with_a_number(text):
    with pytest.raises(SettingError, match="expected NAME=NUMBER,NAME=NUMBER"):
        combine_in(text)


def test_the_table_names_values(invoke_dsir, doubled, target, tmp_path):
    done = invoke_dsir(
        *["select", doubled, "-t", target, "-o", tmp_path / "out", "--n", 7],
        *["--dedup", "exact", "--group-by", "domain", *MEAN[:-1], "--threads", 1],
    )
    assert done.returncode == 0, done.stderr
    assert "duplicates" in done.stdout
    assert "values of domain" in done.stdout
    assert '"sea"' in done.stdout
    manifest = json.loads((tmp_path / "out" / "_dsir/selection.json").read_bytes())
    selected = manifest["metrics"]["groups"]["domain"]["most"]
    assert [one["selected"] for one in selected] == [7, 7, 7]


@pytest.mark.parametrize(("values", "rest"), [(6, None), (25, "… and 5 more")])
def test_the_table_hides_no_value_silently(invoke_dsir, target, tmp_path, values, rest):
    lines = [
        json.dumps({"text": f"the ship and the sail {number}", "lang": f"l{number % values:02d}"})
        for number in range(100)
    ]
    (tmp_path / "raw.jsonl").write_text("\n".join(lines))
    done = invoke_dsir(
        *["select", tmp_path / "raw.jsonl", "-t", target, "-o", tmp_path / "out", "--n", 2],
        *["--group-by", "lang", "--min-tokens", 1, "--threads", 1],
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert sum(f'"l{number:02d}"' in said for number in range(values)) == min(values, 20)
    assert (rest is None and "more" not in said) or (rest is not None and rest in said)


def test_stages(invoke_dsir, doubled, target, contents, tmp_path):
    def run(*arguments: object, code: int = 0) -> str:
        done = invoke_dsir(*arguments)
        assert done.returncode == code, done.stderr
        return done.stderr

    model, scores = tmp_path / "model.dsir", tmp_path / "scores"
    run("fit", doubled, "-t", target, "--length", "mean", "-o", model, "--quiet")
    score = ["score", doubled, "-m", model, "-o", scores, "--quiet"]
    run(*score, "--dedup", "exact", "--groups", "id,domain", "--part", "1/2")
    run(*score, "--dedup", "exact", "--groups", "id,domain", "--part", "0/2")
    draw = ["--dedup", "exact", "--bytes", "9kB"]
    for number, quota in enumerate((["--max-per", "domain=0.5"], ["--group-by", "domain"], [])):
        rows, out = tmp_path / f"rows-{number}", tmp_path / f"out-{number}"
        run("sample", scores, "-o", rows, *draw, *quota, "--min-tokens", 20, "--quiet")
        run("write", rows, "-m", model, "-o", out, "--quiet")
        at_once = tmp_path / f"once-{number}"
        run("select", doubled, "-t", target, "-o", at_once, *draw, *quota, *MEAN)
        without = ("run.json", "selection.json")
        assert contents(out, without=without) == contents(at_once, without=without)
        manifests = [
            json.loads((one / "_dsir/selection.json").read_bytes()) for one in (out, at_once)
        ]
        assert manifests[0]["metrics"] == manifests[1]["metrics"]
        parts = sorted(out.glob("data/part-*.parquet"))
        domains = Counter(pq.read_table(parts, columns=["domain"])["domain"].to_pylist())
        assert len(domains) > 1 or not quota
    lacking = tmp_path / "rows"
    error = run("sample", scores, "-o", lacking, "-n", 5, "--group-by", "meta.chars", code=2)
    assert "has no values of 'meta.chars'" in error
    assert "--groups meta.chars" in error
    run("score", doubled, "-m", model, "-o", tmp_path / "plain", "--quiet")
    error = run("sample", tmp_path / "plain", "-o", lacking, "-n", 5, "--dedup", "exact", code=2)
    assert "'dsir score --dedup exact'" in error
    error = run(*score, "--groups", "id,,domain", code=2)
    assert "expected columns" in error
    assert "work" in run(*score, "--groups", "id", code=1)


def test_config_and_wrong_words(invoke_dsir, doubled, target, tmp_path):
    config = tmp_path / "run.json"
    settings = {"bytes": "5kB", "max_per": {"domain": 0.4}, "dedup": "exact", "group-by": None}
    config.write_text(json.dumps(settings))
    out = tmp_path / "out"
    done = invoke_dsir("select", doubled, "-t", target, "-o", out, "--config", config, *MEAN)
    assert done.returncode == 0, done.stderr
    described = json.loads((out / "_dsir/selection.json").read_bytes())["settings"]
    assert described["bytes"] == 5000
    assert described["max_per"] == {"domain": 0.4}
    for wrong in (
        ["--bytes", "5kB", "--n", 4],
        ["--bytes", "many"],
        ["--n", 4, "--max-per", "domain"],
        ["--n", 4, "--max-per", "domain=2.5"],
        ["--n", 4, "--dedup", "fuzzy"],
        ["--n", 4, "--group-by", "domain", "--max-per", "domain=2"],
    ):
        for more in ([], ["--dry-run"]):
            done = invoke_dsir("select", doubled, "-t", target, "-o", tmp_path / "x", *wrong, *more)
            assert done.returncode == 2, wrong


def test_whole_numbers_are_documents():
    def caps(text):
        return {cap.column: cap.most for cap in check_quotas(max_per_in(text), None).max_per}

    assert caps("a=0.5, b = 3,c=2%,d=1k") == {"a": 0.5, "b": 3, "c": 0.02, "d": 1000}
    assert [type(most) for most in caps("a=1,b=1.0").values()] == [int, float]
    assert caps("a=b=2") == {"a=b": 2}
