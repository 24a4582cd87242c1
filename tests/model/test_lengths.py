"""Length policies: how the length of a text bears on its log-weight."""

from __future__ import annotations

import math

import numpy as np
import pytest

import dsir
from dsir.model.length import CorpusSize


def fitted(world, length, **keywords):
    return dsir.fit(world.texts, world.target, length=length, progress=False, **keywords)


def tokens_of(world, model):
    return np.array([len(model.features.tokens(text or "")) for text in world.texts])


@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.9])
def test_a_power_in_between(world, alpha):
    model = fitted(world, alpha)
    ngrams = np.array([len(model.features.ngrams(text or "")) for text in world.texts])
    sums = fitted(world, "sum").score(world.texts)
    expected = sums / np.maximum(1, ngrams) ** alpha
    np.testing.assert_allclose(model.score(world.texts), expected, rtol=1e-14)


def test_the_ends_are_the_sum_and_the_mean(world):
    for number, name in ((0, "sum"), (0.0, "sum"), (1, "mean"), (1.0, "mean")):
        assert fitted(world, number).length == name
        assert fitted(world, number).fingerprint == fitted(world, name).fingerprint


def test_poisson_is_the_exact_log_ratio_of_likelihoods(world):
    model = fitted(world, "poisson")
    tokens = tokens_of(world, model)
    of_raw = tokens.sum() / np.count_nonzero(tokens)
    of_target = np.mean([len(model.features.tokens(text)) for text in world.target])

    def log_likelihood(count: int, mean: float) -> float:
        return count * math.log(mean) - mean - math.lgamma(count + 1)

    ratio = [log_likelihood(t, of_target) - log_likelihood(t, of_raw) for t in tokens.tolist()]
    expected = fitted(world, "sum").score(world.texts) + np.where(tokens > 0, ratio, 0)
    np.testing.assert_allclose(model.score(world.texts), expected, rtol=1e-10, atol=1e-9)
    assert (model.score(world.texts)[tokens == 0] == 0).all()


def test_poisson_of_the_part_that_was_counted(world):
    """The mean length is that of the documents that the fit has seen."""
    model = fitted(world, "poisson", fit_tokens=500)
    features, seen, documents, tokens = model.features, 0, 0, 0
    for text in world.texts:
        found = len(features.tokens(text or ""))
        seen += len(features.ngrams(text or ""))
        documents, tokens = documents + (found > 0), tokens + found
        if seen > 500:
            break
    same = dsir.ImportanceModel(
        features,
        model.raw_counts,
        model.target_counts,
        length="poisson",
        raw_size=CorpusSize(documents, tokens),
        target_sizes=[
            CorpusSize(len(world.target), sum(len(features.tokens(t)) for t in world.target))
        ],
    )
    assert same.fingerprint == model.fingerprint


@pytest.mark.parametrize("length", ["sum", "mean", 0.3, "poisson"])
def test_contributions_add_up(world, length):
    model = fitted(world, length)
    text = world.texts[0]
    table = model.explain(text)
    assert math.fsum(table["contribution"].to_pylist()) == pytest.approx(model.score([text])[0])
    assert (None in table["ngram"].to_pylist()) == (length == "poisson")
    assert model.explain("").num_rows == 0


def test_poisson_needs_sizes():
    features = dsir.HashedNgrams(buckets=2)
    counts = np.array([1, 2])
    with pytest.raises(dsir.SettingError, match="number of documents and tokens of the raw"):
        dsir.ImportanceModel(features, counts, counts, length="poisson")
    size = CorpusSize(1, 3)
    with pytest.raises(dsir.SettingError, match="number of documents and tokens of the target"):
        dsir.ImportanceModel(features, counts, counts, length="poisson", raw_size=size)


@pytest.mark.parametrize("length", ["max", -0.1, 1.1, math.nan, True, None, "0.5"])
def test_other_policies(world, length):
    with pytest.raises(dsir.SettingError, match="length="):
        fitted(world, length)
