"""Importance models of every mode keep the estimator contract; files of other kinds of models."""

from __future__ import annotations

import json
import math
import struct
from hashlib import sha256

import numpy as np
import pytest
from estimator_contract import EstimatorContract

import dsir
from dsir.model import estimators, model_file
from dsir.model.estimator import Estimator, TextScores
from dsir.model.estimators import load_model

FEATURES = dsir.HashedNgrams(n=3, buckets=200)
LAW = ["the court and the judge of the law, don't stop"] * 7


@pytest.fixture(scope="module")
def fitted(small_world):
    """A function that fits a model; with names, on two targets."""

    def fit(*, names: bool = False, law=LAW, **keywords) -> dsir.ImportanceModel:
        target = {"sea": small_world.target, "law": law} if names else small_world.target
        given = {"features": FEATURES, "progress": False, **keywords}
        return dsir.fit(small_world.texts, target, **given)

    return fit


class TestPooled(EstimatorContract):
    @pytest.fixture(
        scope="class",
        params=[
            {},
            {"length": "mean", "smoothing": 1.0},
            {"length": 0.3},
            {"length": "poisson"},
            {"features": dsir.HashedNgrams(n=2, buckets=150, hash="sha256")},
            {"features": dsir.HashedNgrams(n=2, buckets=150, tokenizer="word_tokenize")},
            {"names": True, "length": "poisson"},
        ],
        ids=["sum", "mean", "power", "poisson", "sha256", "word_tokenize", "names"],
    )
    @classmethod
    def model(cls, request, fitted):
        return fitted(**request.param)


class TestSeparate(EstimatorContract):
    @pytest.fixture(scope="class", params=["sum", "poisson"])
    @classmethod
    def model(cls, request, fitted):
        proportions = {"sea": 0.25, "law": 0.75}
        return fitted(names=True, targets="separate", length=request.param, proportions=proportions)


class TestMixture(EstimatorContract):
    @pytest.fixture(scope="class", params=["mean", 0.5])
    @classmethod
    def model(cls, request, fitted):
        return fitted(names=True, targets="mixture", length=request.param)

    def target_to_explain(self, model):
        return model.target_names[0]

    def log_weights_explained(self, model, text):
        """A mixture is explained target by target; its log-weight is made of these."""
        if not model.features.tokens(text):
            return [0.0]
        by_target = [
            math.fsum(model.explain(text, target=name)["contribution"].to_pylist())
            for name in model.target_names
        ]
        shares = zip(model.proportions, by_target, strict=True)
        return [math.log(sum(share * math.exp(weight) for share, weight in shares))]


class TestRelevance(EstimatorContract):
    @pytest.fixture(
        scope="class",
        params=[
            {},
            {"features": dsir.HashedNgrams(n=2, buckets=150, tokenizer="word_tokenize")},
            {"names": True},
            {"names": True, "targets": "separate", "proportions": {"sea": 0.25, "law": 0.75}},
        ],
        ids=["one", "word_tokenize", "pooled", "separate"],
    )
    @classmethod
    def model(cls, request, fitted):
        return fitted(estimator="relevance", **request.param)


LAWS = [f"the court {number} and the judge of the law, don't stop" for number in range(20)]


class TestClassifier(EstimatorContract):
    @pytest.fixture(
        scope="class",
        params=[
            {},
            {"features": dsir.HashedNgrams(n=2, buckets=150, tokenizer="word_tokenize")},
            {"names": True, "targets": "separate", "proportions": {"sea": 0.25, "law": 0.75}},
        ],
        ids=["one", "word_tokenize", "separate"],
    )
    @classmethod
    def model(cls, request, fitted):
        return fitted(estimator="classifier", law=LAWS, **request.param)


