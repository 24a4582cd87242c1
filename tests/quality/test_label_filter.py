"""The filter by the probability of a label of a fastText model."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import dsir
from dsir.model.quality import REASONS

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))

from fasttext_file import FastTextFile

WORDS = ["</s>", "the", "a", "of", "ship", "sail", "court", "judge", "sea", "law", "oven", "dough"]
GIVEN = {"n": 15, "min_tokens": 1, "method": "top-k", "progress": False}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "topics.bin"
    path.write_bytes(FastTextFile(words=WORDS).encode())
    return path


@pytest.fixture
def filters(model):
    return dsir.QualityFilters(min_probability=0.5, classifier=str(model), label="sea")


def test_documents_below_the_probability_fail(world, model, filters):
    probability = dsir.load_model(model).score(world.texts)[:, 0].astype(np.float64)
    [column] = dsir.load_model(model).for_label("sea").score_batch(pa_of(world)).log_weight
    assert len(column) == len(probability)
    tokens = np.array([len((text or "").split()) for text in world.texts])
    failed = filters.apply(pa_of(world))
    assert failed.tolist() == [
        1 + REASONS.index("min_probability") if p < 0.5 and n else 0
        for p, n in zip(probability, tokens, strict=True)
    ]
    assert 0 < np.count_nonzero(failed) < len(failed)


def pa_of(world):
    return world.table()["text"].combine_chunks()


def test_a_selection_has_only_what_passes(world, target, parquet, model, filters, tmp_path):
    out = tmp_path / "out"
    found = dsir.select(parquet, target, filters=filters, out=out, **GIVEN)
    selected = dsir.load_model(model).score(str(out / "data"))[:, 0]
    assert len(selected) == 15
    assert (selected >= 0.5).all()
    assert found.metrics.rows.passed_over.filtered["min_probability"] > 0
    assert dsir.verify(out).stands
    by_name = {"min_probability": 0.5, "classifier": model, "label": "__label__sea"}
    again = dsir.select(world.texts, world.target, filters=by_name, **GIVEN)
    assert again.rows.tolist() == found.rows.tolist()


def test_another_file_is_noticed(target, parquet, model, filters, tmp_path):
    out = tmp_path / "out"
    dsir.select(parquet, target, filters=filters, out=out, **GIVEN)
    described = json.loads((out / "_dsir/selection.json").read_text())["settings"]["filters"]
    assert dsir.QualityFilters.from_json(described) == filters
    model.write_bytes(FastTextFile(words=WORDS, seed=5).encode())
    with pytest.raises(dsir.SettingError, match="is not the file that was used"):
        dsir.QualityFilters.from_json(described)
    assert not dsir.verify(out).stands
    model.unlink()
    with pytest.raises(dsir.ModelError, match=r"topics\.bin: cannot be read"):
        dsir.QualityFilters.from_json(described)


def test_the_command_line(parquet, target, model, tmp_path, invoke_dsir):
    words = f"min_words=3,min_probability=0.5,classifier={model},label=sea"
    call = ["select", *parquet, "-t", target, "--n", "10", "--min-tokens", "1"]
    done = invoke_dsir(*call, "-o", tmp_path / "out", "--filters", words)
    assert done.returncode == 0, done.stderr
    settings = json.loads((tmp_path / "out/_dsir/selection.json").read_text())["settings"]
    assert settings["filters"]["label"] == "sea"
    done = invoke_dsir(*call, "-o", tmp_path / "other", "--filters", words.replace("sea", "x"))
    assert done.returncode == 2
    assert "__label__sea" in done.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"min_probability": 0.5}, "give all three"),
        ({"classifier": "x.bin", "label": "sea"}, "give all three"),
        ({"min_probability": 2, "classifier": "x.bin", "label": "sea"}, "min_probability=2"),
        ({"min_probability": 0.5, "classifier": 3, "label": "sea"}, "classifier=3: expected"),
    ],
)
def test_what_is_no_filter(given, message):
    with pytest.raises(dsir.SettingError, match=message):
        dsir.QualityFilters(**given)


def test_models_that_cannot_be_read(tmp_path):
    with pytest.raises(dsir.ModelError, match=r"none\.bin: cannot be read"):
        dsir.QualityFilters(min_probability=0.5, classifier=str(tmp_path / "none.bin"), label="sea")
