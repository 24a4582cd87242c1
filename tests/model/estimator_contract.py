"""What every estimator must do: `dsir.model.estimator.Estimator` as tests.

A test module makes a class of `EstimatorContract` with a fixture `model` that lives as long as the
class, or longer.
"""

from __future__ import annotations

import json
import math
import pickle
import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsir
from dsir import _core
from dsir.model import model_file
from dsir.model.estimator import Estimator, TextScores, TrainingCounts, Watch
from dsir.model.estimators import ESTIMATORS, load_model

WORDS = ["the", "ship", "and", "sea", ",", "a", "court", "of", "law", ".", "don't", "über", "海"]
TEXTS: list[str | None] = [
    "The ship and the sea.",
    None,
    "a court of law",
    "",
    " \n\t",
    "THE SHIP AND THE SEA.",
    "don't stop, über 海! " * 40,
    "sea",
    None,
    "x" * 300,
    "the the the the",
]
LAYOUTS = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int32(), pa.string()),
    pa.dictionary(pa.int8(), pa.large_string()),
]
BAD = pa.array([b"a sea", b"\xff", None, b"ship \xc3", b"the sea"], pa.binary())


def laid_out(texts: list[str | None], kind: pa.DataType) -> pa.Array:
    """Lay texts out; a dictionary is put together, since pyarrow 24 does not convert to each."""
    if not pa.types.is_dictionary(kind):
        return pa.array(texts, kind)
    encoded = pa.array(texts, pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(
        encoded.indices.cast(kind.index_type), encoded.dictionary.cast(kind.value_type)
    )


def some_texts(count: int, seed: int) -> pa.Array:
    draw = random.Random(seed)
    texts = [
        None if draw.random() < 0.05 else " ".join(draw.choices(WORDS, k=draw.randrange(60)))
        for _ in range(count)
    ]
    return pa.array(texts, pa.string())


def check_watched(found, watch, shared, keys) -> None:
    """Check that scores have what a watch asks for, and nothing else."""
    assert (found.shared is None) == (watch.ngrams is None)
    assert (found.bands is None) == (not watch.bands)
    if found.shared is not None:
        assert np.array_equal(found.shared, shared)
    if found.bands is not None:
        assert np.array_equal(found.bands, keys)


def bits(scored: TextScores) -> list[bytes]:
    return [column.tobytes() for column in scored[:4]]


class EstimatorContract:
    """The tests."""

    def log_weights_explained(self, model: Estimator, text: str) -> list[float]:
        """The log-weight of a text in each column, by what `explain` says of it."""
        columns = model.column_names or [None]
        return [
            math.fsum(model.explain(text, target=name)["contribution"].to_pylist())
            for name in columns
        ]

    def test_says_what_it_is(self, model):
        assert isinstance(model, Estimator)
        assert ESTIMATORS[model.kind] is type(model)
        assert isinstance(model.features, dsir.HashedNgrams)
        assert model.columns == max(1, len(model.column_names))
        assert len(model.column_shares) == model.columns
        assert sum(model.column_shares) == pytest.approx(1)
        assert all(isinstance(name, str) for name in model.column_names)
        assert json.loads(json.dumps(model.describe())) == model.describe()
        assert len(model.fingerprint) == 16
        int(model.fingerprint, 16)

    def test_training_counts_are_in_its_features(self, model):
        counts = model.training_counts
        if counts is None:
            return
        assert isinstance(counts, TrainingCounts)
        assert counts.raw.shape == (model.features.buckets,)
        assert counts.targets.shape == (max(1, len(counts.names)), model.features.buckets)
        assert counts.raw.dtype == counts.targets.dtype == np.int64

    def test_scores_have_a_place_for_every_text(self, model):
        scored = model.score_batch(pa.array(TEXTS))
        assert scored.log_weight.shape == (model.columns, len(TEXTS))
        assert [column.dtype for column in scored[:4]] == [
            np.float64,
            np.uint32,
            np.uint32,
            np.uint8,
        ]
        assert {len(column) for column in scored[1:5]} == {len(TEXTS)}
        assert scored[5:] == (None, None)
        assert scored.bytes.tolist() == [len((text or "").encode()) for text in TEXTS]
        assert scored.tokens.tolist() == [len(model.features.tokens(t or "")) for t in TEXTS]
        assert np.isfinite(scored.log_weight).all()
        assert not len(scored.bad)

    def test_texts_without_a_token_weigh_nothing(self, model):
        scored = model.score_batch(pa.array([None, "", " \n\t", "sea"]))
        assert scored.log_weight[:, :3].tobytes() == np.zeros((model.columns, 3)).tobytes()
        assert scored.status.tolist() == [1, 0, 0, 0]
        assert scored.tokens[:3].tolist() == [0, 0, 0]
        assert scored.log_weight[:, 3].any()

    def test_no_texts(self, model):
        for kind in LAYOUTS:
            scored = model.score_batch(laid_out([], kind))
            assert scored.log_weight.shape == (model.columns, 0)
        assert len(model.score(iter([]))) == 0

    @pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
    def test_bad_texts_are_told_and_change_nothing_else(self, model, kind):
        bad = BAD.cast(pa.large_binary() if kind == pa.large_string() else pa.binary()).view(kind)
        scored = model.score_batch(bad)
        assert scored.bad.tolist() == [1, 3]
        assert (scored.status[[1, 3]] == _core.INVALID_UTF8).all()
        assert scored.tokens[[1, 3]].tolist() == [0, 0]
        assert not scored.log_weight[:, [1, 3]].any()
        good = model.score_batch(pa.array(["a sea", "the sea"]))
        assert scored.log_weight[:, [0, 4]].tobytes() == good.log_weight.tobytes()
        with pytest.raises(dsir.RowError, match="row 1: the text is not UTF-8") as caught:
            model.score(bad)
        assert caught.value.row == 1

    @pytest.mark.parametrize("threads", [2, 3, 8])
    def test_threads_change_no_bit(self, model, threads):
        texts = some_texts(3000, seed=threads)
        assert bits(model.score_batch(texts, threads=threads)) == bits(model.score_batch(texts))

    @pytest.mark.parametrize("threads", [1, 3])
    @pytest.mark.parametrize("texts", [BAD.view(pa.string()), some_texts(300, seed=9)])
    def test_a_watch_finds_what_passes_of_their_own_find(self, model, texts, threads):
        expected = model.score_batch(texts)
        spec = model.features.spec
        index = _core.NgramIndex(model.features.prepared(some_texts(9, seed=8)), spec, 2)
        shared = index.find(expected.prepared, most=7)
        keys = _core.band_keys(expected.prepared, spec)
        for watch in (Watch(), Watch(index, 7), Watch(bands=True), Watch(index, 7, True)):
            found = model.score_and_watch(texts, watch, threads=threads)
            assert bits(found) == bits(expected)
            assert found.prepared.equals(expected.prepared)
            check_watched(found, watch, shared, keys)

    @given(st.lists(st.none() | st.text(max_size=30), max_size=8))
    def test_texts_beside_a_text_change_no_bit(self, model, texts):
        together = model.score_batch(pa.array(texts, pa.string()))
        for number, text in enumerate(texts):
            alone = model.score_batch(pa.array([text], pa.string()))
            for one, all_of_them in zip(alone[:4], together[:4], strict=True):
                assert one[..., 0].tobytes() == all_of_them[..., number].tobytes()

    @pytest.mark.parametrize("kind", LAYOUTS, ids=str)
    def test_layouts_change_no_bit(self, model, kind):
        expected = model.score_batch(pa.array(TEXTS, pa.string()))
        encoded = laid_out(["of the slice", *TEXTS, "too"], kind)
        assert bits(model.score_batch(encoded.slice(1, len(TEXTS)))) == bits(expected)
        assert len(model.score_batch(encoded).prepared) == len(encoded)

    def test_scores_of_a_source_are_those_of_its_batches(self, model):
        texts = some_texts(200, seed=1)
        found = model.score(pa.table({"text": texts}), threads=2)
        expected = model.score_batch(texts).log_weight
        assert found.dtype == np.float64
        if model.column_names:
            assert found.shape == (200, len(model.column_names))
            assert found.T.tobytes() == expected.tobytes()
        else:
            assert found.shape == (200,)
            assert found.tobytes() == expected[0].tobytes()

    @given(st.text(max_size=40) | st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
    def test_what_is_explained_adds_up_to_the_log_weight(self, model, text):
        scored = model.score_batch(pa.array([text], pa.string())).log_weight[:, 0]
        explained = self.log_weights_explained(model, text)
        assert explained == pytest.approx(scored.tolist(), rel=1e-9, abs=1e-7)

    def test_explanations_have_one_form(self, model):
        target = None
        if model.training_counts is not None and model.columns == 1:
            target = self.target_to_explain(model)
        elif model.column_names:
            target = model.column_names[-1]
        table = model.explain("The ship, the ship and the sea", target=target)
        assert table.schema == pa.schema(
            [
                ("ngram", pa.string()),
                ("bucket", pa.int64()),
                ("count", pa.int64()),
                ("contribution", pa.float64()),
            ]
        )
        sizes = np.abs(table["contribution"].to_numpy())
        assert (np.diff(sizes) <= 0).all()
        assert model.explain("", target=target).num_rows == 0
        with pytest.raises(dsir.RowError, match="surrogate"):
            model.explain("\ud800", target=target)
        with pytest.raises(dsir.SettingError, match="target='nobody'"):
            model.explain("sea", target="nobody")

    def target_to_explain(self, model: Estimator) -> str | None:
        """The target that `explain` needs to be told, if there is one column."""
        return None

    def test_files_bring_back_the_same_model(self, model, tmp_path):
        path = tmp_path / "model.dsir"
        model.save(path)
        texts = some_texts(100, seed=2)
        for loaded in (load_model(path), type(model).load(str(path))):
            assert type(loaded) is type(model)
            assert loaded.fingerprint == model.fingerprint
            assert loaded.features == model.features
            assert loaded.column_names == model.column_names
            assert loaded.column_shares == model.column_shares
            assert loaded.describe() == model.describe()
            assert bits(loaded.score_batch(texts)) == bits(model.score_batch(texts))
            loaded.save(tmp_path / "again")
            assert (tmp_path / "again").read_bytes() == path.read_bytes()

    def test_damaged_files_are_refused(self, model, tmp_path):
        path = tmp_path / "model.dsir"
        model.save(path)
        data = path.read_bytes()
        for position in [*range(60), *range(60, len(data), len(data) // 50), len(data) - 1]:
            damaged = bytearray(data)
            damaged[position] ^= 0x10
            path.write_bytes(damaged)
            with pytest.raises(dsir.ModelError, match=r"model\.dsir"):
                load_model(path)
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(dsir.ModelError, match="damaged"):
            load_model(path)

    def test_files_that_lack_something_are_refused(self, model, tmp_path):
        """Their checksum is right: somebody made them."""
        content = model.content()
        path = tmp_path / "model.dsir"
        for name in content.settings:
            rest = {key: value for key, value in content.settings.items() if key != name}
            model_file.write(path, replace(content, settings=rest))
            with pytest.raises(dsir.ModelError, match=r"model\.dsir: the model's settings"):
                load_model(path)
        features = {**model.features.describe(), "unicode": "99.0.0"}
        model_file.write(
            path, replace(content, settings={**content.settings, "features": features})
        )
        with pytest.raises(dsir.ModelError, match=r"features\.unicode .* fit the model again"):
            load_model(path)

    def test_pickles_for_engines(self, model):
        texts = some_texts(100, seed=3)
        expected = bits(model.score_batch(texts))
        travelled = pickle.loads(pickle.dumps(model))
        assert type(travelled) is type(model)
        assert travelled.fingerprint == model.fingerprint
        assert bits(travelled.score_batch(texts)) == expected

    def test_it_is_frozen(self, model):
        for name in ("features", "columns", "column_names", "column_shares", "fingerprint"):
            with pytest.raises(AttributeError):
                setattr(model, name, None)
