"""The core's Kneser-Ney model against an independent one in NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kneser_ney_definition import KneserNey as Expected

from dsir import _core

texts = st.lists(st.lists(st.integers(1, 29), max_size=30), min_size=1, max_size=12)


def listed(documents: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.cumsum([0, *map(len, documents)], dtype=np.int64)
    return offsets, np.array([token for one in documents for token in one], dtype=np.uint32)


@given(texts.filter(any), texts.filter(any))
def test_perplexity_is_that_of_the_definition(train, held_out):
    expected = Expected([np.array(one, dtype=np.int64) for one in train], 30)
    documents = [np.array(one, dtype=np.int64) for one in held_out if one]
    model = _core.KneserNey(*listed(train), vocabulary=29)
    sums = model.log_probabilities(*listed(held_out))
    found = math.exp(-math.fsum(sums) / sum(map(len, held_out)))
    assert found == pytest.approx(expected.perplexity(documents), rel=1e-9)


@given(texts)
def test_distinct_trigrams_are_those_within_documents(train):
    model = _core.KneserNey(*listed(train), vocabulary=29)
    found = [tuple(one[at : at + 3]) for one in train for at in range(len(one) - 2)]
    assert (model.trigrams, model.distinct_trigrams) == (len(found), len(set(found)))


def test_threads_do_not_change_a_bit():
    draw = np.random.default_rng(7)
    train = [(draw.zipf(1.3, 200) % 5000).tolist() for _ in range(300)]
    one = _core.KneserNey(*listed(train), vocabulary=5000)
    three = _core.KneserNey(*listed(train), vocabulary=5000, threads=3)
    held_out = listed(train[::7])
    expected = one.log_probabilities(*held_out)
    assert (three.log_probabilities(*held_out, threads=3) == expected).all()


@pytest.mark.parametrize(
    ("offsets", "tokens", "vocabulary", "message"),
    [
        ([0, 5], [1, 2], 9, "offsets must ascend"),
        ([2, 1], [1, 2], 9, "offsets must ascend"),
        ([0, 1], [1 << 28], 9, "out of range"),
        ([0, 1], [1], 0, "vocabulary"),
        ([0, 1], [1], math.inf, "vocabulary"),
    ],
)
def test_bad_lists_are_refused(offsets, tokens, vocabulary, message):
    lists = np.array(offsets, dtype=np.int64), np.array(tokens, dtype=np.uint32)
    with pytest.raises(ValueError, match=message):
        _core.KneserNey(*lists, vocabulary=vocabulary)