class TestMixedClassifiers(TestMixture):
    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, fitted):
        return fitted(names=True, targets="mixture", estimator="classifier", law=LAWS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lines", [[1.0, float("inf")]]),
        ("lines", []),
        ("lines", [[1.0]]),
        ("learned", [{"wanted": 3}]),
        ("learned", [{"wanted": 3, "others": 3, "held_out": 3, "auc": 2.0, "accuracy": 0.5}]),
    ],
)
def test_a_classifier_is_checked(fitted, tmp_path, name, value):
    content = fitted(estimator="classifier").content()
    wrong = model_file.Content(content.kind, content.settings | {name: value}, content.arrays)
    model_file.write(tmp_path / "model.dsir", wrong)
    with pytest.raises(dsir.ModelError, match="not valid"):
        load_model(tmp_path / "model.dsir")


@pytest.mark.parametrize("weights", [np.full((1, 200), 101, np.float32), np.zeros((1, 200))])
def test_weights_of_a_classifier_are_checked(fitted, tmp_path, weights):
    content = fitted(estimator="classifier").content()
    arrays = {**content.arrays, "weights": weights}
    model_file.write(tmp_path / "a", model_file.Content(content.kind, content.settings, arrays))
    with pytest.raises(dsir.ModelError, match="weights"):
        load_model(tmp_path / "a")


@pytest.mark.parametrize("estimator", ["ratio", "relevance", "classifier"])
@pytest.mark.parametrize(
    ("rows", "names", "said"),
    [
        (0, [], "target_counts"),
        (2, [], "target_counts"),
        (1, ["sea", "law"], "target_counts"),
        (1, None, "'target_names' is missing"),
    ],
)
def test_counts_have_a_row_for_each_target(fitted, tmp_path, estimator, rows, names, said):
    content = fitted(estimator=estimator).content()
    counts = np.repeat(content.arrays["target_counts"], rows, axis=0)
    settings = {**content.settings, "target_names": names}
    if names is None:
        del settings["target_names"]
    arrays = {**content.arrays, "target_counts": counts}
    model_file.write(tmp_path / "m.dsir", model_file.Content(content.kind, settings, arrays))
    with pytest.raises(dsir.ModelError, match=rf"m\.dsir: .*{said}"):
        load_model(tmp_path / "m.dsir")


@pytest.mark.parametrize("estimator", ["ratio", "relevance", "classifier"])
def test_errors_of_counts_name_the_file(fitted, tmp_path, estimator):
    content = fitted(estimator=estimator).content()
    arrays = {**content.arrays, "raw_counts": -content.arrays["raw_counts"]}
    file = tmp_path / "m.dsir"
    model_file.write(file, model_file.Content(content.kind, content.settings, arrays))
    with pytest.raises(dsir.ModelError, match=r"m\.dsir: .*raw_counts: .*none negative"):
        load_model(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prior", 2.0),
        ("calibrations", []),
        ("calibrations", [[0.5, float("inf")]]),
        ("calibrations", [["a", 1.0]]),
        ("targets", "mixture"),
    ],
)
def test_a_model_of_relevance_is_checked(fitted, tmp_path, name, value):
    content = fitted(estimator="relevance").content()
    wrong = model_file.Content(content.kind, content.settings | {name: value}, content.arrays)
    model_file.write(tmp_path / "model.dsir", wrong)
    with pytest.raises(dsir.ModelError, match="not valid"):
        load_model(tmp_path / "model.dsir")


def test_separate_targets_are_the_columns(fitted):
    model = fitted(names=True, targets="separate", proportions=[0.25, 0.75])
    assert model.column_names == ("sea", "law")
    assert model.column_shares == [0.25, 0.75]
    for mode in ("pooled", "mixture"):
        model = fitted(names=True, targets=mode)
        assert model.column_names == ()
        assert model.column_shares == [1.0]


