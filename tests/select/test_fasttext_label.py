"""Selections by a label of a fastText model: from Python, from the command line, in stages."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import dsir

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))

from fasttext_file import FastTextFile

WORDS = ["</s>", "the", "a", "of", "ship", "sail", "court", "judge", "sea", "law", "oven", "dough"]
GIVEN = {"n": 20, "min_tokens": 1, "progress": False}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The path of a model whose labels are sea and law."""
    path = tmp_path_factory.mktemp("fasttext") / "topics.bin"
    path.write_bytes(FastTextFile(words=WORDS).encode())
    return path


def test_top_k_takes_the_most_probable(world, model):
    loaded = dsir.load_model(model)
    found = dsir.select(world.texts, model=model, label="sea", method="top-k", **GIVEN)
    log_weights = loaded.for_label("sea").score(world.texts)
    expected = np.sort(np.argsort(-log_weights, kind="stable")[:20])
    assert found.rows.tolist() == expected.tolist()
    assert isinstance(found.model, dsir.LabelModel)
    by_object = dsir.select(world.texts, model=loaded, label="sea", method="top-k", **GIVEN)
    by_label = dsir.select(world.texts, model=loaded.for_label("sea"), method="top-k", **GIVEN)
    assert by_object.rows.tolist() == by_label.rows.tolist() == found.rows.tolist()


def test_a_selection_is_verified_from_its_folder_alone(parquet, model, tmp_path):
    copied = tmp_path / "model.bin"
    copied.write_bytes(model.read_bytes())
    out = tmp_path / "out"
    dsir.select(parquet, model=copied, label="sea", out=out, **GIVEN)
    manifest = json.loads((out / "_dsir/selection.json").read_text())
    assert manifest["settings"]["label"] == "__label__sea"
    assert manifest["settings"]["estimator"] == "fasttext"
    assert dsir.verify(out).stands
    copied.unlink()
    assert dsir.verify(out).stands
    loaded = dsir.load(out)
    assert loaded.model.label == "__label__sea"
    rows = pq.read_table(out / "data")
    assert rows["log_weight"].to_numpy() == pytest.approx(loaded.log_weights)


def test_the_commands(parquet, model, tmp_path, invoke_dsir, contents):
    raw = [str(path) for path in parquet]
    label = ["--label", "sea"]
    draw = ["--n", "20", "--min-tokens", "1"]
    calls = [
        ["select", *raw, "--model", model, *label, *draw, "-o", tmp_path / "selected"],
        ["score", *raw, "--model", model, *label, "--out", tmp_path / "scores"],
        ["sample", tmp_path / "scores", *draw, "-o", tmp_path / "rows"],
        ["write", tmp_path / "rows", "--model", model, *label, "-o", tmp_path / "written"],
        ["verify", tmp_path / "written"],
        ["verify", tmp_path / "selected"],
        ["select", *raw, "--model", model, *label, *draw, "-o", tmp_path / "dry", "--dry-run"],
        ["explain", model, *label, "the ship"],
    ]
    for call in calls:
        done = invoke_dsir(*call)
        assert done.returncode == 0, done.stderr
    assert "the ship" in done.stdout
    assert contents(tmp_path / "selected/data") == contents(tmp_path / "written/data")


def test_a_label_with_a_comma(parquet, target, tmp_path, invoke_dsir, contents):
    """On the command line and in a config file, as a filter and in `combine`."""
    path = tmp_path / "a,b.bin"
    labels = ("__label__sea,ship", "__label__law")
    path.write_bytes(FastTextFile(words=WORDS, labels=labels).encode())
    raw, out = [str(path) for path in parquet], tmp_path / "command"
    combine = {"dsir": 1.0, f"model:{path}:sea,ship": 0.5}
    filters = {"min_probability": 0.5, "classifier": str(path), "label": "sea,ship"}
    given = {"n": 10, "min_tokens": 1, "progress": False}
    dsir.select(raw, target, combine=combine, filters=filters, out=tmp_path / "call", **given)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"combine": combine, "filters": filters}))
    words = {
        "command": [
            *("--combine", f"dsir=1,model:{path}:sea,ship=0.5"),
            *("--filters", f"classifier={path},label=sea,ship,min_probability=0.5"),
        ],
        "config": ["--config", config],
    }
    for name, more in words.items():
        out = tmp_path / name
        done = invoke_dsir("select", *raw, "-t", target, "-n", 10, "--min-tokens", 1, "-q",
                           "-o", out, *more)  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert contents(out / "data") == contents(tmp_path / "call/data")


def test_a_label_has_to_be_named(world, model, tmp_path, invoke_dsir):
    with pytest.raises(dsir.SettingError, match=r"'__label__sea', '__label__law'; give label"):
        dsir.select(world.texts, model=model, **GIVEN)
    for method in ("coverage", "cap"):
        with pytest.raises(dsir.SettingError, match=f'^method="{method}": needs a relevance model'):
            dsir.select(world.texts, model=model, label="sea", n=10, method=method, progress=False)
    with pytest.raises(dsir.SettingError, match="label='baking': the labels of the model are"):
        dsir.select(world.texts, model=model, label="baking", **GIVEN)
    with pytest.raises(dsir.SettingError, match="label='sea': is for a model of fastText"):
        dsir.select(world.texts, world.target, label="sea", **GIVEN)
    fitted = dsir.fit(world.texts, world.target, progress=False)
    with pytest.raises(dsir.SettingError, match="the kind 'ratio', which has no labels"):
        dsir.select(world.texts, model=fitted, label="sea", **GIVEN)
    weighs = dsir.load_model(model).for_label("sea")
    with pytest.raises(dsir.SettingError, match="weighs by '__label__sea'"):
        dsir.select(world.texts, model=weighs, label="law", **GIVEN)
    done = invoke_dsir("score", "x.parquet", "--model", model, "--out", tmp_path / "scores")
    assert done.returncode == 2
    assert "--label" in done.stderr
