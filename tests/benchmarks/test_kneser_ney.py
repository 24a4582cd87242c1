"""The model of trigrams that selections are measured with."""

from __future__ import annotations

import numpy as np
from benchmarks.quality.kneser_ney import KneserNey


def documents(seed: int, count: int, size: int) -> list[np.ndarray]:
    draw = np.random.default_rng(seed)
    return [draw.zipf(1.5, draw.integers(1, 40)).clip(1, size - 1) for _ in range(count)]


def test_probabilities_of_what_may_follow_add_up_to_one():
    size = 30
    model = KneserNey(documents(1, 50, size), size)
    following = np.arange(1, size)
    for first, second in [(0, 0), (0, 1), (1, 1), (2, 1), (29, 28), (1, 29)]:
        found = model.probabilities(np.full(size - 1, first), np.full(size - 1, second), following)
        assert (found > 0).all()
        assert abs(found.sum() - 1) < 1e-9


def test_text_like_that_of_the_model_is_predicted_better():
    train = [np.tile([1, 2, 3, 4], 8) for _ in range(20)]
    model = KneserNey(train, 12)
    assert model.perplexity([np.tile([1, 2, 3, 4], 8)]) < 1.3
    assert model.perplexity([np.array([9, 5, 7, 6, 8])]) > 12