def test_a_model_from_counts_is_that_of_the_fit(fitted, small_world):
    class Counted:
        def __init__(self, texts):
            tokens = [len(FEATURES.tokens(text or "")) for text in texts]
            self.counts = FEATURES.counts(texts)
            self.documents, self.tokens = sum(map(bool, tokens)), sum(tokens)

    raw, sea, law = map(Counted, (small_world.texts, small_world.target, LAW))
    given = {"smoothing": 0.5, "length": "poisson"}
    one = dsir.ImportanceModel.from_counts(FEATURES, raw, [sea], **given)
    assert one.fingerprint == fitted(**given).fingerprint
    names = ("sea", "law")
    given |= {"targets": "mixture", "proportions": [0.25, 0.75]}
    two = dsir.ImportanceModel.from_counts(FEATURES, raw, [sea, law], target_names=names, **given)
    assert two.fingerprint == fitted(names=True, **given).fingerprint


class LengthModel(Estimator):
    """The simplest model: a text weighs what its tokens do."""

    kind = "length"

    def __init__(self, weights: np.ndarray) -> None:
        self._weights = weights

    @property
    def features(self):
        return FEATURES

    def score_batch(self, texts, *, threads=1):
        words = [len(FEATURES.tokens(text or "")) for text in texts.to_pylist()]
        tokens = np.array(words, np.uint32)
        weight = tokens * self._weights[:1]
        sizes = np.array([len((text or "").encode()) for text in texts.to_pylist()], np.uint32)
        status = np.array([text is None for text in texts.to_pylist()], np.uint8)
        return TextScores(weight[np.newaxis], tokens, sizes, status, texts)

    def explain(self, text, *, target=None):
        raise NotImplementedError

    def describe(self):
        return {"features": FEATURES.describe(), "estimator": self.kind}

    def content(self):
        arrays = {"weights": self._weights, "none": np.zeros((0, 3), np.uint8)}
        return model_file.Content(self.kind, self.describe(), arrays)

    @classmethod
    def from_content(cls, content):
        return cls(content.arrays["weights"])


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setitem(estimators.ESTIMATORS, "length", LengthModel)


def test_models_of_another_kind(known, tmp_path, fitted):
    path = tmp_path / "model.dsir"
    model = LengthModel(np.array([0.5, 2.0]))
    model.save(path)
    loaded = load_model(path)
    assert type(loaded) is LengthModel
    assert loaded.fingerprint == model.fingerprint != LengthModel(np.array([1.0])).fingerprint
    assert loaded.score(["a b c", None, ""]).tolist() == [1.5, 0, 0]
    assert loaded.column_shares == [1.0]
    assert loaded.training_counts is None
    with pytest.raises(dsir.ModelError, match=r"is a model of kind 'length', not 'ratio'"):
        dsir.ImportanceModel.load(path)
    fitted().save(path)
    with pytest.raises(dsir.ModelError, match=r"is a model of kind 'ratio', not 'length'"):
        LengthModel.load(path)


def test_the_stages_take_models_of_any_kind(known, parquet, tmp_path, invoke_dsir):
    model, scores, rows, out = (tmp_path / name for name in ("m.dsir", "scores", "rows", "out"))
    LengthModel(np.array([-0.01])).save(model)
    for words in (
        ("score", *parquet, "--model", model, "--out", scores, "--filters", "max_words=150"),
        ("sample", scores, "-n", 20, "--min-tokens", 10, "--method", "top-k", "--out", rows),
        ("write", rows, "--model", model, "--out", out),
        ("verify", out, "--model", model),
    ):
        done = invoke_dsir(*words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    written = json.loads((out / "_dsir/selection.json").read_bytes())
    assert written["settings"]["estimator"] == "length"
    assert written["metrics"]["rows"]["selected"] == 20
    assert "kl_reduction" not in written["metrics"]


def test_kinds_that_this_version_does_not_know(tmp_path):
    path = tmp_path / "model.dsir"
    LengthModel(np.array([0.5])).save(path)
    with pytest.raises(dsir.ModelError, match=r"is a model of kind 'length'; .* knows .*'ratio'"):
        load_model(path)


@pytest.mark.parametrize(
    "dtype", ["uint8", "int32", "uint32", "int64", "uint64", "f4", "f8", ">i8"]
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 4)])
def test_arrays_of_every_type_and_shape(tmp_path, dtype, shape):
    array = np.arange(math.prod(shape)).astype(dtype).reshape(shape)
    content = model_file.Content("mine", {"a": [1, "b"]}, {"x": array, "y": np.arange(2)})
    model_file.write(tmp_path / "file", content)
    found = model_file.read(tmp_path / "file")
    assert (found.kind, found.settings, list(found.arrays)) == ("mine", {"a": [1, "b"]}, ["x", "y"])
    assert found.arrays["x"].dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found.arrays["x"], array)
    assert model_file.digest(found) == model_file.digest(content)


