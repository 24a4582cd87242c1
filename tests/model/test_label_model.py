"""The model that weighs by a label of a fastText model keeps the estimator contract."""

from __future__ import annotations

import numpy as np
import pytest
from estimator_contract import EstimatorContract
from fasttext_file import KINDS, FastTextFile

import dsir
from dsir.model.fasttext_model import FastTextModel


def model_of(file: FastTextFile) -> FastTextModel:
    return FastTextModel(file.encode())


class TestLabelModel(EstimatorContract):
    @pytest.fixture(
        scope="class",
        params=["softmax", "many labels", "one-vs-all", "tree", "quantised", "pruned", "one label"],
    )
    @classmethod
    def model(cls, request):
        found = model_of(KINDS[request.param])
        return found.for_label(found.labels[-1])


TEXTS = ["the ship and the sea", "court of law", "the the the", "sea"]


@pytest.mark.parametrize("name", [name for name in KINDS if name != "one label"])
def test_log_weights_are_the_log_odds_of_the_probabilities(name):
    model = model_of(KINDS[name])
    found = model.score(TEXTS).astype(np.float64)
    for number, label in enumerate(model.labels):
        p = found[:, number] - 1e-5  # What fastText adds.
        log_weights = model.for_label(label).score(TEXTS)
        if KINDS[name].loss in ("ova", "ns"):  # These probabilities come from a table of steps.
            assert 1 / (1 + np.exp(-log_weights)) == pytest.approx(p, abs=1 / 128)
        else:
            assert 1 / (1 + np.exp(-log_weights)) == pytest.approx(p, abs=1e-4)


def test_log_odds_tell_apart_what_probabilities_do_not():
    file = FastTextFile(dim=2, word_ngrams=1, bucket=0)
    data = file.encode()
    output = file.output.tobytes()
    model = FastTextModel(data.replace(output, (file.output * 200).tobytes()))
    label = model.labels[0]
    assert len(np.unique(model.score(TEXTS)[:, 0].round(3))) < len(TEXTS)
    assert len(np.unique(model.for_label(label).score(TEXTS))) == len(TEXTS)


def test_a_label_may_be_named_without_its_prefix():
    model = model_of(KINDS["softmax"])
    short, whole = model.for_label("sea"), model.for_label("__label__sea")
    assert short.label == whole.label == "__label__sea"
    assert short.fingerprint == whole.fingerprint != model.for_label("law").fingerprint
    with pytest.raises(dsir.SettingError, match=r"label='ocean': the labels .* '__label__sea'"):
        model.for_label("ocean")
    with pytest.raises(dsir.SettingError, match="label=None"):
        model.for_label(None)


def test_the_only_label_of_a_softmax_is_refused():
    model = model_of(FastTextFile(labels=("__label__a",)))
    assert model.score(["sea"]) == pytest.approx(1, abs=2e-5)
    with pytest.raises(dsir.SettingError, match="the only label"):
        model.for_label("a")


def test_models_of_fasttext_show_themselves_as_a_table():
    model = model_of(KINDS["softmax"])
    assert "<th" in model._repr_html_()
    assert model.labels[0] in model._repr_html_()
    label = model.for_label(model.labels[0])
    assert repr(label).startswith(f"LabelModel(label: {model.labels[0]}, of: ")
    assert "<th" in label._repr_html_()


def test_features_are_explained_by_name():
    model = model_of(KINDS["one-vs-all"]).for_label("sea")
    table = model.explain("the ship sails")
    names = table["ngram"].to_pylist()
    assert {"the", "ship", "the ship", "the ship sails", "sails </s>", "</s>"} < set(names)
    assert "<sh" in names
    assert "il" in names  # Of a word that the model does not know.
    assert "sails" not in names
