"""effective_sample_size(): against decimals of 60 digits, at every magnitude."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dsir
from dsir.model.metrics import EffectiveSampleSize

LOG_WEIGHTS = st.lists(
    st.one_of(
        st.floats(-3, 3),
        st.floats(-800, 800),
        st.floats(-1e18, 1e18),
        st.floats(allow_nan=False, allow_infinity=False),
        st.just(-math.inf),
        st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324]),
    ),
    max_size=30,
)


def brute_force(log_weights: list[float]) -> float:
    finite = [Decimal(x) for x in log_weights if x > -math.inf]
    if not finite:
        return 0.0
    with localcontext() as context:
        context.prec = 1400  # What the difference of any two float64 takes.
        greatest = max(finite)
        differences = [x - greatest for x in finite]
        context.prec = 60
        # e^-5000 is nothing beside the 1 of the greatest.
        weights = [x.exp() for x in differences if x > -5000]
        return float(sum(weights) ** 2 / sum(x * x for x in weights))


@given(LOG_WEIGHTS)
@example([1e308, -1e308])
@example([-1e308, -1e308, -1e308])
@example([0.0, -745.2, -745.0])
def test_any_log_weights(log_weights):
    expected = brute_force(log_weights)
    assert dsir.effective_sample_size(log_weights) == pytest.approx(expected, rel=1e-13)
    assert expected <= len(log_weights) * (1 + 1e-15)
    if any(x > -math.inf for x in log_weights):
        assert expected >= 1


@given(LOG_WEIGHTS, st.integers(1, 12), st.booleans())
def test_any_chunks(log_weights, chunks, ascending):
    """In the order given, and in that in which every chunk has a new greatest."""
    values = sorted(log_weights) if ascending else log_weights
    size = EffectiveSampleSize()
    for part in np.array_split(np.array(values, dtype=np.float64), chunks):
        size.add(part)
    assert size.value() == pytest.approx(brute_force(values), rel=1e-12)


@pytest.mark.parametrize("level", [0.0, 1e4, -1e4, 1e300, -1e300])
@pytest.mark.parametrize("count", [1, 2, 1000])
def test_equal_weights_count_each(level, count):
    assert dsir.effective_sample_size(np.full(count, level)) == pytest.approx(count, rel=1e-13)


def test_zero_weights_count_nothing():
    zero = -math.inf
    assert dsir.effective_sample_size([]) == 0
    assert dsir.effective_sample_size([zero, zero]) == 0
    assert dsir.effective_sample_size([zero, 3.0, zero, 3.0]) == pytest.approx(2)
    size = EffectiveSampleSize()
    for part in ([zero], [], [1.0], [zero, zero], [1.0]):
        size.add(np.array(part))
    assert size.value() == pytest.approx(2)


def test_many_weights():
    values = np.random.default_rng(3).normal(0, 2, 300_000)
    weights = np.exp(values)
    expected = math.fsum(weights) ** 2 / math.fsum(weights**2)
    assert dsir.effective_sample_size(values) == pytest.approx(expected, rel=1e-12)


def test_number_types():
    assert dsir.effective_sample_size([1, 1]) == pytest.approx(2)
    assert dsir.effective_sample_size(np.zeros(3, np.float32)) == pytest.approx(3)
    assert dsir.effective_sample_size(np.zeros(3, np.uint8)) == pytest.approx(3)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([0.0, math.nan], "nan at position 1"),
        ([math.inf, 0.0], "inf at position 0"),
        ([[0.0]], "flat array"),
        (0.0, "flat array"),
        (["a"], "numbers"),
        ([True], "numbers"),
    ],
)
def test_wrong_calls(wrong, message):
    with pytest.raises(dsir.SettingError, match=message):
        dsir.effective_sample_size(wrong)


@pytest.mark.parametrize("call", [dsir.effective_sample_size, lambda w: dsir.sample(w, 2)])
def test_masked_weights_are_refused(call):
    """What is under a mask counted as a weight like others."""
    weights = np.ma.masked_array([1.0, 2.0, 3.0], mask=[False, True, False])
    with pytest.raises(dsir.SettingError, match=r"position 1 is masked.*filled"):
        call(weights)
    assert len(dsir.sample(weights.filled(-np.inf), 2)) == 2
    assert len(dsir.sample(np.ma.masked_array([1.0, 2.0]), 2)) == 2