def test_arrays_of_other_types_are_not_written(tmp_path):
    for array in (np.array(["a"]), np.array([None]), np.array([1j]), np.array([True])):
        content = model_file.Content("mine", {}, {"x": array})
        with pytest.raises(TypeError, match="the array 'x' of a model is"):
            model_file.write(tmp_path / "file", content)
    assert not list(tmp_path.iterdir())


GOOD = {"kind": "mine", "settings": {}, "arrays": [["x", "<f8", [2]]]}


def crafted(path, header, data: bytes):
    """A file of format 3 whose checksum is right, whatever is in it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    body = struct.pack("<8sIIQ", b"dsirmodl", 3, len(text), len(data)) + text + data
    path.write_bytes(body + sha256(body).digest())
    return path


def test_a_crafted_file_that_is_right(tmp_path):
    found = model_file.read(crafted(tmp_path / "m", GOOD, np.array([1.5, 2.0]).tobytes()))
    assert found.arrays["x"].tolist() == [1.5, 2]


@pytest.mark.parametrize(
    "header",
    [
        b"no JSON",
        [],
        {},
        {**GOOD, "kind": 5},
        {**GOOD, "kind": "ratio"},
        {**GOOD, "settings": []},
        {**GOOD, "arrays": None},
        {**GOOD, "arrays": 5},
        {**GOOD, "arrays": []},
        {**GOOD, "arrays": ["xyz"]},
        {**GOOD, "arrays": [["x", "<f8"]]},
        {**GOOD, "arrays": [["x", "<f8", 2]]},
        {**GOOD, "arrays": [["x", "<f8", [3]]]},
        {**GOOD, "arrays": [["x", "<f8", [1]]]},
        {**GOOD, "arrays": [["x", "<f8", [-1, -2]]]},
        {**GOOD, "arrays": [["x", "<f8", [2.0]]]},
        {**GOOD, "arrays": [["x", "<f8", [True, 2]]]},
        {**GOOD, "arrays": [["x", "<f8", [1 << 70]]]},
        {**GOOD, "arrays": [["x", "<f8", [1 << 70, 0]]]},
        {**GOOD, "arrays": [["x", "|O", [2]]]},
        {**GOOD, "arrays": [["x", "<U4", [1]]]},
        {**GOOD, "arrays": [["x", ["<f8"], [2]]]},
        {**GOOD, "arrays": [["x", {"f": "<f8"}, [2]]]},
        {**GOOD, "arrays": [[5, "<f8", [2]]]},
        {**GOOD, "arrays": [["x", "<f8", [1]], ["x", "<f8", [1]]]},
    ],
)
def test_crafted_files(tmp_path, header):
    with pytest.raises(dsir.ModelError, match=r"model\.dsir: its header is"):
        model_file.read(crafted(tmp_path / "model.dsir", header, b"\0" * 16))


def test_a_damaged_size_is_found(tmp_path):
    path = crafted(tmp_path / "m", GOOD, b"\0" * 16)
    data = bytearray(path.read_bytes())
    for size in (0, 15, 17, (1 << 64) - 1):
        data[16:24] = struct.pack("<Q", size)
        path.write_bytes(data)
        with pytest.raises(dsir.ModelError, match="is damaged"):
            model_file.read(path)


def test_a_file_of_importance_models_is_what_it_was(tmp_path, fitted):
    """Format 2, which earlier versions read."""
    fitted(names=True).save(tmp_path / "m")
    assert struct.unpack_from("<8sI", (tmp_path / "m").read_bytes()) == (b"dsirmodl", 2)
