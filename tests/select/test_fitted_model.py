"""select(model=...): a model that was fitted before, in place of a target."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dsir

FIT = {"smoothing": 0.5, "length": "mean"}
DRAW = {"n": 40, "seed": 3, "min_tokens": 20, "progress": False}


def parts_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "data").iterdir())}


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_the_same_rows_and_files_as_with_its_target(kind, request, target, tmp_path):
    raw = request.getfixturevalue(kind)
    expected = dsir.select(raw, target, out=tmp_path / "expected", **FIT, **DRAW)
    model = dsir.fit(raw, target, progress=False, **FIT)
    found = dsir.select(raw, model=model, out=tmp_path / "found", **DRAW)
    assert found.rows.tolist() == expected.rows.tolist()
    assert found.log_weights.tobytes() == expected.log_weights.tobytes()
    assert parts_of(tmp_path / "found") == parts_of(tmp_path / "expected")
    assert found.metrics.kl_reduction == expected.metrics.kl_reduction
    assert found.model.fingerprint == expected.model.fingerprint
    assert dsir.verify(tmp_path / "found").stands
    assert dsir.load(tmp_path / "found").rows.tolist() == expected.rows.tolist()
    assert dsir.diff(tmp_path / "found", tmp_path / "expected").same_rows


def test_rows_in_memory(small_world, target, tmp_path):
    table = small_world.table()
    expected = dsir.select(table, target, **FIT, **DRAW)
    out = tmp_path / "out"
    found = dsir.select(table, model=expected.model, out=out, **DRAW)
    assert dsir.select(table, model=expected.model, **DRAW).table.equals(expected.table)
    assert found.rows.tolist() == expected.rows.tolist()
    assert dsir.verify(out, raw=table).stands
    assert not dsir.verify(out, raw=table.slice(1)).stands


def test_a_file_or_a_selection_names_the_model(parquet, target, tmp_path):
    first = dsir.select(parquet, target, out=tmp_path / "first", **FIT, **DRAW)
    first.model.save(tmp_path / "m.dsir")
    for model in (tmp_path / "m.dsir", str(tmp_path / "m.dsir"), tmp_path / "first"):
        found = dsir.select(parquet, model=model, **DRAW)
        assert found.rows.tolist() == first.rows.tolist()


def test_separate_targets_windows_and_filters(parquet, jsonl, small_world, target, tmp_path):
    targets = {"sea": target, "law": dsir.texts(small_world.texts[:40])}
    more = {"chunk_tokens": 24, "filters": "min_words=5", "dedup": "exact"}
    given = {**DRAW, **more}
    expected = dsir.select(
        parquet, targets, targets="separate", out=tmp_path / "expected", **FIT, **given
    )
    found = dsir.select(parquet, model=expected.model, out=tmp_path / "found", **given)
    assert found.rows.tolist() == expected.rows.tolist()
    assert found.target.tolist() == expected.target.tolist()
    assert parts_of(tmp_path / "found") == parts_of(tmp_path / "expected")
    assert dsir.verify(tmp_path / "found").stands


def test_another_corpus_than_the_model_s(parquet, jsonl, target):
    model = dsir.fit(parquet, target, progress=False, **FIT)
    found = dsir.select(jsonl, model=model, **DRAW)
    weights = model.score([row["text"] for row in found.table.to_pylist()])
    assert found.log_weights.tolist() == list(weights)


def test_a_work_directory_keeps_what_does_not_depend_on_the_model(parquet, target, tmp_path):
    one, other = (
        dsir.fit(parquet, target, smoothing=one, length="mean", progress=False)
        for one in (0.5, 7.0)
    )
    work = tmp_path / "work"
    for number, model in enumerate((one, one, other, one)):
        out = tmp_path / f"out-{number}"
        found = dsir.select(parquet, model=model, out=out, workdir=work, **DRAW)
        expected = dsir.select(parquet, model=model, **DRAW)
        assert found.rows.tolist() == expected.rows.tolist()
        assert found.log_weights.tolist() == expected.log_weights.tolist()
    with pytest.raises(dsir.WorkdirError):
        dsir.select(parquet, target, out=tmp_path / "x", workdir=work, **FIT, **DRAW)


def test_the_command_writes_what_the_stages_write(parquet, target, tmp_path, invoke_dsir):
    draw = ["--n", 30, "--min-tokens", 20, "--seed", 5]
    model = tmp_path / "m.dsir"
    dsir.fit(parquet, target, progress=False, **FIT).save(model)

    def run(*words: object) -> None:
        done = invoke_dsir(*words, "-q")
        assert done.returncode == 0, done.stderr

    run("select", *parquet, "-m", model, "-o", tmp_path / "one", *draw)
    run("score", *parquet, "-m", model, "-o", tmp_path / "scores")
    run("sample", tmp_path / "scores", "-o", tmp_path / "rows", *draw)
    run("write", tmp_path / "rows", "-m", model, "-o", tmp_path / "other")
    assert parts_of(tmp_path / "one") == parts_of(tmp_path / "other")
    manifests = [
        json.loads((tmp_path / name / "_dsir" / "selection.json").read_bytes())
        for name in ("one", "other")
    ]
    for manifest in manifests:
        del manifest["checksum"]  # The order of the entries differs.
    assert manifests[0] == manifests[1]


def test_a_dry_run_with_a_model(parquet, target, tmp_path, invoke_dsir):
    model = tmp_path / "m.dsir"
    dsir.fit(parquet, target, progress=False, **FIT).save(model)
    call = ["select", *parquet, "-n", 30, "-o", tmp_path / "out", "--dry-run"]
    done = invoke_dsir(*call, "-m", model)
    assert done.returncode == 0, done.stderr
    assert "target" not in done.stdout
    assert invoke_dsir(*call, "-m", tmp_path / "none.dsir").returncode == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "target, model: neither is given"),
        ({"target": ["a b"], "model": "m"}, "target, model: both are given"),
        ({"model": "m", "smoothing": 1.0}, "smoothing: the model is fitted already"),
        ({"model": "m", "targets": "separate"}, "targets: the model is fitted already"),
        ({"model": "m", "features": dsir.HashedNgrams()}, "features: the model is fitted already"),
        ({"model": "m", "target_text": "a"}, "target_text: the model is fitted already"),
        ({"model": 5}, "model=5: expected the path"),
    ],
)
def test_calls_that_are_refused(given, message):
    with pytest.raises(dsir.SettingError, match=message):
        dsir.select(["some text"] * 5, **given, n=1)


def test_an_option_of_the_fit_is_refused_in_the_command_s_words(parquet, tmp_path, invoke_dsir):
    done = invoke_dsir(
        "select", *parquet, "-m", "m.dsir", "--buckets", "100", "-n", 1, "-o", tmp_path / "o"
    )
    assert done.returncode == 2
    assert "fitted already" in done.stderr


def test_a_fit_needs_a_target():
    with pytest.raises(dsir.SettingError, match="target=None"):
        dsir.fit(["a b"], None)


@pytest.mark.parametrize("method", ["coverage", "cap"])
def test_methods_with_a_relevance_model(parquet, target, tmp_path, method):
    given = {**DRAW, "method": method}
    expected = dsir.select(parquet, target, out=tmp_path / "expected", **given)
    model = expected.model
    found = dsir.select(parquet, model=model, out=tmp_path / "found", **given)
    assert found.rows.tolist() == expected.rows.tolist()
    assert dsir.verify(tmp_path / "found").stands
    ratio = dsir.fit(parquet, target, progress=False)
    with pytest.raises(dsir.SettingError, match="method"):
        dsir.select(parquet, model=ratio, **given)
