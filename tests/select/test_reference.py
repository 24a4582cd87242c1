"""The reference's answer: the package data-selection on the same rows."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dsir

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from data_selection import HashedNgramDSIR

BUCKETS = 1000


@pytest.fixture(scope="module")
def raw(world, tmp_path_factory) -> Path:
    """The rows that have a text: the reference fails on null."""
    path = tmp_path_factory.mktemp("reference") / "raw.jsonl"
    rows = [row for row in world.rows if row["text"] is not None]
    path.write_text("".join(json.dumps({"text": row["text"]}) + "\n" for row in rows))
    return path


class Reference:
    """The reference, run in a folder."""

    def __init__(self, raw: Path, target: Path, folder: Path, fit_tokens: Any, **keywords: Any):
        self.dsir = HashedNgramDSIR(
            [str(raw)],
            [str(target)],
            cache_dir=str(folder / "cache"),
            num_proc=1,
            num_buckets=BUCKETS,
            **keywords,
        )
        self.folder = folder
        self.dsir.fit_importance_estimator(num_tokens_to_fit=fit_tokens)

    def weights(self) -> np.ndarray:
        self.dsir.compute_importance_weights()
        return np.load(self.dsir.log_importance_weights_dir / "0.npy")

    def lengths(self) -> np.ndarray:
        return np.load(self.dsir.perexample_metadata_dir / "0.npy")

    def top_k(self, n: int) -> list[bytes]:
        out = self.folder / "out"
        self.dsir.resample(str(out), n, cache_dir=str(self.folder / "resampled"), top_k=True)
        return (out / "0.jsonl").read_bytes().splitlines()


@pytest.fixture
def chdir(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def features(n: int = 2) -> dsir.HashedNgrams:
    return dsir.HashedNgrams(n=n, buckets=BUCKETS, hash="sha256")


@pytest.mark.parametrize("n", [1, 2, 3])
def test_log_weights_lengths_and_top_k(raw, target, chdir, n, capfd):
    reference = Reference(raw, target, chdir, "auto", ngrams=n, min_example_length=20)
    expected = reference.weights()
    model = dsir.fit(raw, target, features=features(n), progress=False)
    scores = model.score(raw)
    np.testing.assert_allclose(scores, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(model.log_ratio, reference.dsir.log_diff, rtol=1e-12, atol=1e-13)
    lines = raw.read_bytes().splitlines()
    tokens = [len(model.features.tokens(json.loads(line)["text"])) for line in lines]
    long_enough = np.array(tokens) >= n - 1
    np.testing.assert_array_equal(reference.lengths()[long_enough], np.array(tokens)[long_enough])
    selection = dsir.select(
        raw,
        target,
        n=70,
        method="top-k",
        features=features(n),
        min_tokens=20,
        out=chdir / "ours",
        progress=False,
    )
    ours = selection.paths[0].read_bytes().splitlines()
    assert ours == reference.top_k(70)
    capfd.readouterr()  # The reference's progress bars.


@pytest.mark.parametrize("fit_tokens", [1, 777, 20_000, 10**9, "auto", "all"])
def test_fit_budgets(raw, target, chdir, fit_tokens, capfd):
    reference = Reference(raw, target, chdir, fit_tokens)
    capfd.readouterr()
    for threads in (1, 3):
        model = dsir.fit(
            raw,
            target,
            features=features(),
            fit_tokens=fit_tokens,
            threads=threads,
            progress=False,
        )
        total = model.raw_counts.sum()
        np.testing.assert_allclose(reference.dsir.raw_probs, model.raw_counts / total, rtol=1e-14)
        np.testing.assert_allclose(
            reference.dsir.target_probs,
            model.target_counts / model.target_counts.sum(),
            rtol=1e-14,
        )
    if fit_tokens in (1, 777):
        assert total < 777 + 800


def test_the_default_minimum_is_the_reference_s(world, target):
    selection = dsir.select(world.texts, target, n=10, method="top-k", progress=False)
    tokens = [len(selection.model.features.tokens(text or "")) for text in world.texts]
    assert selection.metrics["rows"]["eligible"] == sum(count >= 100 for count in tokens)
    assert min(tokens[row] for row in selection.rows) >= 100


def test_known_buckets():
    named = dict(dsir.HashedNgrams(hash="sha256").ngrams("Alice went"))
    assert named["alice"] == 6720
    assert named["alice went"] == 114


@pytest.mark.parametrize("smoothing", [0.0, 0.5, 10.0])
def test_log_ratio_is_the_formula(world, target, smoothing):
    model = dsir.fit(world.texts, target, features=features(), smoothing=smoothing, progress=False)
    p_raw = model.raw_counts / model.raw_counts.sum()
    smoothed = model.target_counts + smoothing
    expected = np.log(smoothed / smoothed.sum() + 1e-8) - np.log(p_raw + 1e-8)
    np.testing.assert_allclose(model.log_ratio, expected, rtol=1e-12, atol=1e-13)


def test_the_mean_is_the_sum_by_the_number_of_ngrams(world, target):
    kinds = {
        length: dsir.fit(world.texts, target, length=length, progress=False)
        for length in ("sum", "mean")
    }
    np.testing.assert_array_equal(kinds["sum"].log_ratio, kinds["mean"].log_ratio)
    ngrams = np.array([len(kinds["sum"].features.ngrams(text or "")) for text in world.texts])
    sums, means = (kinds[length].score(world.texts) for length in ("sum", "mean"))
    np.testing.assert_allclose(means, sums / np.maximum(1, ngrams), rtol=1e-12)
    assert (sums[ngrams == 0] == 0).all()
    assert (means[ngrams == 0] == 0).all()


def test_the_budget_of_several_shards_is_shared_out(world, target):
    """Each shard stops behind the document that takes it above budget // shards."""
    shards = [world.table().slice(0, 200), world.table().slice(200, 200), world.table().slice(400)]
    ngrams = dsir.HashedNgrams()
    model = dsir.fit(shards, target, fit_tokens=3001, progress=False)
    expected = 0
    for shard in shards:
        counted = 0
        for text in shard["text"].to_pylist():
            counted += len(ngrams.ngrams(text or ""))
            if counted > 3001 // 3:
                break
        expected += counted
    assert model.raw_counts.sum() == expected
