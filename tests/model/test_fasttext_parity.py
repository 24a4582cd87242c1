"""Probabilities are those of fastText itself, for models that it trains here, on any text."""

from __future__ import annotations

import functools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir

fasttext = pytest.importorskip("fasttext", reason="needs the wheel of fastText")
fasttext.FastText.eprint = lambda *_: None  # It says of every model that it is not another object.

WORDS = "the a of ship sea sail court law judge über 海 naïve don't x , .".split()  # noqa: SIM905
WORDS += [f"word{number}" for number in range(150)]
TRAINED = {
    "softmax": {},
    "ngrams": {"wordNgrams": 2, "bucket": 1000},
    "subwords": {"wordNgrams": 3, "bucket": 500, "minn": 2, "maxn": 4, "labels": 3},
    "characters": {"bucket": 300, "minn": 0, "maxn": 3, "labels": 9},
    "one-vs-all": {"loss": "ova", "wordNgrams": 2, "bucket": 1000, "labels": 3},
    "negative": {"loss": "ns", "labels": 3},
    "tree": {"loss": "hs", "wordNgrams": 2, "bucket": 1000, "labels": 9},
    "tree of subwords": {"loss": "hs", "minn": 3, "maxn": 5, "bucket": 700, "labels": 4},
}
QUANTISED = {
    "quantised": ("subwords", {}),
    "norms": ("ngrams", {"qnorm": True, "dsub": 3}),
    "pruned": ("subwords", {"cutoff": 300, "qnorm": True}),
    "pruned characters": ("characters", {"cutoff": 256}),
    "pruned tree": ("tree", {"cutoff": 400}),
    "pruned one-vs-all": ("one-vs-all", {"cutoff": 300, "dsub": 5}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a text to train on for each number of labels."""
    path = tmp_path_factory.mktemp("fasttext")
    draw = random.Random(5)
    for labels in (2, 3, 4, 9):
        lines = []
        for _ in range(300):
            label = min(draw.randrange(labels), draw.randrange(labels))
            words = [WORDS[label]] * 3 + draw.choices(WORDS, k=draw.randrange(1, 25))
            lines.append(f"__label__{label} {' '.join(words)}\n")
        (path / f"{labels}.txt").write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def models(folder):
    """A function that returns a model of fastText, and ours of the same file, by name."""

    @functools.cache
    def trained(name):
        given = dict(TRAINED[name])
        labels = given.pop("labels", 2)
        return fasttext.train_supervised(
            str(folder / f"{labels}.txt"),
            **{"dim": 8, "epoch": 5, "lr": 0.5, "minCount": 1, "thread": 1, "verbose": 0, **given},
        )

    @functools.cache
    def pair(name):
        path = str(folder / f"{name}.bin")
        if name in TRAINED:
            trained(name).save_model(path)
        else:
            kind, given = QUANTISED[name]
            trained(kind).save_model(path)
            model = fasttext.load_model(path)
            model.quantize(**given)
            model.save_model(path)
        return fasttext.load_model(path), dsir.load_model(path)

    return pair


def probabilities(model, text: str) -> np.ndarray:
    """What fastText says; a label that it does not report, because it is too rare, has 0."""
    line = text.replace("\n", " ") + "\n"
    # `predict` of the wheel itself does not work with numpy 2.
    told = {label: p for p, label in model.f.predict(line, -1, 0.0, "strict")}
    return np.array([told.get(label, 0.0) for label in model.labels])


def same(models, texts: list[str]) -> None:
    theirs, ours = models
    assert list(ours.labels) == theirs.labels
    found = ours.score(dsir.texts(texts))
    expected = np.stack([probabilities(theirs, text) for text in texts])
    assert np.abs(found - expected).max() <= 1e-5


PIECES = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=12),
    st.sampled_from(
        ["\n", "\r\n", "\t", "\0", "\u2003", "\x1c", "</s>", "__label__0", "__label__x", "\ufffd"]
    ),
    st.tuples(st.sampled_from("aé海\U0001f600"), st.integers(1, 200)).map(lambda p: p[0] * p[1]),
)
ANY_TEXT = st.one_of(
    st.lists(PIECES, max_size=30).map(" ".join), st.lists(PIECES, max_size=8).map("".join)
)


@pytest.mark.parametrize("name", [*TRAINED, *QUANTISED])
@settings(max_examples=40)
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=6))
def test_any_text(models, name, texts):
    same(models(name), texts)


@pytest.mark.parametrize("name", [*TRAINED, *QUANTISED])
def test_long_texts(models, name):
    """Sums in single precision drift when one feature occurs thousands of times."""
    draw = random.Random(9)
    same(
        models(name),
        [
            "the " * 20_000,
            "ship sea " * 5_000,
            "x" * 100_000,
            "unknownword " * 3_000,
            " ".join(draw.choices(WORDS, k=20_000)),
            " ".join(draw.choices(WORDS, k=300)) + " law" * 10_000,
        ],
    )


@pytest.mark.parametrize("name", [*TRAINED, *QUANTISED])
def test_many_texts_in_one_call(models, name):
    draw = random.Random(2)
    texts = [" ".join(draw.choices(WORDS, k=draw.randrange(200))) for _ in range(300)]
    same(models(name), texts)


def test_the_order_of_labels_is_that_of_the_file(models):
    theirs, ours = models("tree")
    assert list(ours.labels) == theirs.labels
    assert ours.labels != tuple(sorted(ours.labels))
